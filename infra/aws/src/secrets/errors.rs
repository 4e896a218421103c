//! The errors of Secrets Manager, in its own words. None of them quotes a value.

use crate::reply::ApiError;
use std::borrow::Cow;

pub(super) fn not_found() -> ApiError {
    ApiError::bad("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

pub(super) fn no_value(what: &str) -> ApiError {
    ApiError::bad(
        "ResourceNotFoundException",
        format!("Secrets Manager can't find the specified secret value for {what}."),
    )
}

pub(super) fn exists(message: impl Into<Cow<'static, str>>) -> ApiError {
    ApiError::bad("ResourceExistsException", message)
}

pub(super) fn name_taken(name: &str) -> ApiError {
    exists(format!("The operation failed because the secret {name} already exists."))
}

pub(super) fn marked_deleted() -> ApiError {
    invalid_request("You can't perform this operation on the secret because it was marked for deletion.")
}

pub(super) fn invalid_request(message: impl Into<Cow<'static, str>>) -> ApiError {
    ApiError::bad("InvalidRequestException", message)
}

pub(super) fn invalid_parameter(message: impl Into<Cow<'static, str>>) -> ApiError {
    ApiError::bad("InvalidParameterException", message)
}
