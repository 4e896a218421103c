//! An AWS on loopback, in this process: DynamoDB, SQS and Secrets Manager behind one URL.
//!
//! It owns the endpoint, the files it keeps in the data folder, a clock that tests step by hand, and a
//! switchboard of faults. It speaks the JSON protocols of AWS, so the `aws-sdk-*` clients work unchanged once
//! `AWS_ENDPOINT_URL` points here; nothing that runs against it may know that it is local.
//!
//! It lets in whoever has its key, as AWS lets in whoever has an access key: the key lies in the data folder, for its owner alone,
//! and takes the place of the access key id. It must never listen beyond loopback, answer a request that was meant for another
//! host, check signatures, or write a secret or a message body to a log.
//!
//! # What survives
//!
//! Everything acknowledged survives a `kill -9`: the answer leaves after SQLite has committed to its
//! write-ahead log, and a dead process does not lose what the kernel already holds. Queues and tables use
//! `synchronous=NORMAL`: a power cut may take the last moments but never corrupts a file. That is the right
//! trade on one machine, where an `fsync` per message costs more than the rest of the send. Secrets change
//! rarely and hurt to lose, so they use `synchronous=FULL`.

mod clock;
mod dynamodb;
mod embedded;
mod endpoint;
mod faults;
mod folder;
mod reply;
mod secrets;
mod sqs;
mod stats;
mod store;

pub use clock::Clock;
pub use embedded::{EmbeddedAws, Options, StartError};
pub use faults::{Fault, Faults};
pub use folder::{ACCESS_KEY_FILE, look_at};
pub use stats::Stats;

/// The account every ARN and queue URL names.
pub const ACCOUNT: &str = "000000000000";

/// The region every ARN names.
pub const REGION: &str = "us-east-1";
