//! The gate of one process: its last known windows, and waiters joined into one write.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use clock::{Millis, SharedClock};

use crate::{
    Bucket, Cause, GateError, Group, Priority, Reservation, StoreError, Window, WindowStore,
    turnstile::{Learned, Turnstile, Wish},
};

/// The furthest ahead a slot is asked for because the store is slow (milliseconds).
const LEAD: Millis = 5_000;

/// How long a caller can wait for its slot (milliseconds).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience(pub Millis);

/// When the circuit opens, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Failures in a row that open it.
    pub threshold: u32,
    /// How long it stays open (milliseconds).
    pub cool_down: Millis,
}

impl Default for Policy {
    fn default() -> Self {
        Self { threshold: 5, cool_down: 60_000 }
    }
}

/// The right to send one request of a bucket now. Settle it with what the answer said.
#[derive(Debug)]
#[must_use = "a permit is used at once or thrown away"]
pub struct Permit {
    bucket: Bucket,
    granted: Millis,
    probe: bool,
}

impl Permit {
    /// The instant the slot was granted for, milliseconds since the epoch.
    #[must_use]
    pub fn granted(&self) -> Millis {
        self.granted
    }
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outcome {
    /// RingCentral answered.
    #[default]
    Answered,
    /// RingCentral failed, or no answer came.
    Failed,
    /// RingCentral could not be reached: the request was never sent, and its slot is free again.
    Unsent,
    /// RingCentral answered 429; nobody may ask for this long (milliseconds).
    Throttled(Millis),
}

/// What an answer says about the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Notice {
    /// What came of the request.
    pub outcome: Outcome,
    /// `X-Rate-Limit-Limit` and `X-Rate-Limit-Window` (as milliseconds), when both came.
    pub announced: Option<(u32, Millis)>,
    /// `X-Rate-Limit-Remaining`.
    pub remaining: Option<u32>,
}

