//! trunkline-ringcentral.
