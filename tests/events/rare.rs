//! Lists of what is rare, told below HTTP: a page costs a bounded number of reads, and the pages come to an end.

use clock::Millis;
use events::{Event, EventQuery, EventStore, Incoming, Kind};
use futures::StreamExt;
use serde_json::json;
use tables::EventTable;
use trunkline_tests::World;

const NOON: Millis = 1_795_003_200_000;
const MINUTE: Millis = 60_000;
/// What a page may ask of the journal.
const QUERIES: u64 = 10;

fn event(world: &World, of: &str, number: i64, received_at: Millis) -> Event {
    let body = json!({"uuid": number.to_string(), "subscriptionId": "s", "event": of}).to_string();
    let tenant = "acme".parse().unwrap();
    let incoming = Incoming { tenant, received_at, request_id: "r".to_owned(), body };
    world.wiring.processor().read(incoming).unwrap()
}

/// Pages until the end: what they hold, and how often each asked the journal and the table.
async fn pages(world: &World, store: &EventTable, query: EventQuery) -> (Vec<String>, Vec<(u64, u64)>) {
    let (mut uuids, mut reads, mut after) = (Vec::new(), Vec::new(), None);
    loop {
        let before = world.aws().stats();
        let query = EventQuery { after, ..query.clone() };
        let page = store.list(&"acme".parse().unwrap(), &query).await.unwrap();
        let now = world.aws().stats();
        let asked = |operation: &str| {
            let target = format!("DynamoDB_20120810.{operation}");
            now.requests(&target) - before.requests(&target)
        };
        reads.push((asked("Query"), asked("BatchGetItem")));
        assert!(reads.len() < 1_000, "the pages have no end");
        uuids.extend(page.events.into_iter().filter_map(|event| event.uuid));
        match page.next {
            Some(next) => after = Some(next),
            None => return (uuids, reads),
        }
    }
}

fn query(kind: Option<Kind>, from: Millis, to: Millis) -> EventQuery {
    EventQuery { kind, session: None, subscription: None, from, to, limit: 100, after: None }
}

#[tokio::test]
async fn regression_a_list_of_a_rare_kind_ends() {
    let world = World::new().await;
    let store = world.wiring.events();
    // Five thousand entries, of which every five hundredth has what is asked for.
    for first in (0..5_000).step_by(25) {
        let made = (first..first + 25).map(|n| {
            let rare = n % 500 == 0;
            let of = match rare {
                true => "/restapi/v1.0/account/1/extension/2/fax",
                false => "/restapi/v1.0/account/1/presence",
            };
            (rare, event(&world, of, n, NOON - n * 2 * MINUTE))
        });
        let some: Vec<_> = made.collect();
        let announced = store.announce(&some.iter().map(|(_, event)| event).collect::<Vec<_>>()).await;
        for ((rare, event), entry) in some.iter().zip(announced) {
            if *rare {
                store.apply(event, entry.unwrap()).await.unwrap();
            }
        }
        // No backlog is worked off in an instant.
        world.time.advance(std::time::Duration::from_secs(10));
    }
    let whole = query(Some(Kind::Fax), NOON - 10_000 * MINUTE, NOON);
    let (found, reads) = pages(&world, &store, whole).await;
    println!("reads of each page, of the journal and of the table: {reads:?}");
    assert_eq!(found, (0..10).map(|n| (n * 500).to_string()).collect::<Vec<_>>());
    assert!(reads.iter().all(|(queries, _)| *queries <= QUERIES), "{reads:?}");
    // Nor does it cost more to find nothing.
    let (none, reads) =
        pages(&world, &store, query(Some(Kind::Voicemail), NOON - 10_000 * MINUTE, NOON)).await;
    assert!(none.is_empty() && reads.iter().all(|(queries, _)| *queries <= QUERIES), "{reads:?}");
}

/// What was announced and never came is looked up in vain.
#[tokio::test]
async fn regression_a_list_of_what_never_came_ends() {
    let world = World::new().await;
    let store = world.wiring.events();
    let presence = "/restapi/v1.0/account/1/presence";
    let made: Vec<_> = (0..3_000).map(|n| event(&world, presence, n, NOON - n * 1_000)).collect();
    let announced = store.announce(&made.iter().collect::<Vec<_>>()).await;
    store.apply(&made[2_999], announced[2_999].clone().unwrap()).await.unwrap();
    let (found, reads) = pages(&world, &store, query(None, NOON - 10_000 * MINUTE, NOON)).await;
    println!("reads of each page, of the journal and of the table: {reads:?}");
    assert_eq!(found, ["2999"]);
    assert!(reads.iter().all(|(queries, lookups)| *queries <= QUERIES && *lookups <= QUERIES), "{reads:?}");
}

/// So much in a minute that a page can't read past it: it goes on as long as it has to, and never stands still.
#[tokio::test]
async fn a_minute_with_more_entries_than_a_page_reads_is_passed() {
    let world = World::new().await;
    let store = world.wiring.events();
    let presence = "/restapi/v1.0/account/1/presence";
    let made: Vec<_> = (0..5_200).map(|n| event(&world, presence, n, NOON - n)).collect();
    let announced = made.iter().map(async |one| store.announce(&[one]).await.pop().unwrap().unwrap());
    let entries: Vec<_> = futures::stream::iter(announced).buffered(20).collect().await;
    store.apply(&made[5_199], entries[5_199]).await.unwrap();
    let (found, _) = pages(&world, &store, query(Some(Kind::Presence), NOON - 10 * MINUTE, NOON)).await;
    assert_eq!(found, ["5199"]);
}

/// Every day is a partition of the journal, and an empty one costs as much as any.
#[tokio::test]
async fn regression_a_month_without_events_is_no_month_of_reads() {
    let world = World::new().await;
    let store = world.wiring.events();
    let (found, reads) = pages(&world, &store, query(None, NOON - 31 * 24 * 60 * MINUTE, NOON)).await;
    assert!(found.is_empty());
    assert!(reads.iter().all(|(queries, _)| *queries <= QUERIES), "{reads:?}");
}
