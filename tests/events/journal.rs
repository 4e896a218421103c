//! Lists by time, told below HTTP: whatever dies, crosses or overlaps, each applied event is listed once and in its place.

use clock::Millis;
use embedded_aws::Fault;
use events::{
    Applied, Entry, Event, EventPage, EventQuery, EventStore, EventStoreError, Incoming, Kind, Processor,
    TelephonySession,
};
use futures::StreamExt;
use serde_json::json;
use tables::EventTable;
use tenant::TenantId;
use trunkline_tests::World;

const NOON: Millis = 1_795_003_200_000;
const HOUR: Millis = 3_600_000;

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

fn delivery(of: &str, uuid: &str, received_at: Millis) -> Incoming {
    let body = json!({"uuid": uuid, "subscriptionId": "s", "event": "/restapi/v1.0/account/1/presence"});
    Incoming { tenant: tenant(of), received_at, request_id: "r".to_owned(), body: body.to_string() }
}

fn of_call(of: &str, uuid: &str, sequence: i64, status: &str) -> Incoming {
    let parties = json!([{"id": format!("p-{}", sequence % 2), "status": {"code": status}}]);
    let body = json!({
        "uuid": uuid, "subscriptionId": "s", "event": "/restapi/v1.0/account/1/telephony/sessions",
        "body": {"telephonySessionId": "call #1", "sequence": sequence, "parties": parties}
    });
    Incoming { body: body.to_string(), ..delivery(of, uuid, NOON) }
}

/// A dispatcher whose steps a story can put between those of another.
struct Dispatcher(Processor);

/// What a dispatcher has announced.
type Announced = Vec<(Event, Result<Entry, EventStoreError>)>;

impl Dispatcher {
    async fn announce(&self, batch: Vec<Incoming>) -> Announced {
        let events: Vec<_> = batch.into_iter().map(|one| self.0.read(one).unwrap()).collect();
        let announced = self.0.announce(&events.iter().collect::<Vec<_>>()).await;
        events.into_iter().zip(announced).collect()
    }

    async fn apply(&self, announced: Announced) -> Vec<Applied> {
        let applied = announced
            .into_iter()
            .map(async |(event, entry)| self.0.apply(&event, entry.unwrap()).await.unwrap());
        // As many at once as a batch has records.
        futures::stream::iter(applied).buffered(10).collect().await
    }

    async fn work_off(&self, batch: Vec<Incoming>) -> Vec<Applied> {
        self.apply(self.announce(batch).await).await
    }
}

async fn page(
    store: &EventTable,
    of: &str,
    limit: usize,
    after: Option<String>,
    (from, to): (Millis, Millis),
    kind: Option<Kind>,
) -> EventPage {
    let query = EventQuery { kind, session: None, subscription: None, from, to, limit, after };
    store.list(&tenant(of), &query).await.unwrap()
}

/// The ids of everything received in a span of time, read in pages of that size.
async fn listed(store: &EventTable, of: &str, limit: usize, span: (Millis, Millis)) -> Vec<String> {
    let (mut uuids, mut after) = (Vec::new(), None);
    loop {
        let page = page(store, of, limit, after, span, None).await;
        assert!(page.events.len() == limit || page.next.is_none(), "a page that is not full is the last");
        uuids.extend(page.events.into_iter().filter_map(|event| event.uuid));
        match page.next {
            Some(next) => after = Some(next),
            None => return uuids,
        }
    }
}

async fn all(store: &EventTable, of: &str) -> Vec<String> {
    listed(store, of, 100, (NOON - 24 * HOUR, NOON + 24 * HOUR)).await
}

#[tokio::test]
async fn a_dispatcher_that_dies_after_it_announced_leaves_nothing_that_is_seen() {
    let world = World::new().await;
    let (store, dispatcher) = (world.wiring.events(), Dispatcher(world.wiring.processor()));
    let batch = || (0..10).map(|n| delivery("acme", &format!("{n}"), NOON + n)).collect::<Vec<_>>();
    drop(dispatcher.announce(batch()).await);
    assert!(all(&store, "acme").await.is_empty());
    // Or amid its writes.
    let announced = dispatcher.announce(batch()).await;
    dispatcher.apply(announced.into_iter().take(4).collect()).await;
    assert_eq!(all(&store, "acme").await, ["3", "2", "1", "0"]);
    // The queue brings all of them again.
    let applied = dispatcher.work_off(batch()).await;
    assert_eq!(applied.iter().filter(|applied| **applied == Applied::Now).count(), 6);
    assert_eq!(all(&store, "acme").await, ["9", "8", "7", "6", "5", "4", "3", "2", "1", "0"]);
}

