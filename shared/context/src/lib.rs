//! trunkline-context.
