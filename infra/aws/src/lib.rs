//! trunkline-embedded-aws.