#[tokio::test]
async fn regression_an_event_whose_answers_were_lost_is_applied_and_listed_once() {
    let world = World::new().await;
    let (store, dispatcher) = (world.wiring.events(), Dispatcher(world.wiring.processor()));
    let batch = || (0..10).map(|n| delivery("acme", &format!("{n}"), NOON + n)).collect::<Vec<_>>();
    for fault in [Fault::LoseAnswer, Fault::Error, Fault::Drop] {
        let announced = dispatcher.announce(batch()).await;
        // More than are tried again at once.
        world.aws().faults().fail_next("DynamoDB_20120810.PutItem", 15, fault);
        let mut failed = 0;
        for (event, entry) in announced {
            failed += usize::from(dispatcher.0.apply(&event, entry.unwrap()).await.is_err());
        }
        assert!(failed > 0, "{fault:?}");
        world.aws().faults().clear();
    }
    dispatcher.work_off(batch()).await;
    assert_eq!(all(&store, "acme").await, ["9", "8", "7", "6", "5", "4", "3", "2", "1", "0"]);
}

#[tokio::test]
async fn a_delivery_that_is_in_two_batches_at_once_is_applied_and_listed_once() {
    let world = World::new().await;
    let (store, dispatcher) = (world.wiring.events(), Dispatcher(world.wiring.processor()));
    let other = Dispatcher(world.wiring.processor());
    // RingCentral's repetition comes a little later; one of them is twice in its batch.
    let first = (0..9).map(|n| delivery("acme", &format!("{n}"), NOON)).collect();
    let again = (0..9).chain([4]).map(|n| delivery("acme", &format!("{n}"), NOON + 500 + n)).collect();
    let (first, again) = (dispatcher.announce(first).await, other.announce(again).await);
    let (one, two) = tokio::join!(dispatcher.apply(first), other.apply(again));
    let now = one.iter().chain(&two).filter(|applied| **applied == Applied::Now).count();
    assert_eq!(now, 9);
    for limit in [1, 2, 100] {
        let mut uuids = listed(&store, "acme", limit, (NOON, NOON + HOUR)).await;
        uuids.sort();
        assert_eq!(uuids, ["0", "1", "2", "3", "4", "5", "6", "7", "8"], "{limit} a page");
    }
}

#[tokio::test]
async fn entries_that_overlap_are_one_list_newest_first_whatever_the_page() {
    let world = World::new().await;
    let (store, dispatcher) = (world.wiring.events(), Dispatcher(world.wiring.processor()));
    let midnight = NOON - NOON.rem_euclid(24 * HOUR) + 24 * HOUR;
    // Batches of a queue that is behind: each has events of a few minutes around midnight, and all of them cross.
    let mut received = Vec::new();
    for batch in 0..40_i64 {
        let batch: Vec<_> =
            (0..7).map(|n| midnight - 150_000 + (batch * 7_919 + n * 41_113) % 300_000).collect();
        let name = |at: &i64| format!("{at}-{}", received.len());
        let deliveries = batch.iter().map(|at| delivery("acme", &name(at), *at)).collect();
        let names: Vec<_> = batch.iter().map(|at| (*at, name(at))).collect();
        dispatcher.work_off(deliveries).await;
        received.extend(names);
    }
    received.sort();
    received.dedup();
    for limit in [1, 7, 50, 500] {
        for span in [(i64::MIN, i64::MAX), (midnight - 100_000, midnight + 77_777), (midnight, midnight)] {
            let span = (span.0.max(midnight - 24 * HOUR), span.1.min(midnight + 24 * HOUR));
            let found = listed(&store, "acme", limit, span).await;
            let times: Vec<Millis> =
                found.iter().map(|name| name.split('-').next().unwrap().parse().unwrap()).collect();
            assert!(times.is_sorted_by(|a, b| a >= b), "newest first, {limit} a page: {times:?}");
            let mut found: Vec<_> = times.into_iter().zip(found).collect();
            found.sort();
            let wanted: Vec<_> =
                received.iter().filter(|(at, _)| (span.0..=span.1).contains(at)).cloned().collect();
            assert_eq!(found, wanted, "{limit} a page, {span:?}");
        }
    }
}

