//! Who may use a port that listens on loopback and hands out secrets or takes orders.
//!
//! A port on 127.0.0.1 is open to every process of the machine, and by DNS rebinding to every page in a browser on it. This crate
//! owns the answer to both: a guard that looks at `Host` and `Origin`, a random key, and the file that only its owner can read.
//! It must never print a key, and never say which part of a key was wrong.

mod file;
mod guard;
mod key;

pub use file::{private_folder, write_private};
pub use guard::{Guard, Refusal};
pub use key::{InvalidKey, Key};
