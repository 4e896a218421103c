//! trunkline-telemetry.
