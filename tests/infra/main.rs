//! What the template promises, held against the code that runs under it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a template that can't be read fails every test")]

mod alarms;
mod authorizer;
mod broken;
mod capabilities;
mod complaints;
mod dashboards;
mod encryption;
mod environment;
mod functions;
mod guard;
mod hostile;
mod intrinsics;
mod payloads;
mod permissions;
mod playbook;
mod ports;
mod queues;
mod roles;
mod routes;
mod schedules;
mod stages;
mod statement;
mod tables;
mod template;
mod urls;
