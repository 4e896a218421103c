//! The gate of one process: its last known windows, and waiters joined into one write.

mod adopt;
mod stop;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use clock::{Bounded, Millis};
use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};

use crate::{
    Booking, Bucket, Cause, GateError, Grant, Group, Priority, Reservation, Slot, StoreError, Window,
    WindowStore,
    learned::Learned,
    turnstile::{Taken, Turnstile, Wish},
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
    slot: Slot,
    probe: bool,
    priority: Priority,
}

impl Permit {
    /// The group whose budget it takes from.
    #[must_use]
    pub fn group(&self) -> &Group {
        &self.bucket.group
    }

    /// The instant the slot was granted for, milliseconds since the epoch.
    #[must_use]
    pub fn granted(&self) -> Millis {
        self.slot.at
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
    clock: Bounded,
    policy: Policy,
    dice: Arc<Mutex<Xoshiro256PlusPlus>>,
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
    pub fn new(store: Arc<dyn WindowStore>, clock: Bounded, policy: Policy) -> Self {
        Self {
            store,
            clock,
            policy,
            dice: Arc::new(Mutex::new(rand::make_rng())),
            turnstiles: Arc::default(),
        }
    }

    /// The same gate with this seed for its pauses, so that a simulated fleet can be replayed.
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self { dice: Arc::new(Mutex::new(Xoshiro256PlusPlus::seed_from_u64(seed))), ..self }
    }

