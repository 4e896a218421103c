//! api-docs.
