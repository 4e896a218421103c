//! Events that are made up: calls told in order, copies, changed order, and worlds that fit them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use trunkline_simulator::{EventsOrder, Simulator};

use crate::support::*;

const CALLS: &str = "/restapi/v1.0/account/~/telephony/sessions";

async fn listening(filters: &[&str]) -> (Simulator, Hook, Client) {
    let simulator = simulator();
    let hook = Hook::open().await;
    let client = Client::login(&simulator).await;
    let created = client.subscribe(filters, &hook.address).await;
    assert_eq!(created.status, 200, "{}", created.body);
    (simulator, hook, client)
}

#[tokio::test]
async fn calls_are_told_step_by_step() {
    let (simulator, hook, _) = listening(&[CALLS]).await;
    let order = EventsOrder { count: 100, sessions: Some(10), seed: Some(1), ..EventsOrder::default() };
    let made = simulator.generate_events(&order);
    assert_eq!((made.distinct, made.sends, made.uuids.len()), (100, 100, 100));
    simulator.tick().await;

    let mut sessions: HashMap<String, BTreeMap<u64, String>> = HashMap::new();
    for one in hook.bodies() {
        let body = &one["body"];
        let party = &body["parties"][0];
        assert!(one["event"].as_str().unwrap().contains(party["extensionId"].as_str().unwrap()));
        let code = party["status"]["code"].as_str().unwrap().to_owned();
        let session = sessions.entry(body["telephonySessionId"].as_str().unwrap().to_owned()).or_default();
        assert!(session.insert(body["sequence"].as_u64().unwrap(), code).is_none());
    }
    assert_eq!(sessions.len(), 10);
    for steps in sessions.values() {
        assert!(steps.keys().copied().eq(1..=10));
        assert_eq!((steps[&1].as_str(), steps[&3].as_str()), ("Setup", "Answered"));
        assert_eq!(steps[&10], "Disconnected");
    }
}

#[tokio::test]
async fn copies_share_a_uuid_and_order_changes_in_a_window() {
    let (simulator, hook, _) = listening(&[CALLS]).await;
    let order =
        EventsOrder { count: 400, duplicates: 0.25, reorder: true, seed: Some(9), ..EventsOrder::default() };
    let made = simulator.generate_events(&order);
    assert_eq!(made.distinct, 400);
    assert!((450..=550).contains(&made.sends), "{}", made.sends);
    simulator.tick().await;
    let heard = hook.bodies();
    assert_eq!(heard.len(), made.sends);
    let uuids: BTreeSet<&str> = heard.iter().map(|one| one["uuid"].as_str().unwrap()).collect();
    assert_eq!(uuids, made.uuids.iter().map(String::as_str).collect());
    let events = simulator.events();
    assert!(events.iter().all(|one| one.delivered == one.sends && (1..=2).contains(&one.sends)));
    assert_eq!(events.iter().map(|one| one.delivered).sum::<usize>(), made.sends);

    let position: HashMap<&str, usize> =
        made.uuids.iter().enumerate().map(|(at, id)| (id.as_str(), at)).collect();
    let arrived: Vec<usize> = heard.iter().map(|one| position[one["uuid"].as_str().unwrap()]).collect();
    assert!(arrived.windows(2).any(|pair| pair[0] > pair[1]));
}

#[tokio::test]
async fn the_same_seed_tells_the_same_story() {
    let mut told = Vec::new();
    for _ in 0..2 {
        let (simulator, _, _) = listening(&[CALLS, "/restapi/v1.0/account/~/presence"]).await;
        let order = EventsOrder { count: 50, seed: Some(4), ..EventsOrder::default() };
        told.push(simulator.generate_events(&order));
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn kinds_and_the_queries_of_filters_choose_what_comes() {
    let messages = "/restapi/v1.0/account/~/extension/~/message-store?type=Fax&direction=Inbound";
    let answered = "/restapi/v1.0/account/~/telephony/sessions?statusCode=Answered";
    let (simulator, hook, client) =
        listening(&[answered, messages, "/restapi/v1.0/account/~/extension"]).await;
    let faxes = "/extension/~/message-store?messageType=Fax&direction=Inbound&perPage=1000";
    let before = client.account("GET", faxes, Value::Null).await.records().len();

    let order = EventsOrder { count: 30, seed: Some(2), ..EventsOrder::default() };
    assert_eq!(simulator.generate_events(&order).distinct, 30);
    simulator.tick().await;
    let heard = hook.bodies();
    let of = |end: &str| -> Vec<&Value> {
        heard.iter().filter(|one| one["event"].as_str().unwrap().contains(end)).collect()
    };
    let (calls, stores) = (of("telephony/sessions?statusCode=Answered"), of("message-store?type=Fax"));
    assert_eq!((calls.len(), stores.len()), (10, 10));
    assert!(calls.iter().all(|one| one["body"]["parties"][0]["status"]["code"] == "Answered"));
    assert!(stores.iter().all(|one| one["body"]["changes"][0]["type"] == "Fax"));
    assert_eq!(client.account("GET", faxes, Value::Null).await.records().len(), before + 10);

    let order = EventsOrder { count: 5, kinds: vec!["extension-list".into()], ..EventsOrder::default() };
    simulator.generate_events(&order);
    assert_eq!(simulator.events().iter().filter(|one| one.kind == "extension-list").count(), 15);
    let nothing = EventsOrder { count: 5, kinds: vec!["presence".into()], ..EventsOrder::default() };
    assert_eq!(simulator.generate_events(&nothing).distinct, 0);
}

#[tokio::test]
async fn an_instant_message_is_in_the_mailbox() {
    let filter = "/restapi/v1.0/account/~/extension/~/message-store/instant?type=SMS";
    let (simulator, hook, client) = listening(&[filter]).await;
    simulator.generate_events(&EventsOrder { count: 1, ..EventsOrder::default() });
    simulator.tick().await;
    let body = hook.bodies().remove(0)["body"].take();
    let path = format!("/extension/~/message-store/{}", body["id"].as_str().unwrap());
    assert_eq!(client.account("GET", &path, Value::Null).await.body["subject"], body["subject"]);
}
