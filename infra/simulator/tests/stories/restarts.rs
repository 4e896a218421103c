//! What outlives a restart: the company as the API has left it.

use serde_json::{Value, json};
use trunkline_simulator::{Config, Simulator};

use crate::support::*;

fn kept(folder: &tempfile::TempDir, seed: u64) -> Simulator {
    Simulator::new(Config { seed, kept_in: Some(folder.path().join("simulator.json")), ..config() })
}

#[tokio::test]
async fn regression_what_the_api_created_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let hook = Hook::open().await;
    let before = kept(&folder, 1);
    let client = Client::login(&before).await;
    let ada =
        json!({"contact": {"firstName": "Ada", "email": "ada@acme.example"}, "extensionNumber": "7001"});
    let id = client.account("POST", "/extension", ada).await.body["id"].clone();
    let gone = before.truth()["users"][3].clone();
    assert_eq!(client.account("DELETE", &format!("/extension/{gone}"), Value::Null).await.status, 204);
    client.account("POST", "/sites", json!({"name": "North", "extensionNumber": "9901"})).await;
    let renamed = before.truth()["users"][4].clone();
    client.account("PUT", &format!("/extension/{renamed}"), json!({"contact": {"firstName": "Zoe"}})).await;
    client.subscribe(&["/restapi/v1.0/account/~/telephony/sessions"], &hook.address).await;
    let (truth, calls) =
        (before.truth(), client.account("GET", "/call-log?view=Simple", Value::Null).await.body);
    // Nothing says goodbye.
    drop((before, client));

    let after = kept(&folder, 1);
    assert!(after.truth()["extensions"] == truth["extensions"] && after.truth()["sites"] == truth["sites"]);
    assert_eq!(after.truth()["counts"], truth["counts"]);
    let client = Client::login(&after).await;
    let read = client.account("GET", &format!("/extension/{id}"), Value::Null).await;
    assert_eq!(read.body["contact"]["firstName"], "Ada");
    let listed = client.account("GET", "/call-log?view=Simple", Value::Null).await.body;
    assert_eq!(listed["records"][0]["id"], calls["records"][0]["id"]);
    // The subscription delivers as before, and new ids go on where the old ones ended.
    after.generate_events(&serde_json::from_value(json!({"count": 1})).unwrap());
    after.advance(std::time::Duration::from_secs(5)).await;
    assert_eq!(hook.notifications().len(), 1);
    assert_eq!(hook.notifications()[0].0["verification-token"], "s3cret");
    let bob = json!({"contact": {"firstName": "Bob", "email": "bob@acme.example"}});
    assert!(client.account("POST", "/extension", bob).await.body["id"].as_u64() > id.as_u64());
}

#[tokio::test]
async fn another_seed_or_a_reset_starts_anew() {
    let folder = tempfile::tempdir().unwrap();
    let ada = json!({"contact": {"firstName": "Ada", "email": "ada@acme.example"}});
    let first = kept(&folder, 1);
    let clean = first.truth();
    Client::login(&first).await.account("POST", "/extension", ada.clone()).await;
    assert!(kept(&folder, 1).truth() != clean);
    let other = kept(&folder, 2);
    assert_eq!(other.truth()["counts"]["extensions"], 60);
    let again = kept(&folder, 1);
    again.reset();
    assert!(again.truth() == clean);
    assert!(kept(&folder, 1).truth() == clean);
}
