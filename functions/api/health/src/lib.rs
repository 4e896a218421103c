//! api-health.
