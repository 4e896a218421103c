//! One delivery, processed: at most once where it has an effect, however often it is delivered.

use std::sync::Arc;

use clock::{Millis, SharedClock};
use uuid::Uuid;

use crate::{
    Begun, Envelope, Event, EventStore, EventStoreError, Incoming, Kind, TelephonySession,
    envelope::Unreadable,
};

/// How often two events of one call may cross before the delivery goes back to the queue.
const CROSSINGS: usize = 8;

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Processed {
    /// Its effects are applied, for the first and only time.
    Applied(Kind),
    /// It had been applied before.
    Duplicate,
}

/// Why a delivery has to be looked at again.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// It will never be readable: no use in trying again.
    #[error("the delivery can't be read")]
    Unreadable(#[from] Unreadable),
    /// Another container is at the same event: try when its lease has ended.
    #[error("another container processes this event until {until} ms")]
    Busy {
        /// When its lease ends.
        until: Millis,
    },
    /// The store failed: try again.
    #[error(transparent)]
    Store(#[from] EventStoreError),
}

impl ProcessError {
    /// Trying again can't help.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Unreadable(_))
    }
}

/// Processes deliveries.
#[derive(Clone)]
pub struct Processor {
    store: Arc<dyn EventStore>,
    clock: SharedClock,
    owner: Arc<str>,
}

impl std::fmt::Debug for Processor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Processor").field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl Processor {
    /// A processor over a store.
    #[must_use]
    pub fn new(store: Arc<dyn EventStore>, clock: SharedClock) -> Self {
        Self { store, clock, owner: Uuid::new_v4().to_string().into() }
    }

    /// Processes one delivery. The lease on its event ends with the invocation, at `deadline`, so that a container
    /// that dies in the middle keeps nobody waiting longer than it could have worked itself.
    ///
    /// # Errors
    /// [`ProcessError`]; nothing is applied then, or it was lost with the lease and will be a duplicate.
    pub async fn process(&self, incoming: &Incoming, deadline: Millis) -> Result<Processed, ProcessError> {
        let envelope = Envelope::read(&incoming.body)?;
        let key = envelope.key(&incoming.tenant, &incoming.body);
        match self.store.begin(&key, &self.owner, self.clock.now(), deadline).await? {
            Begun::Yes => {}
            Begun::Done => return Ok(Processed::Duplicate),
            Begun::Busy { until } => return Err(ProcessError::Busy { until }),
        }
        let mut crossings = 0;
        loop {
            let session = self.folded(incoming, &envelope).await?;
            let event = self.event(incoming, &envelope, key.clone());
            match self.store.complete(&self.owner, &event, session.as_ref()).await {
                Ok(()) => return Ok(Processed::Applied(envelope.kind)),
                Err(EventStoreError::SessionChanged) if crossings < CROSSINGS => crossings += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn folded(
        &self,
        incoming: &Incoming,
        envelope: &Envelope,
    ) -> Result<Option<TelephonySession>, EventStoreError> {
        let Some((id, _)) = envelope.session() else { return Ok(None) };
        let known = self.store.session(&incoming.tenant, id).await?;
        let mut session =
            known.unwrap_or_else(|| TelephonySession::new(incoming.tenant.clone(), id.to_owned()));
        session.fold(envelope);
        session.version += 1;
        Ok(Some(session))
    }

    fn event(&self, incoming: &Incoming, envelope: &Envelope, key: String) -> Event {
        Event {
            key,
            tenant: incoming.tenant.clone(),
            kind: envelope.kind,
            uuid: envelope.uuid.clone(),
            subscription_id: envelope.subscription_id.clone(),
            event: envelope.event.clone(),
            timestamp: envelope.timestamp.clone(),
            received_at: incoming.received_at,
            processed_at: self.clock.now(),
            session: envelope.session().map(|(id, sequence)| (id.to_owned(), sequence)),
            raw: incoming.body.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clock::Manual;

    use super::*;
    use crate::MemoryEvents;

    fn delivery(uuid: &str, sequence: i64) -> Incoming {
        let body = serde_json::json!({
            "uuid": uuid, "subscriptionId": "sub", "event": "/restapi/v1.0/account/1/telephony/sessions",
            "body": {"telephonySessionId": "call", "sequence": sequence, "parties": [{"id": "p", "status": {"code": "Answered"}}]}
        });
        Incoming {
            tenant: "acme".parse().unwrap(),
            received_at: 7,
            request_id: "r".to_owned(),
            body: body.to_string(),
        }
    }

    #[tokio::test]
    async fn a_delivery_that_comes_twice_is_applied_once() {
        let store = Arc::new(MemoryEvents::default());
        let processor = Processor::new(store.clone(), Arc::new(Manual::at(10)));
        let first = processor.process(&delivery("u1", 2), 1_000).await.unwrap();
        assert_eq!(first, Processed::Applied(Kind::TelephonySession));
        assert_eq!(processor.process(&delivery("u1", 2), 1_000).await.unwrap(), Processed::Duplicate);
        processor.process(&delivery("u2", 1), 1_000).await.unwrap();
        let session = store.session(&"acme".parse().unwrap(), "call").await.unwrap().unwrap();
        assert_eq!((session.events_applied, session.events_late, session.sequence), (2, 1, 2));
    }

    #[tokio::test]
    async fn an_event_whose_container_died_is_taken_over_when_its_lease_has_ended() {
        let store = Arc::new(MemoryEvents::default());
        let clock = Manual::at(10);
        let incoming = delivery("u1", 1);
        let key = Envelope::read(&incoming.body).unwrap().key(&incoming.tenant, &incoming.body);
        store.begin(&key, "the dead one", 10, 500).await.unwrap();
        let processor = Processor::new(store, Arc::new(clock.clone()));
        let busy = processor.process(&delivery("u1", 1), 1_000).await.unwrap_err();
        assert!(matches!(busy, ProcessError::Busy { until: 500 }));
        clock.advance(490);
        let taken = processor.process(&delivery("u1", 1), 2_000).await.unwrap();
        assert_eq!(taken, Processed::Applied(Kind::TelephonySession));
    }

    #[tokio::test]
    async fn what_can_not_be_read_is_permanent() {
        let processor = Processor::new(Arc::new(MemoryEvents::default()), Arc::new(Manual::at(0)));
        let incoming = Incoming { body: "[]".to_owned(), ..delivery("u", 1) };
        assert!(processor.process(&incoming, 1).await.unwrap_err().is_permanent());
    }
}
