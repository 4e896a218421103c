//! Reading on in the order of processing: whatever comes late, crosses or dies, each event is read once and none is missed.

use std::{collections::BTreeSet, time::Duration};

use clock::{Clock, Millis};
use events::{Entry, Event, EventStore, EventStoreError, FollowQuery, Followed, Incoming, Kind};
use serde_json::json;
use tables::EventTable;
use trunkline_tests::World;

const DAY: Millis = 86_400_000;
/// What is so old has its place for good.
const SETTLED: Duration = Duration::from_secs(16);
/// What was announced so long ago and never came is read past.
const ABANDONED: Duration = Duration::from_secs(60);
const PRESENCE: &str = "/restapi/v1.0/account/1/presence";

fn delivery(uuid: &str, received_at: Millis) -> Incoming {
    let body = json!({"uuid": uuid, "subscriptionId": "s-1", "event": PRESENCE}).to_string();
    Incoming { tenant: "acme".parse().unwrap(), received_at, request_id: "r".to_owned(), body }
}

/// Deliveries as a dispatcher has announced them.
async fn announce(world: &World, batch: Vec<Incoming>) -> Vec<(Event, Result<Entry, EventStoreError>)> {
    let processor = world.wiring.processor();
    let events: Vec<_> = batch.into_iter().map(|one| processor.read(one).unwrap()).collect();
    let announced = processor.announce(&events.iter().collect::<Vec<_>>()).await;
    events.into_iter().zip(announced).collect()
}

async fn apply(world: &World, announced: Vec<(Event, Result<Entry, EventStoreError>)>) {
    for (event, entry) in announced {
        world.wiring.processor().apply(&event, entry.unwrap()).await.unwrap();
    }
}

async fn work_off(world: &World, batch: Vec<Incoming>) {
    let announced = announce(world, batch).await;
    apply(world, announced).await;
}

/// Somebody who reads on from where they ended.
struct Reader {
    store: EventTable,
    query: FollowQuery,
    read: Vec<String>,
}

impl Reader {
    fn new(world: &World, limit: usize) -> Self {
        let from = world.time.now() - DAY;
        let query = FollowQuery { kind: None, subscription: None, from, limit, after: None };
        Self { store: world.wiring.events(), query, read: Vec::new() }
    }

    async fn page(&mut self) -> Followed {
        let page = self.store.follow(&"acme".parse().unwrap(), &self.query).await.unwrap();
        assert!(page.events.len() <= self.query.limit);
        self.query.after = Some(page.next.clone());
        self.read.extend(page.events.iter().filter_map(|event| event.uuid.clone()));
        page
    }

    /// Reads all there is; what it has read altogether.
    async fn catch_up(&mut self) -> Vec<&str> {
        for _ in 0..1_000 {
            if self.page().await.caught_up {
                return self.read.iter().map(String::as_str).collect();
            }
        }
        panic!("it never catches up");
    }
}

#[tokio::test]
async fn regression_what_was_stored_late_is_read_by_those_who_read_on() {
    let world = World::new().await;
    let now = || world.time.now();
    let mut reader = Reader::new(&world, 2);
    work_off(&world, vec![delivery("a", now() - 300), delivery("b", now() - 200), delivery("c", now())])
        .await;
    assert!(reader.catch_up().await.is_empty(), "its place is not certain yet");
    world.time.advance(SETTLED);
    assert_eq!(reader.catch_up().await, ["a", "b", "c"]);
    // A dead letter of two days ago, in one batch with what is new; and what waited in the queue for a minute.
    world.time.advance(Duration::from_secs(3_600));
    let late = now() - 2 * DAY;
    work_off(&world, vec![delivery("late", late), delivery("d", now()), delivery("slow", now() - 59_000)])
        .await;
    work_off(&world, vec![delivery("slower", now() - 90_000)]).await;
    work_off(&world, vec![delivery("e", now())]).await;
    world.time.advance(SETTLED);
    reader.catch_up().await;
    let mut read: Vec<_> = reader.read.iter().skip(3).map(String::as_str).collect();
    read.sort_unstable();
    assert_eq!(read, ["d", "e", "late", "slow", "slower"]);
    // By when it was received it stays where it belongs, once.
    let query = events::EventQuery {
        kind: None,
        session: None,
        subscription: None,
        from: late - 1,
        to: now(),
        limit: 100,
        after: None,
    };
    let page = world.wiring.events().list(&"acme".parse().unwrap(), &query).await.unwrap();
    let listed: Vec<_> = page.events.iter().filter_map(|event| event.uuid.as_deref()).collect();
    assert_eq!(listed, ["e", "d", "slow", "slower", "c", "b", "a", "late"]);
}

