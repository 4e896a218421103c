//! Answers in the shape AWS gives them.
//!
//! It owns how a result or an error becomes an HTTP response of a service. It knows no operation.

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use std::borrow::Cow;

/// Which of the services a response comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    DynamoDb,
    Sqs,
    Secrets,
}

impl Service {
    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::DynamoDb | Self::Sqs => "application/x-amz-json-1.0",
            Self::Secrets => "application/x-amz-json-1.1",
        })
    }
}

/// An error as AWS words it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    /// The shape's name, such as `QueueDoesNotExist`.
    pub(crate) code: &'static str,
    /// The name in the old query protocol where it differs; SDKs prefer it for SQS.
    pub(crate) query_code: Option<&'static str>,
    pub(crate) message: Cow<'static, str>,
}

impl ApiError {
    /// The caller's fault.
    pub(crate) fn bad(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, query_code: None, message: message.into() }
    }

    /// The caller may not do this.
    pub(crate) fn denied(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::FORBIDDEN, ..Self::bad(code, message) }
    }

    /// Our fault.
    pub(crate) fn internal(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, ..Self::bad(code, message) }
    }

    /// Adds the query protocol's name.
    pub(crate) fn query(self, query_code: &'static str) -> Self {
        Self { query_code: Some(query_code), ..self }
    }

    /// Whether the caller is to blame.
    pub(crate) fn is_sender_fault(&self) -> bool {
        self.status.is_client_error()
    }

    /// The name SDKs know the error by.
    pub(crate) fn public_code(&self) -> &'static str {
        self.query_code.unwrap_or(self.code)
    }

    /// The error as `service` answers it.
    pub(crate) fn into_response(self, service: Service) -> Response {
        let message = self.message.as_ref();
        let body = match service {
            Service::Sqs => json!({"__type": format!("com.amazonaws.sqs#{}", self.code), "message": message}),
            Service::Secrets => json!({"__type": self.code, "Message": message}),
            Service::DynamoDb => {
                json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{}", self.code), "message": message})
            }
        };
        let mut response = respond(service, self.status, body.to_string());
        if service == Service::Sqs {
            let side = if self.is_sender_fault() { "Sender" } else { "Receiver" };
            if let Ok(value) = HeaderValue::try_from(format!("{};{side}", self.public_code())) {
                response.headers_mut().insert("x-amzn-query-error", value);
            }
        }
        response
    }
}

impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        // SQLite names tables and constraints in its errors, never the values.
        Self::internal("InternalFailure", format!("The store failed: {error}"))
    }
}

impl From<crate::store::Closed> for ApiError {
    fn from(error: crate::store::Closed) -> Self {
        Self::internal("InternalFailure", error.to_string())
    }
}

/// The error for a body that is not the JSON an operation takes.
pub(crate) fn unreadable(error: &serde_json::Error) -> ApiError {
    ApiError::bad("SerializationException", format!("The request could not be read: {error}"))
}

/// The error for an operation nobody here offers.
pub(crate) fn unknown_operation(target: &str) -> ApiError {
    ApiError::bad("UnknownOperationException", format!("The embedded AWS has no operation `{target}`."))
}

/// A finished operation.
pub(crate) fn ok(service: Service, body: &Value) -> Response {
    respond(service, StatusCode::OK, body.to_string())
}

/// A response with the headers every AWS service sends.
pub(crate) fn respond(service: Service, status: StatusCode, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, service.content_type());
    if let Ok(id) = HeaderValue::try_from(uuid::Uuid::new_v4().to_string()) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}
