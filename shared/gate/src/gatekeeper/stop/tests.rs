//! A 429 that reaches further than one window, over a store that fails when it is needed most.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use clock::{Bounded, Manual};

use super::*;
use crate::{MemoryWindows, Patience, Policy, Priority, Probation, StoreError, Window, WindowStore, Written};

const NOW: Millis = 1_795_000_000_000;

/// Windows in memory whose list, or whose next writes, fail, or whose writes are never answered.
#[derive(Default)]
struct Failing {
    silent: AtomicBool,
    windows: MemoryWindows,
    list: AtomicBool,
    writes: AtomicUsize,
}

fn failed<T>() -> Result<T, StoreError> {
    Err(StoreError("throttled".into()))
}

#[async_trait::async_trait]
impl WindowStore for Failing {
    async fn buckets(&self) -> Result<Vec<Bucket>, StoreError> {
        if self.list.load(Ordering::Relaxed) { failed() } else { self.windows.buckets().await }
    }

    async fn read(&self, bucket: &Bucket) -> Result<Option<Window>, StoreError> {
        self.windows.read(bucket).await
    }

    async fn write(&self, bucket: &Bucket, expected: u64, next: &Window) -> Result<Written, StoreError> {
        if self.silent.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let less = |left: usize| left.checked_sub(1);
        match self.writes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less) {
            Ok(_) => failed(),
            Err(_) => self.windows.write(bucket, expected, next).await,
        }
    }
}

struct Fleet {
    store: Arc<Failing>,
    clock: Manual,
    gate: Gate,
}

fn fleet() -> Fleet {
    let (store, clock) = (Arc::new(Failing::default()), Manual::at(NOW));
    let gate = another(&store, &clock);
    Fleet { store, clock, gate }
}

fn another(store: &Arc<Failing>, clock: &Manual) -> Gate {
    Gate::new(store.clone(), Bounded::new(Arc::new(clock.clone()), 0), Policy::default())
}

fn group(name: &str) -> Bucket {
    Bucket { identity: "app".to_owned(), group: Group::named(name) }
}

async fn passes(gate: &Gate, name: &str) -> bool {
    match gate.pass(&group(name), Priority::Interactive, Patience(0)).await {
        Ok(permit) => gate.settle(permit, Notice::default()).await.is_ok(),
        Err(_) => false,
    }
}

async fn permit(gate: &Gate, name: &str) -> Permit {
    gate.pass(&group(name), Priority::Interactive, Patience(0)).await.unwrap()
}

#[tokio::test]
async fn regression_a_429_is_kept_though_the_windows_can_t_be_listed() {
    let Fleet { store, clock, gate } = fleet();
    let met = permit(&gate, "medium").await;
    store.list.store(true, Ordering::Relaxed);
    assert!(gate.block(&group("medium"), Some(met), Scope::Account, 60_000).await.is_err());
    let other = another(&store, &clock);
    for name in ["light", "medium", "heavy", "auth"] {
        assert!(!passes(&gate, name).await && !passes(&other, name).await, "{name}");
    }
}

#[tokio::test]
async fn regression_a_429_that_could_not_be_written_stops_its_process_and_rides_on_the_next_write() {
    for scope in [Scope::Group, Scope::Account, Scope::Address] {
        let Fleet { store, clock, gate } = fleet();
        let met = permit(&gate, "medium").await;
        store.writes.store(1, Ordering::Relaxed);
        assert!(gate.block(&group("medium"), Some(met), scope, 60_000).await.is_err());
        assert!(!passes(&gate, "medium").await, "{scope:?}");
        assert!(!passes(&another(&store, &clock), "medium").await, "{scope:?}: told with the refusal");
    }
}

#[tokio::test]
async fn regression_a_429_of_the_user_s_own_window_is_not_forgotten_either() {
    let Fleet { store, clock, gate } = fleet();
    let met = permit(&gate, "medium").await;
    store.writes.store(2, Ordering::Relaxed);
    let notice = Notice { outcome: Outcome::Throttled(60_000), ..Notice::default() };
    assert!(gate.settle(met, notice).await.is_err());
    assert!(!passes(&gate, "medium").await, "this write fails, too, so nothing is known to be free");
    assert!(!passes(&gate, "medium").await);
    assert!(!passes(&another(&store, &clock), "medium").await);
    clock.advance(59_999);
    assert!(!passes(&gate, "medium").await);
    clock.advance(1);
    let last = gate.pass(&group("medium"), Priority::Interactive, Patience(0)).await;
    assert!(last.is_ok(), "one penalty, not two: {last:?}");
}

#[tokio::test]
async fn one_window_that_can_t_be_written_does_not_keep_the_others_from_being_stopped() {
    let Fleet { store, clock, gate } = fleet();
    let met = permit(&gate, "medium").await;
    // Its own, and the first of the others.
    store.writes.store(2, Ordering::Relaxed);
    assert!(gate.block(&group("medium"), Some(met), Scope::Account, 60_000).await.is_err());
    let other = another(&store, &clock);
    let mut stopped = Vec::new();
    for name in ["light", "heavy", "auth"] {
        stopped.push(!passes(&other, name).await);
    }
    assert_eq!(stopped.iter().filter(|stopped| **stopped).count(), 2, "{stopped:?}");
}

