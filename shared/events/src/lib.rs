//! trunkline-events.
