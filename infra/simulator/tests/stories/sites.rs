//! Sites and the extensions that belong to them.

use serde_json::{Value, json};

use crate::support::*;

#[tokio::test]
async fn a_site_comes_and_goes_and_its_people_return_to_the_main_site() {
    let client = Client::login(&simulator()).await;
    let listed = client.account("GET", "/sites", Value::Null).await;
    assert_eq!(listed.records().len(), 3);
    assert_eq!(listed.records()[0]["id"], "main-site");

    let site = client.account("POST", "/sites", json!({"name": "Lisbon", "fountain": true})).await;
    assert_eq!(site.status, 200);
    let id = site.body["id"].as_str().unwrap();
    let moved = client.account("PUT", "/extension/~", json!({"site": {"id": id}})).await;
    assert_eq!(moved.body["site"], json!({"id": id, "name": "Lisbon"}));

    let renamed = client.account("PUT", &format!("/sites/{id}"), json!({"name": "Porto"})).await;
    assert_eq!((&renamed.body["name"], &renamed.body["fountain"]), (&"Porto".into(), &true.into()));
    let own = client.account("GET", "/extension/~", Value::Null).await;
    assert_eq!(own.body["site"]["name"], "Porto");

    assert_eq!(client.account("DELETE", &format!("/sites/{id}"), Value::Null).await.status, 204);
    assert_eq!(client.account("GET", &format!("/sites/{id}"), Value::Null).await.code(), "CMN-102");
    let own = client.account("GET", "/extension/~", Value::Null).await;
    assert_eq!(own.body["site"]["id"], "main-site");
}

#[tokio::test]
async fn a_site_needs_a_name_and_a_free_number() {
    let client = Client::login(&simulator()).await;
    let nameless = client.account("POST", "/sites", json!({})).await;
    assert_eq!((nameless.code(), &nameless.body["parameterName"]), ("CMN-100", &"name".into()));
    let taken = client.account("POST", "/sites", json!({"name": "Rome", "extensionNumber": "101"})).await;
    assert_eq!(taken.code(), "CMN-406");
    assert_eq!(client.account("DELETE", "/sites/main-site", Value::Null).await.status, 403);
}
