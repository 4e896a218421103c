//! trunkline.
