//! trunkline-tables.
