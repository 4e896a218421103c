//! api-subscriptions.