#[tokio::test]
async fn a_429_stops_what_its_scope_covers_and_nothing_else() {
    let stranger = Bucket { identity: "other".to_owned(), ..group("light") };
    let stops = [
        (Scope::Call, [false, false, false]),
        (Scope::Group, [true, false, false]),
        (Scope::Account, [true, true, false]),
        (Scope::Address, [true, true, true]),
    ];
    for (scope, expected) in stops {
        let Fleet { store, clock, gate } = fleet();
        let elsewhere = another(&store, &clock);
        drop(elsewhere.pass(&stranger, Priority::Interactive, Patience(0)).await.unwrap());
        let met = permit(&gate, "medium").await;
        gate.block(&group("medium"), Some(met), scope, 60_000).await.unwrap();
        let strangers = elsewhere.pass(&stranger, Priority::Interactive, Patience(0)).await;
        let stopped = [!passes(&gate, "medium").await, !passes(&gate, "light").await, strangers.is_err()];
        assert_eq!(stopped, expected, "{scope:?}");
        assert_eq!(
            gate.window(&group("medium")).await.unwrap().remaining(NOW + 60_000),
            40 - 1 - u32::from(!expected[0])
        );
    }
}

#[tokio::test]
async fn a_probe_that_hears_of_a_duplicate_has_come_back_well() {
    let Fleet { clock, gate, .. } = fleet();
    gate.block(&group("medium"), None, Scope::Group, 60_000).await.unwrap();
    clock.advance(60_000);
    let probe = permit(&gate, "medium").await;
    gate.block(&group("medium"), Some(probe), Scope::Call, 60_000).await.unwrap();
    assert_eq!(gate.window(&group("medium")).await.unwrap().probation, Probation::Over);
}

#[tokio::test]
async fn a_429_that_names_another_group_is_counted_and_stopped_there() {
    let Fleet { gate, .. } = fleet();
    let met = permit(&gate, "light").await;
    gate.block(&group("heavy"), Some(met), Scope::Group, 60_000).await.unwrap();
    assert!(passes(&gate, "light").await && !passes(&gate, "heavy").await);
    let [light, heavy] =
        [gate.window(&group("light")).await.unwrap(), gate.window(&group("heavy")).await.unwrap()];
    assert_eq!((light.grants.len(), heavy.grants.len()), (1, 1));
}

#[tokio::test]
async fn regression_a_429_is_not_forgotten_with_the_caller_that_carried_it_and_gave_up() {
    let Fleet { store, gate, .. } = fleet();
    let struck = permit(&gate, "light").await;
    store.writes.store(1, Ordering::Relaxed);
    let stopped = Notice { outcome: Outcome::Throttled(60_000), ..Notice::default() };
    assert!(gate.settle(struck, stopped).await.is_err());
    // The next caller carries it to the store, and gives up while that is silent.
    store.silent.store(true, Ordering::Relaxed);
    let bucket = group("light");
    let carried = gate.pass(&bucket, Priority::Interactive, Patience(0));
    assert!(futures::FutureExt::now_or_never(carried).is_none());
    store.silent.store(false, Ordering::Relaxed);
    assert!(!passes(&gate, "light").await);
}

#[tokio::test]
async fn regression_a_429_that_can_t_be_written_stops_those_who_sleep_for_a_slot_here() {
    let Fleet { store, clock, gate } = fleet();
    let struck = permit(&gate, "auth").await;
    for _ in 0..4 {
        assert!(passes(&gate, "auth").await);
    }
    let sleeper = tokio::spawn({
        let gate = gate.clone();
        async move { gate.pass(&group("auth"), Priority::Interactive, Patience(70_000)).await }
    });
    while store.read(&group("auth")).await.unwrap().unwrap().version < 6 {
        tokio::task::yield_now().await;
    }
    store.writes.store(1, Ordering::Relaxed);
    let stopped = Notice { outcome: Outcome::Throttled(90_000), ..Notice::default() };
    assert!(gate.settle(struck, stopped).await.is_err());
    clock.advance(60_500);
    let refused = sleeper.await.unwrap();
    assert!(matches!(refused, Err(GateError::Later { .. })), "{refused:?}");
}

#[tokio::test]
async fn regression_what_an_answer_said_is_not_forgotten_with_the_caller_that_carried_it_and_gave_up() {
    let Fleet { store, clock, gate } = fleet();
    let late = permit(&gate, "light").await;
    clock.advance(3_000);
    store.writes.store(1, Ordering::Relaxed);
    assert!(gate.settle(late, Notice::default()).await.is_err());
    store.silent.store(true, Ordering::Relaxed);
    let bucket = group("light");
    let carried = gate.pass(&bucket, Priority::Interactive, Patience(0));
    assert!(futures::FutureExt::now_or_never(carried).is_none());
    store.silent.store(false, Ordering::Relaxed);
    assert!(passes(&gate, "light").await);
    let window = gate.window(&bucket).await.unwrap();
    assert_eq!(window.grants[0].slot, Slot { at: NOW, slack: 3_000 });
}
