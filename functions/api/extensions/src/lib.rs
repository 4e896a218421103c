//! api-extensions.
