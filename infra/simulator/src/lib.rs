//! trunkline-simulator.
