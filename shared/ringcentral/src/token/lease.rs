//! The right to ask RingCentral for everybody. It is short and renewed while it is used, so that whoever dies with it does
//! not hold the others up for long; and nobody takes it from its holder while that may still believe to have it.

use std::{
    convert::Infallible,
    pin::pin,
    sync::atomic::{AtomicI64, Ordering},
};

use clock::{Bounded, Millis};
use futures::future::{Either, pending, select};
use uuid::Uuid;

use crate::{Bid, Claim, Refusal, TokenRecord, TokenStore, TokenStoreError};

/// How long a lease lasts unless it is renewed (milliseconds): time for two renewals at a store that answers as late as it may.
const LEASE: Millis = 6_000;
/// How often it is renewed (milliseconds).
const RENEWAL: Millis = 2_000;
/// How soon a write that failed is tried again (milliseconds).
const AGAIN: Millis = 100;

/// A lease on the token of one (tenant, app, user).
pub(crate) struct Lease<'a> {
    store: &'a dyn TokenStore,
    clock: &'a Bounded,
    key: &'a str,
    owner: String,
    /// The generation that is to be replaced.
    seen: u64,
    /// By the store's time.
    until: AtomicI64,
}

impl<'a> Lease<'a> {
    /// A lease that is not held yet.
    pub(crate) fn new(store: &'a dyn TokenStore, clock: &'a Bounded, key: &'a str, seen: u64) -> Self {
        let owner = Uuid::new_v4().to_string();
        Self { store, clock, key, owner, seen, until: AtomicI64::new(Millis::MIN) }
    }

    /// Takes the lease, if it is free for certain.
    pub(crate) async fn claim(&self, version: Millis) -> Result<Claim, TokenStoreError> {
        let now = self.clock.now();
        let until = now.latest + LEASE;
        let bid = Bid { owner: &self.owner, seen: self.seen, version, now: now.earliest, until };
        let claim = self.store.claim(self.key, &bid).await?;
        if matches!(claim, Claim::Granted { .. }) {
            self.until.store(until, Ordering::Relaxed);
        }
        Ok(claim)
    }

    /// Certainly nobody else has it.
    pub(crate) fn holds(&self) -> bool {
        self.clock.now().latest < self.until.load(Ordering::Relaxed)
    }

    /// Renews the lease until `work` is done.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        match select(pin!(work), pin!(self.renewals())).await {
            Either::Left((done, _)) => done,
            Either::Right((never, _)) => match never {},
        }
    }

    async fn renewals(&self) -> Infallible {
        let clock = self.clock.clock();
        let mut at = clock.now() + RENEWAL;
        loop {
            clock.sleep_until(at).await;
            at = clock.now() + RENEWAL;
            let until = self.clock.now().latest + LEASE;
            match self.store.renew(self.key, &self.owner, until).await {
                Ok(true) => self.until.store(until, Ordering::Relaxed),
                // Somebody else has it.
                Ok(false) => {
                    self.until.store(Millis::MIN, Ordering::Relaxed);
                    pending().await
                }
                Err(_) => at = clock.now() + AGAIN,
            }
        }
    }

    /// Stores the new token and gives the lease back; false if others may not have it. A token that nobody hears of costs
    /// another request, so a store that fails is asked again.
    pub(crate) async fn publish(&self, token: &TokenRecord) -> bool {
        loop {
            match self.store.publish(self.key, &self.owner, token).await {
                Ok(published) => return published,
                Err(error) if !self.again().await => {
                    telemetry::failed(&error);
                    return false;
                }
                Err(_) => {}
            }
        }
    }

    /// Remembers for everybody that RingCentral refuses the credentials. That keeps them from asking, so the lease may end by itself.
    pub(crate) async fn refuse(&self, refusal: &Refusal) {
        while let Err(error) = self.store.refuse(self.key, self.seen, refusal).await {
            if !self.again().await {
                return telemetry::failed(&error);
            }
        }
    }

    /// Gives the lease back without a token.
    pub(crate) async fn release(&self) {
        if let Err(error) = self.store.release(self.key, &self.owner).await {
            telemetry::failed(&error);
        }
    }

    /// Waits a little; false if the lease is over.
    async fn again(&self) -> bool {
        let clock = self.clock.clock();
        clock.sleep_until(clock.now() + AGAIN).await;
        self.holds()
    }
}
