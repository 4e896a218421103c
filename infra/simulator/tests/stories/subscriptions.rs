//! Subscriptions: the handshake, the filters, the limit and the end.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use trunkline_simulator::{Clock, Config, Credentials, Simulator};

use crate::support::*;

const CALLS: &str = "/restapi/v1.0/account/~/telephony/sessions";

#[tokio::test]
async fn an_address_that_echoes_is_subscribed() {
    let simulator = simulator();
    let client = Client::login(&simulator).await;
    let hook = Hook::open().await;
    let filters = [CALLS, "/restapi/v1.0/account/~/extension/~/message-store?type=SMS"];
    let created = client.subscribe(&filters, &hook.address).await;
    assert_eq!(created.status, 200, "{}", created.body);
    let account = simulator.truth()["account_id"].as_u64().unwrap();
    let expanded = json!([
        format!("/restapi/v1.0/account/{account}/telephony/sessions"),
        format!("/restapi/v1.0/account/{account}/extension/{account}/message-store?type=SMS"),
    ]);
    assert_eq!(created.body["eventFilters"], expanded);
    assert_eq!((&created.body["expiresIn"], &created.body["status"]), (&604_799.into(), &"Active".into()));
    assert_eq!(
        created.body["deliveryMode"],
        json!({"transportType": "WebHook", "encryption": false, "address": hook.address})
    );
    let path = format!("{SUBSCRIPTION}/{}", created.body["id"].as_str().unwrap());
    assert_eq!(client.get(&path).await.body, created.body);
    assert_eq!(client.get(SUBSCRIPTION).await.records()[..], [created.body]);
    assert_eq!(client.send("DELETE", &path, Value::Null).await.status, 204);
    assert_eq!(client.get(&path).await.code(), "CMN-102");
}

#[tokio::test]
async fn every_failed_handshake_has_its_code() {
    let client = Client::login(&simulator()).await;
    let hook = Hook::open().await;
    let cases = [
        (Manner::NoEcho, "SUB-520"),
        (Manner::Silent, "SUB-521"),
        (Manner::WrongStatus(201), "SUB-525"),
        (Manner::WrongStatus(404), "SUB-525"),
        (Manner::NoMedia, "SUB-525"),
        (Manner::Large, "SUB-525"),
    ];
    for (manner, code) in cases {
        hook.behave(manner);
        let answer = client.subscribe(&[CALLS], &hook.address).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, code), "{manner:?}");
    }
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", nobody.local_addr().unwrap());
    drop(nobody);
    assert_eq!(client.subscribe(&[CALLS], &address).await.code(), "SUB-521");
    assert_eq!(client.subscribe(&[CALLS], "http://hooks.example.com/x").await.code(), "SUB-523");
    assert_eq!(client.subscribe(&[CALLS], "not an address").await.code(), "CMN-101");
    assert!(client.get(SUBSCRIPTION).await.records().is_empty());
}

#[tokio::test]
async fn filters_are_judged_before_anybody_is_called() {
    let client = Client::login(&simulator()).await;
    let hook = Hook::open().await;
    for filter in
        ["/restapi/v1.0/account/~/call-log", "nonsense", "/restapi/v1.0/account/~/extension/1/presence"]
    {
        assert_eq!(client.subscribe(&[CALLS, filter], &hook.address).await.code(), "SUB-508", "{filter}");
    }
    let foreign = client.subscribe(&["/restapi/v1.0/account/1/presence"], &hook.address).await;
    assert_eq!((foreign.status.as_u16(), foreign.code()), (403, "SUB-406"));
    let reminder = "/restapi/v1.0/subscription/~?threshold=60&interval=50";
    assert_eq!(client.subscribe(&[reminder], &hook.address).await.code(), "SUB-516");

    let mode = json!({"transportType": "WebHook", "address": hook.address});
    let cases = [
        (json!({"deliveryMode": mode}), "eventFilters"),
        (json!({"eventFilters": [CALLS]}), "deliveryMode"),
        (
            json!({"eventFilters": [CALLS], "deliveryMode": {"transportType": "WebHook"}}),
            "deliveryMode.address",
        ),
        (
            json!({"eventFilters": [CALLS], "deliveryMode": {"transportType": "PubNub"}}),
            "deliveryMode.transportType",
        ),
        (json!({"eventFilters": [CALLS], "deliveryMode": mode, "expiresIn": 315_360_001}), "expiresIn"),
    ];
    for (body, parameter) in cases {
        let answer = client.send("POST", SUBSCRIPTION, body).await;
        assert_eq!((answer.status.as_u16(), &answer.body["parameterName"]), (400, &json!(parameter)));
    }
    assert!(hook.notifications().is_empty());
}

