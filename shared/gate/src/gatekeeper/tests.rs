//! The gate of one process, and two of them over one store.

mod trouble;

use super::*;
use crate::{Cause, MemoryWindows, Scope};

fn bucket() -> Bucket {
    Bucket { identity: "app".to_owned(), group: Group::named("Auth") }
}

/// A clock that is its own authority.
fn alone(clock: clock::Manual) -> Bounded {
    Bounded::new(Arc::new(clock), 0)
}

fn gate(policy: Policy) -> Gate {
    Gate::new(Arc::new(MemoryWindows::default()), alone(clock::Manual::at(1_000_000)), policy)
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
    let gate = || Gate::new(store.clone(), alone(clock.clone()), Policy { threshold: 1, cool_down: 3_000 });
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
    async fn buckets(&self) -> Result<Vec<Bucket>, StoreError> {
        self.0.buckets().await
    }

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
    let gate = Gate::new(store, alone(clock.clone()), Policy { threshold: 1, cool_down: 3_000 });
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
    let gate = Gate::new(store, alone(clock.clone()), Policy::default());
    for _ in 0..3 {
        let before = clock::Clock::now(&clock);
        let permit = gate.pass(&bucket(), Priority::Interactive, Patience(5_000)).await.unwrap();
        assert!(clock::Clock::now(&clock) - before <= 4_000);
        assert!(clock::Clock::now(&clock) - permit.granted() <= 250);
    }
}

#[tokio::test]
async fn several_slots_cost_one_write_and_what_is_not_used_is_given_back() {
    let clock = clock::Manual::eager(1_000_000);
    let gate = Gate::new(Arc::new(MemoryWindows::default()), alone(clock.clone()), Policy::default());
    let mut booking = gate.book(&bucket(), Priority::Interactive, 9, Patience(61_000)).await.unwrap();
    let (now, later) = (1_000_000, 1_060_500);
    assert_eq!(booking.slots().collect::<Vec<_>>(), [now, now, now, now, now, later, later, later, later]);
    assert_eq!(gate.window(&bucket()).await.unwrap().version, 1);
    for at in [now, now, now, now, now, later] {
        let permit = booking.next().await.unwrap().unwrap();
        assert_eq!((permit.granted(), clock::Clock::now(&clock)), (at, at));
        gate.settle(permit, Notice::default()).await.unwrap();
    }
    booking.give_back().await.unwrap();
    let window = gate.window(&bucket()).await.unwrap();
    assert_eq!((window.version, window.remaining(later)), (2, 4));
}

#[tokio::test]
async fn a_booking_stops_at_the_patience_of_its_caller() {
    let gate = gate(Policy::default());
    let booking = gate.book(&bucket(), Priority::Event, 9, Patience(5_000)).await.unwrap();
    assert_eq!(booking.slots().len(), 5);
    let refused = gate.book(&bucket(), Priority::Event, 2, Patience(5_000)).await.unwrap_err();
    assert!(matches!(refused, GateError::Later { at: 1_060_500, .. }), "{refused:?}");
    booking.give_back().await.unwrap();
    assert_eq!(gate.window(&bucket()).await.unwrap().remaining(1_000_000), 5);
}

#[tokio::test]
async fn a_booked_slot_that_a_penalty_voided_is_not_used() {
    let clock = clock::Manual::eager(1_000_000);
    let store = Arc::new(MemoryWindows::default());
    let gate = |clock: &clock::Manual| Gate::new(store.clone(), alone(clock.clone()), Policy::default());
    let (one, other) = (gate(&clock), gate(&clock));
    let mut booking = one.book(&bucket(), Priority::Interactive, 6, Patience(61_000)).await.unwrap();
    for _ in 0..5 {
        let permit = booking.next().await.unwrap().unwrap();
        one.settle(permit, Notice::default()).await.unwrap();
    }
    other.block(&bucket(), None, Scope::Account, 90_000).await.unwrap();
    let refused = booking.next().await.unwrap_err();
    assert!(matches!(refused, GateError::Later { cause: Cause::Penalty, .. }), "{refused:?}");
}

/// A store whose reads let others go on meanwhile.
struct Polite(Arc<MemoryWindows>);

#[async_trait::async_trait]
impl WindowStore for Polite {
    async fn buckets(&self) -> Result<Vec<Bucket>, StoreError> {
        self.0.buckets().await
    }

    async fn read(&self, bucket: &Bucket) -> Result<Option<Window>, StoreError> {
        tokio::task::yield_now().await;
        self.0.read(bucket).await
    }

    async fn write(
        &self,
        bucket: &Bucket,
        expected: u64,
        next: &Window,
    ) -> Result<crate::Written, StoreError> {
        self.0.write(bucket, expected, next).await
    }
}

