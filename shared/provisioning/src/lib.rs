//! trunkline-provisioning.
