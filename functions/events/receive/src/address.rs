//! Where a delivery is addressed: the tenant and the subscription are in the path.

use events::SubscriptionKey;
use tenant::TenantId;

/// Under this path deliveries arrive: `/api/webhooks/events/{tenant}/{subscription key}`.
const BASE: &str = "/api/webhooks/events/";

/// Whose delivery it is.
pub(crate) struct Address {
    pub(crate) tenant: TenantId,
    pub(crate) subscription: SubscriptionKey,
}

impl Address {
    /// Reads a path; anything but a well-formed address is none.
    pub(crate) fn read(path: &str) -> Option<Self> {
        let (tenant, subscription) = path.strip_prefix(BASE)?.split_once('/')?;
        Some(Self { tenant: tenant.parse().ok()?, subscription: subscription.parse().ok()? })
    }
}
