//! The face of the API: who may ask, what was asked, how we answer.
//!
//! Owns the bearer check and its roles, problem documents, request ids, `Idempotency-Key`, body limits, query
//! fields, and what the OpenAPI description says about them. It must never call RingCentral, and nothing
//! below this crate may know HTTP.

mod access;
mod body;
mod deadline;
mod face;
mod fields;
mod handlers;
mod idempotency;
mod jwt;
mod object;
mod observe;
pub mod openapi;
mod problem;
mod refused;
mod segment;
mod tokens;
mod tree;
mod upstream;
mod violations;

pub use access::{Access, Admin, Caller, Open, Operator, Role, Viewer};
pub use body::{Accept, Body, Draft, Optional};
pub use face::{BODY_LIMIT, Face};
pub use fields::Fields;
pub use idempotency::{
    Attempt, Begun, Earlier, Fate, Idempotency, IdempotencyError, IdempotencyKey, IdempotencyStore, Instead,
    StoredAnswer, Wish, fate,
};
pub use object::Object;
pub use observe::request_id;
pub use problem::{FieldError, Problem, Type};
pub use refused::Refused;
pub use segment::Segment;
pub use tokens::{Claims, TokenKeySource, TokenKeys, TokenKeysError};
pub use violations::Violations;
