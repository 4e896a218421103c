//! trunkline-tests.
