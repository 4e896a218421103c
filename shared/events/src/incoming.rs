//! A delivery as it was received: what the queue carries from the receiver to the dispatcher.

use clock::Millis;
use tenant::TenantId;

/// A webhook delivery whose token was right. The body is untouched.
#[derive(Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Whose event it is.
    pub tenant: TenantId,
    /// When it was received, milliseconds since the epoch.
    pub received_at: Millis,
    /// The request that brought it, for the logs.
    pub request_id: String,
    /// The body as received: JSON text.
    pub body: String,
}

/// Without the body: it names people.
impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming")
            .field("tenant", &self.tenant)
            .field("received_at", &self.received_at)
            .field("request_id", &self.request_id)
            .field("bytes", &self.body.len())
            .finish()
    }
}
