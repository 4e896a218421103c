//! events-receive.