#[tokio::test]
async fn whoever_reads_on_waits_for_what_may_still_come_and_not_for_what_can_not() {
    let world = World::new().await;
    let now = world.time.now();
    let mut reader = Reader::new(&world, 10);
    let mut announced =
        announce(&world, vec![delivery("a", now), delivery("b", now + 1), delivery("c", now + 2)]).await;
    let middle = announced.remove(1);
    assert_eq!(middle.0.uuid.as_deref(), Some("b"));
    apply(&world, announced).await;
    world.time.advance(SETTLED);
    assert_eq!(reader.catch_up().await, ["a"], "b may be on its way");
    apply(&world, vec![middle]).await;
    assert_eq!(reader.catch_up().await, ["a", "b", "c"]);

    // A dispatcher dies amid its writes, and the queue brings the rest again much later.
    let now = world.time.now();
    let mut announced = announce(&world, vec![delivery("d", now), delivery("e", now + 1)]).await;
    let dead = announced.remove(0);
    apply(&world, announced).await;
    world.time.advance(SETTLED);
    assert_eq!(reader.catch_up().await, ["a", "b", "c"]);
    world.time.advance(ABANDONED);
    assert_eq!(reader.catch_up().await, ["a", "b", "c", "e"]);
    // It was only frozen: what it would write now would be missed, so it may not.
    let entry = dead.1.clone().unwrap();
    assert!(world.wiring.processor().apply(&dead.0, entry).await.is_err());
    work_off(&world, vec![delivery("d", now)]).await;
    world.time.advance(SETTLED);
    assert_eq!(reader.catch_up().await, ["a", "b", "c", "e", "d"]);
}

#[tokio::test]
async fn whatever_crosses_each_event_is_read_once() {
    let world = World::new().await;
    let mut readers = [Reader::new(&world, 1), Reader::new(&world, 7), Reader::new(&world, 500)];
    let mut made = BTreeSet::new();
    let mut open = Vec::new();
    for turn in 0..120_i64 {
        // Some of it new, some minutes old, some days; and every seventh comes a second time.
        let now = world.time.now();
        let ages = [0, 300, 4_900 + turn * 20, 90_000 * (turn % 3), DAY * (turn % 4)];
        let mut batch: Vec<_> =
            (0..).zip(ages).map(|(n, age)| delivery(&format!("{turn}-{n}"), now - age)).collect();
        if turn % 7 == 0 && turn > 0 {
            batch.push(delivery(&format!("{}-1", turn - 1), now));
        }
        made.extend((0..ages.len()).map(|n| format!("{turn}-{n}")));
        // Several dispatchers at once, of which the later one may be done first.
        open.push(announce(&world, batch).await);
        if turn % 3 == 2 {
            open.rotate_left(1);
            for announced in open.drain(..) {
                apply(&world, announced).await;
            }
        }
        world.time.advance(Duration::from_millis(700 * u64::try_from(turn % 5).unwrap()));
        for reader in &mut readers {
            reader.page().await;
        }
    }
    world.time.advance(ABANDONED);
    for reader in &mut readers {
        reader.catch_up().await;
        let read: BTreeSet<_> = reader.read.iter().cloned().collect();
        assert_eq!(read.len(), reader.read.len(), "something was read twice");
        assert_eq!(read, made);
    }
}

