//! The whole gateway on one machine: every function in one process, an embedded AWS, a simulated RingCentral.
//!
//! Owns what Lambda, API Gateway and EventBridge do in a deployment: routing, event sources, first secrets. It must
//! never hold a rule of the domain, and no function may notice where it runs.

mod args;
mod cloud;
mod cloud_key;
mod cost;
mod credentials;
mod detached;
mod doctor;
mod event_source;
mod front;
mod gateway;
mod http_url;
mod prices;
mod run;
mod schedule;
mod settings;
mod stop;
mod tenants;
mod terminal;
mod token;

pub use args::{Args, Aws, Command, CommandLine, InvalidAws};
pub use cloud::{Cloud, CloudError, PREFIX, TENANT};
pub use cloud_key::KeyError;
pub use cost::{
    Cost, LOG_OF_A_BATCH, LOG_OF_API_GATEWAY, Line, WRITES_OF_A_BATCH, WRITES_OF_AN_EVENT, total,
};
pub use credentials::{CredentialsError, RingCentralAccess};
pub use doctor::{Finding, Verdict, doctor};
pub use event_source::{DISPATCH_TIMEOUT, EventSource, VISIBILITY_SECONDS};
pub use gateway::Gateway;
pub use http_url::{HttpUrl, InvalidUrl};
pub use run::{RunError, run};
pub use schedule::{InvalidRate, Rate, Schedule};
pub use tenants::{NewTenant, TenantError};
pub use terminal::Terminal;
pub use token::{Token, TokenError};
