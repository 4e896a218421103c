//! What a request brings with it, read within bounds and before anything is decided: an answer that is sent while the sender
//! still sends may reach it as a broken connection.

use bytes::{Buf, Bytes};
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::BODY_LIMIT;

/// How much of a body that is too large is read on (bytes). No part of the platform passes on as much.
const READ_ON: usize = 12 << 20;

/// What came with a request.
#[derive(Debug)]
pub(crate) enum Sent {
    /// Nothing: a handshake has no body.
    Nothing,
    /// A body within [`BODY_LIMIT`].
    Body(Bytes),
    /// More than that.
    TooLarge,
    /// The sender broke off.
    Broken,
}

impl Sent {
    /// Reads a request to its end, or as far as there is any use in it.
    pub(crate) async fn read<B>(headers: &HeaderMap, body: B) -> Self
    where
        B: http_body::Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send,
    {
        let header = |name: header::HeaderName| headers.get(name)?.to_str().ok();
        let announced = header(header::CONTENT_LENGTH).and_then(|length| length.trim().parse::<u64>().ok());
        let too_large = announced.is_some_and(|length| length > BODY_LIMIT as u64);
        let asks = header(header::EXPECT).is_some_and(|expect| expect.eq_ignore_ascii_case("100-continue"));
        if too_large && asks {
            // Nothing was sent yet, and nothing is once it hears no.
            return Self::TooLarge;
        }
        let mut body = Box::pin(body);
        if !too_large {
            match Limited::new(&mut body, BODY_LIMIT).collect().await {
                Ok(collected) => {
                    let bytes = collected.to_bytes();
                    return if bytes.is_empty() { Self::Nothing } else { Self::Body(bytes) };
                }
                Err(error) if error.is::<LengthLimitError>() => {}
                Err(_) => return Self::Broken,
            }
        }
        let mut read = 0;
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, Buf::remaining);
            if read > READ_ON {
                break;
            }
        }
        Self::TooLarge
    }
}