#[tokio::test]
async fn whoever_comes_while_another_looks_shares_its_write() {
    let store = Arc::new(MemoryWindows::default());
    let gate =
        Gate::new(Arc::new(Polite(store.clone())), alone(clock::Manual::at(1_000_000)), Policy::default());
    let bucket = bucket();
    let pass = || gate.pass(&bucket, Priority::Interactive, Patience(0));
    let (one, two, three) = tokio::join!(pass(), pass(), pass());
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    let window = gate.window(&bucket).await.unwrap();
    assert_eq!((window.version, window.grants.len()), (1, 3));
}

#[tokio::test]
async fn callers_of_one_process_are_sent_away_to_the_same_instant() {
    let (store, clock) = (Arc::new(MemoryWindows::default()), clock::Manual::eager(1_000_000));
    let gate = |seed| Gate::new(store.clone(), alone(clock.clone()), Policy::default()).seeded(seed);
    let (one, other) = (gate(1), gate(2));
    let refused = async |gate: &Gate| match gate.pass(&bucket(), Priority::Interactive, Patience(0)).await {
        Err(GateError::Later { at, .. }) => at,
        granted => panic!("{granted:?}"),
    };
    for turn in 0..5 {
        let gate = if turn % 2 == 0 { &one } else { &other };
        let permit = gate.pass(&bucket(), Priority::Interactive, Patience(0)).await.unwrap();
        gate.settle(permit, Notice::default()).await.unwrap();
    }
    let first = refused(&one).await;
    assert_eq!((refused(&one).await, refused(&one).await), (first, first));
    assert_ne!(refused(&other).await, first);
}

#[tokio::test]
async fn regression_nobody_is_sent_away_by_a_window_that_was_seen_a_while_ago() {
    let (store, clock) = (Arc::new(MemoryWindows::default()), clock::Manual::at(1_000_000));
    let gate = || Gate::new(store.clone(), alone(clock.clone()), Policy::default());
    let (one, other) = (gate(), gate());
    let pass = async |gate: &Gate| gate.pass(&bucket(), Priority::Interactive, Patience(0)).await;
    let heard = pass(&other).await.unwrap();
    for _ in 0..4 {
        one.settle(pass(&one).await.unwrap(), Notice::default()).await.unwrap();
    }
    let raised = Notice { announced: Some((100, 60_000)), ..Notice::default() };
    other.settle(heard, raised).await.unwrap();
    clock.advance(4_000);
    assert!(pass(&one).await.is_ok());
}

fn light() -> Bucket {
    Bucket { group: Group::named("Light"), ..bucket() }
}

/// One request after the other, each answered after its own time (ms).
async fn answered_after(gate: &Gate, clock: &clock::Manual, times: impl Iterator<Item = Millis>) {
    for time in times {
        let permit = gate.pass(&light(), Priority::Interactive, Patience(61_000)).await.unwrap();
        clock.advance(time);
        gate.settle(permit, Notice::default()).await.unwrap();
        clock.advance(1_300);
    }
}

#[tokio::test]
async fn regression_answers_of_ordinary_slowness_cost_no_second_write() {
    let clock = clock::Manual::eager(1_795_000_000_000);
    let gate = Gate::new(Arc::new(MemoryWindows::default()), alone(clock.clone()), Policy::default());
    answered_after(&gate, &clock, (0..1_000).map(|i| 200 + i * 37 % 601)).await;
    let window = gate.window(&light()).await.unwrap();
    assert!(window.version <= 1_002, "{} writes for 1000 requests", window.version);
    assert!((800..=1_200).contains(&window.pad), "{}", window.pad);
}

#[tokio::test]
async fn regression_the_pad_narrows_again_after_calm_windows() {
    let clock = clock::Manual::eager(1_795_000_000_000);
    let gate = Gate::new(Arc::new(MemoryWindows::default()), alone(clock.clone()), Policy::default());
    answered_after(&gate, &clock, [10, 3_000, 10].into_iter()).await;
    assert_eq!(gate.window(&light()).await.unwrap().pad, 1_200);
    answered_after(&gate, &clock, std::iter::repeat_n(10, 400)).await;
    assert_eq!(gate.window(&light()).await.unwrap().pad, 500);
}

#[tokio::test]
async fn regression_permits_that_come_too_late_are_no_failures_of_ringcentral() {
    let (store, clock) = (Arc::new(MemoryWindows::default()), clock::Manual::at(1_795_000_000_000));
    let gate = Gate::new(store, alone(clock.clone()), Policy { threshold: 1, cool_down: 3_000 });
    let permit = |gate: Gate| async move { gate.pass(&light(), Priority::Interactive, Patience(0)).await };
    let late = permit(gate.clone()).await.unwrap();
    gate.forgo(late).await.unwrap();
    let failed = Notice { outcome: Outcome::Failed, ..Notice::default() };
    gate.settle(permit(gate.clone()).await.unwrap(), failed).await.unwrap();
    permit(gate.clone()).await.unwrap_err();
    clock.advance(3_500);
    let probe = permit(gate.clone()).await.unwrap();
    gate.forgo(probe).await.unwrap();
    gate.settle(permit(gate.clone()).await.unwrap(), Notice::default()).await.unwrap();
    drop(permit(gate).await.unwrap());
}
