//! events-dispatch.
