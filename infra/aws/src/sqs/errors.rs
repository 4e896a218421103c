//! The errors of SQS, by the names and words AWS uses.
//!
//! It owns both names of each: the shape's, and the query protocol's that SDKs read from a header.

use crate::reply::ApiError;
use std::borrow::Cow;

pub(crate) fn throttled() -> ApiError {
    ApiError::bad("RequestThrottled", "Rate exceeded (planned).")
}

pub(super) fn no_such_queue() -> ApiError {
    ApiError::bad("QueueDoesNotExist", "The specified queue does not exist.")
        .query("AWS.SimpleQueueService.NonExistentQueue")
}

pub(super) fn queue_exists() -> ApiError {
    ApiError::bad(
        "QueueNameExists",
        "A queue already exists with the same name and a different value for an attribute.",
    )
    .query("QueueAlreadyExists")
}

pub(super) fn invalid_receipt() -> ApiError {
    ApiError::bad("ReceiptHandleIsInvalid", "The input receipt handle is invalid.")
}

pub(super) fn not_in_flight() -> ApiError {
    ApiError::bad("MessageNotInflight", "The message referred to isn't in flight.")
        .query("AWS.SimpleQueueService.MessageNotInflight")
}

pub(super) fn unsupported(message: impl Into<Cow<'static, str>>) -> ApiError {
    ApiError::bad("UnsupportedOperation", message).query("AWS.SimpleQueueService.UnsupportedOperation")
}

pub(super) fn no_such_resource(message: impl Into<Cow<'static, str>>) -> ApiError {
    ApiError::bad("ResourceNotFoundException", message)
}

pub(super) fn invalid_value(message: impl Into<Cow<'static, str>>) -> ApiError {
    ApiError::bad("InvalidParameterValue", message)
}

/// A parameter or attribute outside what SQS allows.
pub(super) fn out_of_range(name: &str, value: impl std::fmt::Display, reason: &str) -> ApiError {
    invalid_value(format!("Value {value} for parameter {name} is invalid. Reason: {reason}."))
}

pub(super) fn missing(name: &str) -> ApiError {
    ApiError::bad("MissingParameter", format!("The request must contain the parameter {name}."))
}

pub(super) fn invalid_attribute_name(name: &str) -> ApiError {
    ApiError::bad("InvalidAttributeName", format!("Unknown Attribute {name}."))
}

pub(super) fn invalid_attribute_value(name: &str) -> ApiError {
    ApiError::bad("InvalidAttributeValue", format!("Invalid value for the parameter {name}."))
}

pub(super) fn invalid_contents() -> ApiError {
    ApiError::bad("InvalidMessageContents", "The message contains characters outside the allowed set.")
}

pub(super) fn empty_batch() -> ApiError {
    ApiError::bad("EmptyBatchRequest", "There should be at least one entry in the batch request.")
        .query("AWS.SimpleQueueService.EmptyBatchRequest")
}

pub(super) fn too_many_entries(count: usize) -> ApiError {
    ApiError::bad(
        "TooManyEntriesInBatchRequest",
        format!("Maximum number of entries per request are 10. You have sent {count}."),
    )
    .query("AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
}

pub(super) fn repeated_id(id: &str) -> ApiError {
    ApiError::bad("BatchEntryIdsNotDistinct", format!("Id {id} repeated."))
        .query("AWS.SimpleQueueService.BatchEntryIdsNotDistinct")
}

pub(super) fn invalid_entry_id() -> ApiError {
    ApiError::bad(
        "InvalidBatchEntryId",
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. \
         It can be at most 80 letters long.",
    )
    .query("AWS.SimpleQueueService.InvalidBatchEntryId")
}

pub(super) fn batch_too_long(limit: usize, sent: usize) -> ApiError {
    ApiError::bad(
        "BatchRequestTooLong",
        format!("Batch requests cannot be longer than {limit} bytes. You have sent {sent} bytes."),
    )
    .query("AWS.SimpleQueueService.BatchRequestTooLong")
}
