//! trunkline-queues.
