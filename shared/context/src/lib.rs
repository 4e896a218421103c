//! The one place that wires real clients together. A function asks it for the ports it needs and for no others.
//!
//! Owns the configuration from the environment, the clients, and secrets with their cache. It must never hold a
//! rule of the domain.

mod aws;
mod config;
mod doors;
mod secrets;
mod tls;
mod wire;
mod wiring;

pub use config::{Config, ConfigError};
pub use doors::Service;
pub use secrets::Secrets;
pub use tls::TlsError;
pub use wire::{Wire, WireError};
pub use wiring::{Wiring, WiringError, tables};
