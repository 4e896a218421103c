//! Windows that get another name while they are used.

use std::sync::Arc;

use clock::Bounded;

use super::*;
use crate::{Group, MemoryWindows, Notice, Outcome, Patience, Permit, Policy, Priority, WindowStore};

const NOW: Millis = 1_795_000_000_000;

fn gate(store: &Arc<MemoryWindows>, clock: &clock::Manual) -> Gate {
    Gate::new(store.clone(), Bounded::new(Arc::new(clock.clone()), 0), Policy::default())
}

fn of(identity: &str) -> Bucket {
    Bucket { identity: identity.to_owned(), group: Group::named("light") }
}

/// A gate, and as many requests as it lets pass at once.
async fn burst(gate: &Gate, bucket: &Bucket, wanted: usize) -> usize {
    let mut passed = 0;
    for _ in 0..wanted {
        if let Ok(permit) = gate.pass(bucket, Priority::Interactive, Patience(0)).await {
            gate.settle(permit, Notice::default()).await.unwrap();
            passed += 1;
        }
    }
    passed
}

#[tokio::test]
async fn regression_a_bucket_that_gets_another_name_gets_no_empty_window_beside_the_full_one() {
    let (store, clock) = (Arc::default(), clock::Manual::at(NOW));
    let gate = || gate(&store, &clock);
    let (one, other, third) = (gate(), gate(), gate());
    let (guessed, user) = (of("jwt"), of("user"));
    assert_eq!((burst(&one, &guessed, 20).await, burst(&other, &guessed, 10).await), (20, 10));
    one.adopt(&guessed, &user).await.unwrap();
    assert_eq!(burst(&one, &user, 8).await, 8);
    // This one has not heard of it: it asks for the old name, and is served from the new one.
    assert_eq!(burst(&other, &guessed, 8).await, 8);
    third.adopt(&guessed, &user).await.unwrap();
    assert_eq!((burst(&third, &user, 99).await, burst(&other, &guessed, 9).await), (4, 0));
    let adopted = third.window(&user).await.unwrap();
    assert_eq!(adopted.count(|_| true), 50);
    for gate in [&one, &other, &third] {
        gate.adopt(&guessed, &user).await.unwrap();
    }
    assert_eq!(third.window(&user).await.unwrap().version, adopted.version, "once is enough");
}

#[tokio::test]
async fn what_was_granted_under_the_old_name_is_settled_under_the_new_one() {
    let (store, clock) = (Arc::default(), clock::Manual::eager(NOW));
    let gate = || gate(&store, &clock);
    let (one, other) = (gate(), gate());
    let (guessed, user) = (of("jwt"), of("user"));
    let permit = one.pass(&guessed, Priority::Interactive, Patience(0)).await.unwrap();
    other.adopt(&guessed, &user).await.unwrap();
    assert_eq!(other.window(&user).await.unwrap().count(|_| true), 1);
    let stopped = Notice { outcome: Outcome::Throttled(60_000), ..Notice::default() };
    one.settle(permit, stopped).await.unwrap();
    assert_eq!(burst(&other, &user, 1).await + burst(&one, &guessed, 1).await, 0);
}

#[tokio::test]
async fn regression_buckets_that_adopted_each_other_stay_closed_and_end_every_question() {
    let (store, clock) = (Arc::new(MemoryWindows::default()), clock::Manual::at(NOW));
    for (from, into) in [("jwt", "user"), ("user", "jwt"), ("older", "jwt")] {
        let mut window = Window::unused(&Group::named("light"));
        (window.version, window.moved) = (1, Some(into.to_owned()));
        store.write(&of(from), 0, &window).await.unwrap();
    }
    let gate = gate(&store, &clock);
    for from in ["older", "jwt", "user", "older"] {
        assert_eq!(burst(&gate, &of(from), 1).await, 0, "{from}");
    }
    let permit = Permit {
        bucket: of("jwt"),
        slot: Slot { at: gate.now(), slack: 0 },
        probe: false,
        priority: Priority::Interactive,
    };
    let failed = Notice { outcome: Outcome::Failed, ..Notice::default() };
    gate.settle(permit, failed).await.unwrap();
}

#[tokio::test]
async fn regression_a_window_that_was_closed_and_not_counted_yet_is_counted_before_the_new_one_grants() {
    let (store, clock) = (Arc::default(), clock::Manual::at(NOW));
    let gate = || gate(&store, &clock);
    let (one, other) = (gate(), gate());
    assert_eq!(burst(&one, &of("jwt"), 40).await, 40);
    // Whoever closed it died right after that.
    let mut closed = one.window(&of("jwt")).await.unwrap();
    (closed.version, closed.moved) = (closed.version + 1, Some("user".to_owned()));
    store.write(&of("jwt"), closed.version - 1, &closed).await.unwrap();
    assert_eq!(burst(&other, &of("jwt"), 50).await, 10);
    assert_eq!(burst(&one, &of("jwt"), 50).await, 0);
    assert_eq!(one.window(&of("user")).await.unwrap().count(|_| true), 50);
}

#[tokio::test]
async fn regression_slots_of_a_closed_window_are_used_and_given_back_in_the_new_one() {
    let (store, clock) = (Arc::default(), clock::Manual::eager(NOW));
    let gate = || gate(&store, &clock);
    let (one, other) = (gate(), gate());
    assert_eq!(burst(&one, &of("jwt"), 48).await, 48);
    let mut booking = one.book(&of("jwt"), Priority::Interactive, 4, Patience(90_000)).await.unwrap();
    other.adopt(&of("jwt"), &of("user")).await.unwrap();
    let promised: Vec<_> = booking.slots().collect();
    // The third one is slept for, and looked up where it is counted now.
    for slot in &promised[..3] {
        let permit = booking.next().await.unwrap().unwrap();
        assert_eq!(permit.granted(), *slot);
        one.settle(permit, Notice::default()).await.unwrap();
    }
    let counted = |window: Window| window.count(|grant| promised.contains(&grant.slot.at));
    let before = counted(other.window(&of("user")).await.unwrap());
    booking.give_back().await.unwrap();
    assert_eq!(counted(other.window(&of("user")).await.unwrap()), before - 1);
}

#[tokio::test]
async fn regression_a_429_under_the_old_name_stops_whoever_sleeps_and_whoever_asks_under_the_new_one() {
    let (store, clock) = (Arc::default(), clock::Manual::at(NOW));
    let gate = || gate(&store, &clock);
    let (one, other) = (gate(), gate());
    let permit = one.pass(&of("jwt"), Priority::Interactive, Patience(0)).await.unwrap();
    other.adopt(&of("jwt"), &of("user")).await.unwrap();
    one.block(&of("jwt"), Some(permit), crate::Scope::Account, 60_000).await.unwrap();
    for (gate, name) in [(&one, "jwt"), (&one, "user"), (&other, "jwt"), (&other, "user")] {
        assert_eq!(burst(gate, &of(name), 1).await, 0, "{name}");
    }
}
