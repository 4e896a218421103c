//! The client of RingCentral's platform: session, gate, retry, operations, models, pages.
//!
//! The only crate that opens a connection to RingCentral, and every call goes one way:
//! operation → gate → session → send → classify. It must never guess an operation's throttling
//! group, send without a permit, or print a secret.

mod answer;
mod attempt;
mod client;
mod credentials;
mod error;
mod groups;
pub mod models;
pub mod operations;
mod pages;
mod renewal;
mod request;
mod retry;
mod session;
mod token;

pub use answer::Answer;
pub use client::{RingCentral, Settings};
pub use credentials::{CredentialSource, Credentials, CredentialsError};
pub use error::{CallError, Reach, Rejection};
pub use operations::Operation;
pub use pages::{Link, Page, records};
pub use renewal::{LONGEST_LIFE, renewal};
pub use request::Request;
pub use retry::RetryPolicy;
pub use session::{Session, Strikes};
pub use token::{
    Bid, Claim, Doubt, HttpEndpoint, MemoryTokens, NoReply, Refusal, TokenEndpoint, TokenError, TokenRecord,
    TokenReply, TokenState, TokenStore, TokenStoreError,
};
