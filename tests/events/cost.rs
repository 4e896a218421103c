//! What a delivery costs in DynamoDB, counted in what the store holds afterwards: `trunkline cost` must not promise less.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use simulator::EventsOrder;
use trunkline::{WRITES_OF_A_BATCH, WRITES_OF_AN_EVENT};
use trunkline_tests::{Answer, World};

/// How large DynamoDB says a value is (bytes).
fn size(value: &Value) -> usize {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    let text = value.as_str().unwrap();
    match kind.as_str() {
        "S" => text.len(),
        "N" => text.len().div_ceil(2) + 1,
        "B" => STANDARD.decode(text).unwrap().len(),
        other => panic!("{other}"),
    }
}

/// The size of each item of the events table that is an entry of the journal, and of each that is none.
async fn stored(world: &World) -> (Vec<usize>, Vec<usize>) {
    let items = world.items("trunkline-events").await;
    let items: Vec<_> = items.iter().map(|item| item.as_object().unwrap()).collect();
    let bytes = |journal: bool| {
        let wanted =
            items.iter().filter(|item| item["pk"]["S"].as_str().unwrap().contains("#journal#") == journal);
        wanted.map(|item| item.iter().map(|(name, value)| name.len() + size(value)).sum()).collect()
    };
    (bytes(true), bytes(false))
}

fn units(sizes: &[usize]) -> u32 {
    sizes.iter().map(|size| u32::try_from(size.div_ceil(1_024)).unwrap()).sum()
}

const FILTERS: &[&str] =
    &["/restapi/v1.0/account/~/telephony/sessions", "/restapi/v1.0/account/~/extension/~/message-store"];

#[tokio::test]
async fn a_delivery_writes_what_the_bill_says() {
    for kind in ["telephony", "message-store"] {
        let world = World::new().await;
        world.subscribe(FILTERS).await;
        let before = world.aws().stats();
        let order =
            EventsOrder { count: 10, kinds: vec![kind.to_owned()], seed: Some(1), ..EventsOrder::default() };
        world.simulator.generate_events(&order);
        world.settle().await;
        let after = world.aws().stats();
        let writes = "DynamoDB_20120810.PutItem";
        assert_eq!(after.requests(writes) - before.requests(writes), 11, "{kind}: a batch, and its events");
        let tables = "DynamoDB_20120810.";
        assert_eq!(after.requests_to(tables) - before.requests_to(tables), 11, "{kind}: nothing is read");
        let (entries, events) = stored(&world).await;
        println!("{kind}: an entry of ten events has {entries:?} bytes, the events have {events:?}");
        assert_eq!((entries.len(), events.len()), (1, 10));
        assert_eq!(units(&entries), WRITES_OF_A_BATCH, "{kind}: {entries:?} bytes");
        assert_eq!(units(&events), 10 * WRITES_OF_AN_EVENT, "{kind}: {events:?} bytes");
    }
}

/// A duplicate is refused by its condition, which costs as much as the event.
#[tokio::test]
async fn a_duplicate_costs_what_an_event_costs() {
    let world = World::new().await;
    let (path, token) = world.signed_address().await;
    let deliver = async || {
        let delivery = world.anonymous("POST", &path).header("verification-token", &token);
        assert_eq!(Answer::of(delivery.body("{\"uuid\":\"1\"}")).await.status, 200);
        let before = world.aws().stats();
        world.dispatch().await;
        let after = world.aws().stats();
        after.requests("DynamoDB_20120810.PutItem") - before.requests("DynamoDB_20120810.PutItem")
    };
    assert_eq!((deliver().await, deliver().await), (2, 2));
    assert_eq!(world.events("").await.len(), 1);
}

/// As they are written down, indented, and as RingCentral sends them. Set where its samples lie beside the checkout.
#[tokio::test]
async fn ringcentrals_own_samples_of_calls_fit_into_one_write_unit() {
    let Ok(folder) = std::env::var("RINGCENTRAL_SAMPLES") else { return };
    for file in ["account-telephony-sessions.json", "extension-telephony-sessions.json"] {
        let indented = std::fs::read_to_string(format!("{folder}/events/{file}")).unwrap();
        let plain = serde_json::from_str::<Value>(&indented).unwrap().to_string();
        for sample in [indented, plain] {
            let world = World::new().await;
            let (path, token) = world.signed_address().await;
            let delivery = world.anonymous("POST", &path).header("verification-token", &token);
            assert_eq!(Answer::of(delivery.body(sample.clone())).await.status, 200);
            world.dispatch().await;
            let (_, events) = stored(&world).await;
            println!("{file}: {} bytes are stored in {events:?}", sample.len());
            assert_eq!(units(&events), WRITES_OF_AN_EVENT, "{file}: {events:?} bytes");
        }
    }
}
