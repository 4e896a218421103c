//! trunkline-gate.