/// The gate. Cheap to clone; clones share what they know.
#[derive(Clone)]
pub struct Gate {
    store: Arc<dyn WindowStore>,
    clock: SharedClock,
    policy: Policy,
    turnstiles: Arc<Mutex<HashMap<Bucket, Arc<Turnstile>>>>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Gate {
    /// A gate over a store, with nothing known yet.
    #[must_use]
    pub fn new(store: Arc<dyn WindowStore>, clock: SharedClock, policy: Policy) -> Self {
        Self { store, clock, policy, turnstiles: Arc::default() }
    }

    /// Waits for a slot and returns the right to send, or says when to come back.
    ///
    /// # Errors
    /// [`GateError::Later`] if the slot opens after `patience`: nothing was taken. [`GateError::Store`] if the windows can't be
    /// read or written: a slot that was taken before is lost for one window.
    pub async fn pass(
        &self,
        bucket: &Bucket,
        priority: Priority,
        patience: Patience,
    ) -> Result<Permit, GateError> {
        let deadline = self.clock.now() + patience.0;
        let turnstile = self.turnstile(bucket);
        let mut wish = Wish { priority, deadline, give_back: None, lead: 0 };
        let mut looked = false;
        loop {
            let reservation = turnstile.reserve(&*self.store, &self.clock, bucket, wish).await?;
            wish.give_back = None;
            let (granted, probe) = match reservation {
                Reservation::Go { at, probe } => (at, probe),
                Reservation::Later { at, .. } if at <= deadline => {
                    self.clock.sleep_until(at).await;
                    continue;
                }
                // Another process may have brought the probe home: nobody is sent away by what was true a while ago.
                Reservation::Later { .. } if !looked && turnstile.awaits_probe(self.clock.now()).await => {
                    turnstile.refresh(&*self.store, bucket).await?;
                    looked = true;
                    continue;
                }
                Reservation::Later { at, cause } => {
                    return Err(GateError::Later { at, group: bucket.group.clone(), cause });
                }
            };
            let slept = granted > self.clock.now();
            self.clock.sleep_until(granted).await;
            // Whoever slept looks again: a penalty or a correction may have voided its slot meanwhile.
            let (holds, pad) = turnstile.look(&*self.store, bucket, granted, slept).await?;
            // A container that was frozen is late: what was granted then may not be used now. Half of the pad is the way's.
            let late = self.clock.now() - granted;
            if holds && late <= pad / 2 {
                return Ok(Permit { bucket: bucket.clone(), granted, probe });
            }
            // A store that is slower than half of the pad would make every slot late: ask for one that lies ahead.
            wish = Wish { give_back: Some((granted, probe)), lead: (2 * late).clamp(wish.lead, LEAD), ..wish };
        }
    }

    /// Takes over what an answer said. Costs a write only for what others must know at once: a limit that is new, a penalty,
    /// a failure, the end of either, or an arrival later than the pad covers. All else rides on the next reservation.
    ///
    /// # Errors
    /// [`GateError::Store`] if that could not be written.
    pub async fn settle(&self, permit: Permit, notice: Notice) -> Result<(), GateError> {
        let arrived = self.clock.now();
        let turnstile = self.turnstile(&permit.bucket);
        let known = turnstile.known().await;
        let late = notice.outcome != Outcome::Unsent && arrived - permit.granted > known.pad;
        turnstile.learn(Learned::of(permit.granted, late.then_some(arrived), notice));
        let recovered = permit.probe || known.failures > 0;
        let news = notice.announced.is_some_and(|(limit, length)| known.is_news(limit, length));
        if notice.outcome == Outcome::Answered && !late && !recovered && !news {
            return Ok(());
        }
        turnstile
            .write(&*self.store, &permit.bucket, |window| {
                if notice.outcome == Outcome::Unsent {
                    window.release(permit.granted, false);
                }
                match notice.outcome {
                    Outcome::Answered => window.succeed(permit.probe),
                    Outcome::Failed | Outcome::Unsent => window.fail(arrived, permit.probe, self.policy),
                    Outcome::Throttled(penalty) => window.block(arrived + penalty.max(1), Cause::Penalty),
                }
            })
            .await
    }

    /// Stops every bucket of this identity: a 429 that named no user's window is the whole account's.
    ///
    /// # Errors
    /// [`GateError::Store`] if a block could not be written.
    pub async fn block_account(&self, bucket: &Bucket, penalty: Millis) -> Result<(), GateError> {
        let until = self.clock.now() + penalty.max(1);
        for group in ["light", "medium", "heavy", "auth", bucket.group.as_str()] {
            let bucket = Bucket { group: Group::named(group), ..bucket.clone() };
            let turnstile = self.turnstile(&bucket);
            turnstile.write(&*self.store, &bucket, |window| window.block(until, Cause::Penalty)).await?;
        }
        Ok(())
    }

    /// The window of a bucket as it is stored now.
    ///
    /// # Errors
    /// [`StoreError`] if it can't be read.
    pub async fn window(&self, bucket: &Bucket) -> Result<Window, StoreError> {
        Ok(self.store.read(bucket).await?.unwrap_or_else(|| Window::unused(&bucket.group)))
    }

    /// The window of a bucket as this process last saw it: no request is made for it.
    pub async fn last_seen(&self, bucket: &Bucket) -> Window {
        self.turnstile(bucket).seen().await
    }

    fn turnstile(&self, bucket: &Bucket) -> Arc<Turnstile> {
        let mut turnstiles = self.turnstiles.lock().unwrap_or_else(PoisonError::into_inner);
        turnstiles.entry(bucket.clone()).or_insert_with(|| Arc::new(Turnstile::new(&bucket.group))).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryWindows;

    fn bucket() -> Bucket {
        let tenant = "acme".parse().unwrap();
        Bucket { tenant, identity: "app".to_owned(), group: Group::named("Auth") }
    }

    fn gate(policy: Policy) -> Gate {
        Gate::new(Arc::new(MemoryWindows::default()), Arc::new(clock::Manual::at(1_000_000)), policy)
    }

    #[tokio::test]
    async fn regression_requests_that_were_never_sent_cost_nothing_of_the_budget() {
        let gate = gate(Policy { threshold: u32::MAX, ..Policy::default() });
        for _ in 0..30 {
            let permit = gate.pass(&bucket(), Priority::Interactive, Patience(0)).await.unwrap();
            gate.settle(permit, Notice { outcome: Outcome::Unsent, ..Notice::default() }).await.unwrap();
        }
        assert_eq!(gate.window(&bucket()).await.unwrap().remaining(1_000_000), 5);
    }

    #[tokio::test]
    async fn an_uncontended_pass_is_one_write_and_settling_it_is_none() {
        let gate = gate(Policy::default());
        for version in 1..=5 {
            let permit = gate.pass(&bucket(), Priority::Interactive, Patience(0)).await.unwrap();
            gate.settle(permit, Notice::default()).await.unwrap();
            assert_eq!(gate.window(&bucket()).await.unwrap().version, version);
        }
        let full = gate.pass(&bucket(), Priority::Interactive, Patience(0)).await.unwrap_err();
        assert!(matches!(full, GateError::Later { at: 1_060_500, .. }), "{full:?}");
    }

    #[tokio::test]
    async fn regression_a_probe_that_succeeded_elsewhere_is_heard_of() {
        let (store, clock) = (Arc::new(MemoryWindows::default()), clock::Manual::at(1_000_000));
        let gate =
            || Gate::new(store.clone(), Arc::new(clock.clone()), Policy { threshold: 1, cool_down: 3_000 });
        let (one, other) = (gate(), gate());
        let failed = Notice { outcome: Outcome::Failed, ..Notice::default() };
        let permit = one.pass(&bucket(), Priority::Interactive, Patience(0)).await.unwrap();
        one.settle(permit, failed).await.unwrap();
        clock.advance(3_000);
        let probe = one.pass(&bucket(), Priority::Interactive, Patience(0)).await.unwrap();
        // Twice: whoever has just lost a race reads the window anyway, and would hear of the probe by that.
        for _ in 0..2 {
            let waits = other.pass(&bucket(), Priority::Interactive, Patience(0)).await.unwrap_err();
            assert!(matches!(waits, GateError::Later { cause: Cause::Breaker, .. }), "{waits:?}");
        }
        one.settle(probe, Notice::default()).await.unwrap();
        assert!(other.pass(&bucket(), Priority::Interactive, Patience(0)).await.is_ok());
    }

    #[tokio::test]
    async fn regression_a_new_limit_is_stored_before_anybody_asks_again() {
        let gate = gate(Policy::default());
        let permit = gate.pass(&bucket(), Priority::Interactive, Patience(0)).await.unwrap();
        let heard = Notice { announced: Some((2, 30_000)), ..Notice::default() };
        gate.settle(permit, heard).await.unwrap();
        let stored = gate.window(&bucket()).await.unwrap();
        assert_eq!((stored.limit, stored.length), (2, 30_000));
    }

    /// A store whose every write takes this long.
    struct Slow(MemoryWindows, clock::Manual, Millis);

    #[async_trait::async_trait]
    impl WindowStore for Slow {
        async fn read(&self, bucket: &Bucket) -> Result<Option<Window>, StoreError> {
            self.0.read(bucket).await
        }

        async fn write(
            &self,
            bucket: &Bucket,
            expected: u64,
            next: &Window,
        ) -> Result<crate::Written, StoreError> {
            self.1.advance(self.2);
            self.0.write(bucket, expected, next).await
        }
    }

    #[tokio::test]
    async fn regression_a_probe_that_came_too_late_is_tried_again_at_once() {
        let clock = clock::Manual::eager(1_000_000);
        let store = Arc::new(Slow(MemoryWindows::default(), clock.clone(), 900));
        let gate = Gate::new(store, Arc::new(clock.clone()), Policy { threshold: 1, cool_down: 3_000 });
        let permit = gate.pass(&bucket(), Priority::Interactive, Patience(5_000)).await.unwrap();
        gate.settle(permit, Notice { outcome: Outcome::Failed, ..Notice::default() }).await.unwrap();
        clock.advance(3_000);
        let probe = gate.pass(&bucket(), Priority::Interactive, Patience(5_000)).await.unwrap();
        gate.settle(probe, Notice::default()).await.unwrap();
        assert_eq!(gate.window(&bucket()).await.unwrap().probation, crate::Probation::Over);
    }

    #[tokio::test]
    async fn regression_a_store_slower_than_the_pad_does_not_make_every_slot_late() {
        let clock = clock::Manual::eager(1_000_000);
        let store = Arc::new(Slow(MemoryWindows::default(), clock.clone(), 900));
        let gate = Gate::new(store, Arc::new(clock.clone()), Policy::default());
        for _ in 0..3 {
            let before = clock::Clock::now(&clock);
            let permit = gate.pass(&bucket(), Priority::Interactive, Patience(5_000)).await.unwrap();
            assert!(clock::Clock::now(&clock) - before <= 4_000);
            assert!(clock::Clock::now(&clock) - permit.granted() <= 250);
        }
    }
}
