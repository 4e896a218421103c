//! A successful answer, kept as it came.

use bytes::Bytes;
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// What RingCentral answered with a 2xx status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status, 200 to 299.
    pub status: StatusCode,
    /// RingCentral's `RCRequestId`, for its support.
    pub request_id: Option<String>,
    /// The body as received; JSON if it is not empty.
    pub body: Bytes,
}

impl Answer {
    /// Reads the body as a model. Only the client calls this on bodies that it has already found to be JSON.
    ///
    /// # Errors
    /// If the body has another shape than the model.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// The body itself, byte for byte: nothing RingCentral said is lost on the way through.
    ///
    /// # Errors
    /// If the body is not JSON.
    pub fn raw(&self) -> Result<Box<RawValue>, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}