#[tokio::test]
async fn a_filter_one_may_not_have_is_reported_and_left_out() {
    let simulator = Simulator::new(Config { disabled_filters: vec!["/presence".into()], ..config() });
    let client = Client::login(&simulator).await;
    let hook = Hook::open().await;
    let created = client.subscribe(&[CALLS, "/restapi/v1.0/account/~/presence"], &hook.address).await;
    assert_eq!(created.status, 200);
    assert_eq!(created.body["eventFilters"].as_array().unwrap().len(), 1);
    let disabled = &created.body["disabledFilters"][0];
    assert!(disabled["filter"].as_str().unwrap().ends_with("/presence") && disabled["reason"].is_string());
}

#[tokio::test]
async fn thirty_are_the_most_and_others_do_not_count() {
    let other =
        Credentials { client_id: "other".into(), client_secret: "s".into(), ..Credentials::default() };
    let simulator = Simulator::new(Config { more_credentials: vec![other.clone()], ..config() });
    let client = Client::login(&simulator).await;
    let stranger = Client::login_as(&simulator, &other).await;
    let hook = Hook::open().await;
    for _ in 0..30 {
        assert_eq!(client.subscribe(&[CALLS], &hook.address).await.status, 200);
    }
    let over = client.subscribe(&[CALLS], &hook.address).await;
    assert_eq!((over.status.as_u16(), over.code()), (403, "SUB-505"));
    let theirs = stranger.subscribe(&[CALLS], &hook.address).await;
    assert_eq!(theirs.status, 200);
    assert_eq!(stranger.get(SUBSCRIPTION).await.records().len(), 1);
    let path = format!("{SUBSCRIPTION}/{}", theirs.body["id"].as_str().unwrap());
    assert_eq!(client.get(&path).await.code(), "CMN-102");
}

#[tokio::test]
async fn what_is_not_renewed_expires() {
    let simulator = simulator();
    let hook = Hook::open().await;
    let client = Client::login(&simulator).await;
    let mode = json!({"transportType": "WebHook", "address": hook.address});
    let body = json!({"eventFilters": [CALLS], "deliveryMode": mode, "expiresIn": 1000});
    let created = client.send("POST", SUBSCRIPTION, body).await;
    assert_eq!(created.body["expiresIn"], 1000);
    let path = format!("{SUBSCRIPTION}/{}", created.body["id"].as_str().unwrap());

    simulator.clock().advance(Duration::from_secs(900));
    assert_eq!(client.get(&path).await.body["expiresIn"], 100);
    let presence = json!({"eventFilters": ["/restapi/v1.0/account/~/presence"], "expiresIn": 200});
    let updated = client.send("PUT", &path, presence).await;
    assert_eq!(updated.body["expiresIn"], 200);
    assert!(updated.body["eventFilters"][0].as_str().unwrap().ends_with("/presence"));
    let renewed = client.send("PUT", &path, Value::Null).await;
    assert_eq!(renewed.body["expiresIn"], 604_799);
    assert_eq!(client.send("POST", &format!("{path}/renew"), Value::Null).await.body["expiresIn"], 604_799);

    simulator.clock().advance(Duration::from_secs(604_799));
    let client = Client::login(&simulator).await;
    let gone = client.get(&path).await;
    assert_eq!((gone.status.as_u16(), gone.code()), (404, "SUB-507"));
    assert_eq!(client.send("POST", &format!("{path}/renew"), Value::Null).await.code(), "SUB-507");
    assert!(client.get(SUBSCRIPTION).await.records().is_empty());
}

#[tokio::test]
async fn a_lifetime_is_announced_on_the_clients_clock() {
    let simulator = Simulator::new(Config { clock: Clock::scaled(10.0), ..config() });
    let client = Client::login(&simulator).await;
    let hook = Hook::open().await;
    let created = client.subscribe(&[CALLS], &hook.address).await;
    assert_eq!(created.body["expiresIn"], 60_479);
}

#[tokio::test]
async fn a_reminder_comes_before_the_end() {
    let simulator = simulator();
    let hook = Hook::open().await;
    let client = Client::login(&simulator).await;
    let filters = [CALLS, "/restapi/v1.0/subscription/~?threshold=600&interval=300"];
    let mode = json!({"transportType": "WebHook", "address": hook.address});
    let body = json!({"eventFilters": filters, "deliveryMode": mode, "expiresIn": 3600});
    let created = client.send("POST", SUBSCRIPTION, body).await;
    simulator.advance(Duration::from_secs(2999)).await;
    assert!(hook.notifications().is_empty());
    for (step, left) in [(1, 600), (299, 301), (1, 300)] {
        simulator.advance(Duration::from_secs(step)).await;
        let reminders = hook.bodies();
        if left != 301 {
            assert_eq!(reminders.last().unwrap()["body"]["expiresIn"], left);
        }
    }
    let reminders = hook.bodies();
    assert_eq!(reminders.len(), 2);
    assert!(reminders[0]["event"].as_str().unwrap().contains(created.body["id"].as_str().unwrap()));
}