    /// Waits for a slot and returns the right to send, or says when to come back.
    ///
    /// No slot after `patience` is taken. What the store takes comes on top, and in a crowd up to a 60th of the window for each race that
    /// was lost. A store that takes longer than half of the pad serves nobody who has to sleep.
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
        let wish = self.wish(priority, 1, patience);
        self.pass_with(bucket, wish).await
    }

    /// Takes up to `count` slots that open within `patience`, in one write: at least one, and less than `count` if the
    /// others open later.
    ///
    /// # Errors
    /// Those of [`Gate::pass`].
    pub async fn book(
        &self,
        bucket: &Bucket,
        priority: Priority,
        count: usize,
        patience: Patience,
    ) -> Result<Booking, GateError> {
        let wish = self.wish(priority, count, patience);
        let (bucket, taken) = self.take(bucket, wish).await?;
        Ok(Booking::new(self.clone(), bucket, wish, taken))
    }

    fn wish(&self, priority: Priority, count: usize, patience: Patience) -> Wish {
        let deadline = self.clock.now().earliest + patience.0;
        Wish { priority, count, deadline, give_back: None, lead: 0 }
    }

    /// Passes one request, whatever the wish's count.
    pub(crate) async fn pass_with(&self, bucket: &Bucket, wish: Wish) -> Result<Permit, GateError> {
        let mut wish = Wish { count: 1, ..wish };
        loop {
            let (bucket, taken) = self.take(bucket, wish).await?;
            for taken in taken {
                match self.redeem(&bucket, wish, taken).await? {
                    Ok(permit) => return Ok(permit),
                    Err(again) => wish = again,
                }
            }
        }
    }

    /// Takes slots of a bucket, or of the one it has become, or says when the first of them opens.
    async fn take(&self, bucket: &Bucket, mut wish: Wish) -> Result<(Bucket, Vec<Taken>), GateError> {
        let mut looked = false;
        loop {
            let bucket = self.follow(bucket).await?;
            let turnstile = self.turnstile(&bucket);
            let reservations = turnstile.reserve(wish).await?;
            let (at, cause) = match reservations.first().copied() {
                // It was closed while this process asked for it.
                Some(Reservation::Closed) if self.resolve(&bucket) != bucket => continue,
                Some(Reservation::Closed) => (self.now() + turnstile.known().length, Cause::Window),
                Some(Reservation::Later { at, cause }) => (at, cause),
                Some(Reservation::Go { .. }) | None => {
                    return Ok((bucket, reservations.into_iter().filter_map(Taken::of).collect()));
                }
            };
            wish.give_back = None;
            if at <= wish.deadline {
                self.clock.sleep_until(at).await;
                turnstile.refresh().await?;
            } else if !looked && turnstile.is_doubtful() {
                // Nobody is sent away by what was true a while ago.
                turnstile.refresh().await?;
                looked = true;
            } else {
                let at = self.clock.local(turnstile.back_at(at, cause, wish.priority));
                return Err(GateError::Later { at, group: bucket.group.clone(), cause });
            }
        }
    }

    /// Waits for a taken slot and returns the right to send; if it may not be used any more, the wish for another one.
    pub(crate) async fn redeem(
        &self,
        bucket: &Bucket,
        wish: Wish,
        Taken { slot, until, probe }: Taken,
    ) -> Result<Result<Permit, Wish>, GateError> {
        let slept = slot.at > self.clock.now().earliest;
        self.clock.sleep_until(slot.at).await;
        // Whoever slept looks again: a penalty or a correction may have voided its slot meanwhile.
        let until = if slept { self.look(bucket, slot).await? } else { Some(until) };
        // A container that was frozen is late: what was granted then may not be used now. Nor may it after a 429 that came since.
        let now = self.clock.now();
        let until = until.filter(|_| !self.is_stopped(bucket, now.latest));
        if until.is_some_and(|until| now.latest <= until) {
            return Ok(Ok(Permit { bucket: bucket.clone(), slot, probe, priority: wish.priority }));
        }
        // A store that is slower than that would make every slot late: ask for one that lies ahead.
        let late = now.earliest - slot.at;
        Ok(Err(Wish { give_back: Some((slot, probe)), lead: (2 * late).clamp(wish.lead, LEAD), ..wish }))
    }

    /// Takes over what an answer said. Costs a write only for what others must know at once: a limit that is new, a penalty,
    /// a failure, the end of either, an arrival later than the pad covers, other tools that were not known. All else rides on the next reservation.
    ///
    /// # Errors
    /// [`GateError::Store`] if that could not be written. What was learned is kept: this process goes by it, and its next
    /// write takes it along.
    pub async fn settle(&self, permit: Permit, notice: Notice) -> Result<(), GateError> {
        self.settle_with(permit, notice, Learned::default()).await
    }

    async fn settle_with(&self, permit: Permit, notice: Notice, more: Learned) -> Result<(), GateError> {
        let Permit { bucket: granted, slot, probe, .. } = permit;
        let bucket = self.resolve(&granted);
        let arrived = self.clock.now().latest;
        let turnstile = self.turnstile(&bucket);
        let known = turnstile.known();
        let mut news = more;
        news.add(Learned::of(&known, slot, arrived, probe, &notice));
        let urgent = news.is_urgent(&known);
        self.learn_late(&granted, &bucket, &news);
        turnstile.learn(news.clone());
        let recovered = probe || known.failures > 0;
        if notice.outcome == Outcome::Answered && !recovered && !urgent {
            return Ok(());
        }
        let settle = |window: &mut Window| {
            if notice.outcome == Outcome::Unsent {
                window.release(slot, false);
            }
            match notice.outcome {
                Outcome::Answered => window.succeed(probe),
                Outcome::Failed | Outcome::Unsent => window.fail(arrived, probe, self.policy),
                // It was learned, so that it is not forgotten if it can't be written.
                Outcome::Throttled(_) => {}
            }
        };
        self.change(&granted, &news, settle).await
    }

    /// Gives back a permit whose request is not sent after all. That says nothing of RingCentral: a probe goes to somebody else.
    ///
    /// # Errors
    /// [`GateError::Store`] if it can't be written; then the slot is lost for one window.
    pub async fn forgo(&self, permit: Permit) -> Result<(), GateError> {
        let Permit { bucket, slot, probe, .. } = permit;
        self.give_back(&bucket, &[(slot, probe)]).await
    }

    /// Takes over what an answer said that named another group than the permit's: its slot is free again, and the request
    /// is counted where RingCentral counts it.
    ///
    /// # Errors
    /// [`GateError::Store`] if that could not be written: all of it is tried.
    pub async fn settle_in(&self, group: &Group, permit: Permit, notice: Notice) -> Result<(), GateError> {
        if permit.group() == group {
            return self.settle(permit, notice).await;
        }
        let Permit { bucket, slot, probe, priority } = permit;
        let counted = Bucket { group: group.clone(), ..bucket.clone() };
        let sent = Slot { slack: self.clock.now().latest - slot.at, ..slot };
        let charge = Learned::charged(Grant { slot: sent, priority, count: 1 });
        let permit = Permit { bucket: counted, slot: sent, probe: false, priority };
        // A 429 first: whatever fails after it, nothing more is sent.
        let settled = self.settle_with(permit, notice, charge).await;
        let released = self.give_back(&bucket, &[(slot, probe)]).await;
        settled.and(released)
    }

    /// The time of the windows, as far as it has certainly come (milliseconds since the epoch).
    #[must_use]
    pub fn now(&self) -> Millis {
        self.clock.now().earliest
    }

    /// The window of a bucket as it is stored now.
    ///
    /// # Errors
    /// [`StoreError`] if it can't be read.
    pub async fn window(&self, bucket: &Bucket) -> Result<Window, StoreError> {
        let bucket = self.resolve(bucket);
        Ok(self.store.read(&bucket).await?.unwrap_or_else(|| Window::unused(&bucket.group)))
    }

    /// The window of a bucket as this process last saw it: no request is made for it.
    pub fn last_seen(&self, bucket: &Bucket) -> Window {
        self.turnstile(&self.resolve(bucket)).seen()
    }

    /// The buckets that this process has used.
    fn used(&self) -> Vec<Bucket> {
        self.turnstiles.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    pub(crate) fn turnstile(&self, bucket: &Bucket) -> Arc<Turnstile> {
        let mut turnstiles = self.turnstiles.lock().unwrap_or_else(PoisonError::into_inner);
        let turnstile = turnstiles.entry(bucket.clone()).or_insert_with(|| {
            let seed = self.dice.lock().unwrap_or_else(PoisonError::into_inner).random();
            Arc::new(Turnstile::new(self.store.clone(), self.clock.clone(), bucket.clone(), seed))
        });
        turnstile.clone()
    }
}

#[cfg(test)]
mod tests;
