//! DynamoDB: one module for each table, typed items, conditional writes.
//!
//! The only crate that sees an `AttributeValue`. It implements the ports of the crates above it and must never
//! decide anything that is theirs: when to retry, what a state means, whether a caller may.

mod client;
mod events;
mod packed;
mod requests;
mod schema;
mod stamps;
mod tokens;
mod windows;

pub use client::{TableError, Tables};
pub use events::EventTable;
pub use requests::RequestTable;
pub use schema::{SCHEMA, TableSchema};
pub use stamps::client;
pub use tokens::TokenTable;
pub use windows::WindowTable;