#[tokio::test]
async fn a_page_of_those_who_read_on_costs_a_bounded_number_of_reads() {
    let world = World::new().await;
    let store = world.wiring.events();
    let now = world.time.now();
    let read = |uuid: usize, age: i64| {
        world.wiring.processor().read(delivery(&uuid.to_string(), now - age)).unwrap()
    };
    // Days of announcements that never came, and one that did.
    let dead: Vec<_> = (0..3_000).map(|n| read(n, 4 * DAY - i64::try_from(n).unwrap() * 100_000)).collect();
    for some in dead.chunks(25) {
        store.announce(&some.iter().collect::<Vec<_>>()).await;
    }
    work_off(&world, vec![delivery("alive", now)]).await;
    world.time.advance(ABANDONED);
    let mut reader = Reader::new(&world, 100);
    reader.query.from = now - 25 * DAY;
    let mut pages = 0;
    loop {
        let before = world.aws().stats();
        let page = reader.page().await;
        let after = world.aws().stats();
        let asked = |operation: &str| {
            let target = format!("DynamoDB_20120810.{operation}");
            after.requests(&target) - before.requests(&target)
        };
        assert!(asked("Query") <= 10 && asked("BatchGetItem") <= 10);
        pages += 1;
        assert!(pages < 100);
        if page.caught_up {
            break;
        }
    }
    assert_eq!(reader.read, ["alive"]);
    // Who has caught up pays for one query; and what is of another kind or subscription is not read.
    let before = world.aws().stats().requests("DynamoDB_20120810.Query");
    assert!(reader.page().await.caught_up);
    assert!(world.aws().stats().requests("DynamoDB_20120810.Query") - before <= 1);
    for query in [
        FollowQuery { kind: Some(Kind::Fax), ..reader.query.clone() },
        FollowQuery { subscription: Some("s-2".to_owned()), ..reader.query.clone() },
    ] {
        let mut other =
            Reader { query: FollowQuery { after: None, from: now - DAY, ..query }, ..Reader::new(&world, 9) };
        assert!(other.catch_up().await.is_empty());
    }
}

#[tokio::test]
async fn regression_events_are_read_on_over_http() {
    let world = World::new().await;
    let calls = world.subscribe(&["/restapi/v1.0/account/~/telephony/sessions"]).await;
    let messages = world.subscribe(&["/restapi/v1.0/account/~/extension/~/message-store"]).await;
    let (mut token, mut read) = (String::new(), Vec::new());
    for round in 0..3_u64 {
        for kind in ["telephony", "message-store"] {
            let order = simulator::EventsOrder {
                count: 5,
                kinds: vec![kind.to_owned()],
                seed: Some(round),
                ..simulator::EventsOrder::default()
            };
            world.simulator.generate_events(&order);
        }
        world.settle().await;
        world.time.advance(SETTLED);
        loop {
            let page = world.get(&format!("/api/webhooks/events?order=asc&perPage=4{token}")).await;
            assert_eq!(page.status, 200, "{page:?}");
            read.extend(page.json["records"].as_array().unwrap().iter().map(|one| one["id"].clone()));
            let navigation = &page.json["navigation"];
            token = format!("&pageToken={}", navigation["nextPageToken"].as_str().unwrap());
            if navigation["caughtUp"] == true {
                break;
            }
        }
    }
    let mut listed: Vec<_> = world.events("").await.iter().map(|one| one["id"].clone()).collect();
    listed.sort_by_key(ToString::to_string);
    read.sort_by_key(ToString::to_string);
    assert!(!read.is_empty());
    assert_eq!(read, listed);

    for (subscription, kind) in [(&calls, "telephony-session"), (&messages, "message-store")] {
        let id = subscription["id"].as_str().unwrap();
        for order in ["", "&order=asc"] {
            let page = world.get(&format!("/api/webhooks/events?subscriptionId={id}{order}")).await;
            let records = page.json["records"].as_array().unwrap();
            assert!(!records.is_empty() && records.iter().all(|one| one["kind"] == kind), "{page:?}");
        }
    }
    for (query, fields) in [
        (
            "order=asc&dateTo=2026-11-20T08:00:00Z&telephonySessionId=s-1",
            vec!["telephonySessionId", "dateTo"],
        ),
        ("order=up", vec!["order"]),
        ("order=asc&pageToken=e30", vec!["pageToken"]),
        ("subscriptionId=a%20b", vec!["subscriptionId"]),
    ] {
        let wrong = world.get(&format!("/api/webhooks/events?{query}")).await;
        assert_eq!((wrong.status, wrong.fields()), (400, fields), "{wrong:?}");
    }
    // A token of one order is none of the other.
    let wrong = world.get(&format!("/api/webhooks/events?{}", &token[1..])).await;
    assert_eq!((wrong.status, wrong.fields()), (400, vec!["pageToken"]), "{wrong:?}");
}