#[tokio::test]
async fn what_comes_days_late_is_listed_where_it_belongs() {
    let world = World::new().await;
    let (store, dispatcher) = (world.wiring.events(), Dispatcher(world.wiring.processor()));
    // A dead letter that was let come again, in one batch with what is new.
    let late = delivery("acme", "late", NOON - 200 * HOUR);
    dispatcher.work_off(vec![late, delivery("acme", "new", NOON)]).await;
    assert_eq!(listed(&store, "acme", 1, (NOON - 300 * HOUR, NOON)).await, ["new", "late"]);
    assert_eq!(listed(&store, "acme", 1, (NOON - 201 * HOUR, NOON - 199 * HOUR)).await, ["late"]);
    assert_eq!(listed(&store, "acme", 1, (NOON - 199 * HOUR, NOON - 1)).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_batch_of_several_tenants_is_seen_by_each_for_itself() {
    let world = World::new().await;
    let (store, queue) = (world.wiring.events(), world.wiring.deliveries());
    for n in 0..3 {
        queue.send(&delivery("acme", &format!("a{n}"), NOON + n)).await.unwrap();
        queue.send(&delivery("other", &format!("o{n}"), NOON + n)).await.unwrap();
    }
    // The same event, to two tenants.
    queue.send(&delivery("acme", "both", NOON + 9)).await.unwrap();
    queue.send(&delivery("other", "both", NOON + 9)).await.unwrap();
    let before = world.aws().stats().requests("DynamoDB_20120810.PutItem");
    world.dispatch().await;
    let written = world.aws().stats().requests("DynamoDB_20120810.PutItem") - before;
    assert_eq!(written, 2 + 8, "an entry for each tenant, and the events");
    assert_eq!(all(&store, "acme").await, ["both", "a2", "a1", "a0"]);
    assert_eq!(all(&store, "other").await, ["both", "o2", "o1", "o0"]);
    assert!(all(&store, "acm").await.is_empty());
}

#[tokio::test]
async fn a_rare_kind_is_found_among_many() {
    let world = World::new().await;
    let (store, dispatcher) = (world.wiring.events(), Dispatcher(world.wiring.processor()));
    let mut batch: Vec<_> = (0..300).map(|n| delivery("acme", &format!("{n}"), NOON + n * 1_000)).collect();
    batch.push(of_call("acme", "rare", 1, "Setup"));
    dispatcher.work_off(batch).await;
    let calls = Some(Kind::TelephonySession);
    let found = page(&store, "acme", 10, None, (NOON, NOON + HOUR), calls).await;
    assert_eq!(found.events.iter().filter_map(|event| event.uuid.as_deref()).collect::<Vec<_>>(), ["rare"]);
    assert!(found.next.is_none());
    assert_eq!(listed(&store, "acme", 250, (NOON, NOON + HOUR)).await.len(), 301);
}

#[tokio::test]
async fn an_event_of_many_kilobytes_costs_more_and_is_read_back_byte_for_byte() {
    let world = World::new().await;
    let (store, dispatcher) = (world.wiring.events(), Dispatcher(world.wiring.processor()));
    // Nothing that packs well, spaces where no serialiser would put them, and characters beyond ASCII.
    let noise: String =
        (0..20_000_u64).map(|n| char::from_u32((n * n * 7_919 % 20_000) as u32 + 200).unwrap()).collect();
    let body = format!("{{ \"uuid\" :\"large\", \"subscriptionId\":\"s\",\r\n\"noise\":{} }}", json!(noise));
    let incoming = Incoming { body: body.clone(), ..delivery("acme", "large", NOON) };
    assert_eq!(dispatcher.work_off(vec![incoming]).await, [Applied::Now]);
    let found = page(&store, "acme", 10, None, (NOON, NOON), None).await;
    assert!(found.events[0].raw == body);
}

#[tokio::test]
async fn the_events_of_a_call_tell_the_same_state_in_whatever_order_they_came() {
    let world = World::new().await;
    let (store, dispatcher) = (world.wiring.events(), Dispatcher(world.wiring.processor()));
    let statuses = ["Setup", "Proceeding", "Answered", "Hold", "Disconnected"];
    let mut order: Vec<usize> = (0..statuses.len()).collect();
    let mut told = Vec::new();
    for turn in 0..8 {
        let name = format!("tenant-{turn}");
        for n in &order {
            let sequence = i64::try_from(*n).unwrap() * 10 - 10;
            // Each comes twice, and each in a batch of its own.
            for _ in 0..2 {
                let mut event = of_call(&name, &format!("{n}"), sequence, statuses[*n]);
                event.received_at += told.len() as i64;
                dispatcher.work_off(vec![event]).await;
            }
        }
        let events = store.of_call(&tenant(&name), "call #1").await.unwrap();
        let sequences: Vec<_> = events.iter().filter_map(|event| event.session.as_ref()?.1).collect();
        assert_eq!(sequences, [-10, 0, 10, 20, 30]);
        told.push(TelephonySession::of("call #1", &events).unwrap());
        order.rotate_left(turn % 3 + 1);
        order.swap(0, turn % 4);
    }
    assert_eq!((told[0].sequence, told[0].events_applied), (Some(30), 5));
    assert!(
        told.iter().all(|state| (state.sequence, &state.parties) == (Some(30), &told[0].parties)),
        "{told:?}"
    );
}
