//! Reading a mailbox.

use serde_json::{Value, json};

use crate::support::*;

const ALL: &str = "dateFrom=2026-01-01&perPage=1000";

#[tokio::test]
async fn a_mailbox_is_filtered_by_what_its_messages_are() {
    let simulator = simulator();
    let client = Client::login(&simulator).await;
    let all = client.account("GET", &format!("/extension/~/message-store?{ALL}"), Value::Null).await;
    assert!(!all.records().is_empty());
    let created: Vec<&str> = all.records().iter().map(|one| one["creationTime"].as_str().unwrap()).collect();
    assert!(created.windows(2).all(|pair| pair[0] >= pair[1]));
    for (filter, field) in
        [("messageType=SMS", "type"), ("direction=Inbound", "direction"), ("readStatus=Unread", "readStatus")]
    {
        let value = filter.split('=').nth(1).unwrap();
        let some =
            client.account("GET", &format!("/extension/~/message-store?{ALL}&{filter}"), Value::Null).await;
        let expected = all.records().iter().filter(|one| one[field] == value).count();
        assert_eq!(some.records().len(), expected, "{filter}");
    }
    let newest = &all.records()[0];
    let at = newest["creationTime"].as_str().unwrap();
    let path = format!("/extension/~/message-store?dateFrom={at}&dateTo={at}");
    assert_eq!(client.account("GET", &path, Value::Null).await.records()[0], *newest);
    let one =
        client.account("GET", &format!("/extension/~/message-store/{}", newest["id"]), Value::Null).await;
    assert_eq!(one.body, *newest);
    assert_eq!(client.account("GET", "/extension/~/message-store/1", Value::Null).await.code(), "CMN-102");
    let wrong = client.account("GET", "/extension/~/message-store?messageType=Letter", Value::Null).await;
    assert_eq!((wrong.code(), &wrong.body["parameterName"]), ("CMN-101", &json!("messageType")));
}

#[tokio::test]
async fn all_messages_are_in_some_mailbox() {
    let simulator = simulator();
    simulator.enforce_limits(false);
    let client = Client::login(&simulator).await;
    let mut count = 0;
    for user in simulator.truth()["users"].as_array().unwrap() {
        let path = format!("/extension/{user}/message-store?{ALL}");
        count += client.account("GET", &path, Value::Null).await.records().len();
    }
    assert_eq!(count, 300);
}
