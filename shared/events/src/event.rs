//! An event that was received: what it says, and the bytes that say it.

use clock::Millis;
use tenant::TenantId;

use crate::{Envelope, Kind, Unreadable};

/// A received event. Its key says what makes two deliveries the same.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// See [`Envelope::key`].
    pub key: String,
    /// Whose event it is.
    pub tenant: TenantId,
    /// What it is about.
    pub kind: Kind,
    /// RingCentral's id of it.
    pub uuid: Option<String>,
    /// The subscription it came by.
    pub subscription_id: Option<String>,
    /// The filter that matched.
    pub event: String,
    /// RingCentral's time of it, as written.
    pub timestamp: Option<String>,
    /// When we received it.
    pub received_at: Millis,
    /// When we worked on it.
    pub processed_at: Millis,
    /// The call it belongs to and its place in it, if it says which.
    pub session: Option<(String, Option<i64>)>,
    /// The delivery, byte for byte. Everything but tenant and times is read from it.
    pub raw: String,
}

impl Event {
    /// Reads a delivery.
    ///
    /// # Errors
    /// [`Unreadable`] if it is no JSON object.
    pub fn read(
        tenant: TenantId,
        raw: String,
        received_at: Millis,
        processed_at: Millis,
    ) -> Result<Self, Unreadable> {
        let envelope = Envelope::read(&raw)?;
        let (key, session) = (envelope.key(&tenant, &raw), envelope.session());
        let Envelope { uuid, event, timestamp, subscription_id, kind, .. } = envelope;
        Ok(Self {
            key,
            tenant,
            kind,
            uuid,
            subscription_id,
            event,
            timestamp,
            received_at,
            processed_at,
            session,
            raw,
        })
    }
}

/// Without the delivery: it names people.
impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Event").field("key", &self.key).field("kind", &self.kind).finish_non_exhaustive()
    }
}
