//! What the template promises, held against the code that runs under it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a template that can't be read fails every test")]

mod alarms;
mod encryption;
mod environment;
mod functions;
mod guard;
mod intrinsics;
mod payloads;
mod permissions;
mod queues;
mod routes;
mod stages;
mod statement;
mod tables;
mod template;
