//! Reading the call log, while it changes.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use serde_json::Value;

use crate::support::*;

const ALL: &str = "dateFrom=2026-01-01T00:00:00Z";

async fn walk(client: &Client, first: &str) -> Vec<Value> {
    let mut records = Vec::new();
    let mut next = Some(format!("{ACCOUNT}/{first}"));
    while let Some(path) = next {
        let page = client.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(page.body["paging"].get("totalPages").is_none());
        records.extend(page.records().iter().cloned());
        next = page.link("nextPage");
        // Whoever reads everything at ten pages a minute has to wait.
        client.simulator.clock().advance(Duration::from_secs(6));
    }
    records
}

fn ids(records: &[Value]) -> BTreeSet<String> {
    records.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_hold_every_call_once_newest_first() {
    let client = Client::login(&simulator()).await;
    let records = walk(&client, &format!("call-log?{ALL}&perPage=37")).await;
    assert_eq!((records.len(), ids(&records).len()), (400, 400));
    let starts: Vec<&str> = records.iter().map(|one| one["startTime"].as_str().unwrap()).collect();
    assert!(starts.windows(2).all(|pair| pair[0] >= pair[1]));
    let max = client.account("GET", &format!("/call-log?{ALL}&perPage=max"), Value::Null).await;
    assert_eq!(max.body["paging"]["perPage"], 1000);
}

#[tokio::test]
async fn both_ends_of_a_range_are_inclusive_to_the_millisecond() {
    let client = Client::login(&simulator()).await;
    let records = walk(&client, &format!("call-log?{ALL}&perPage=max")).await;
    let mut by_start: HashMap<&str, usize> = HashMap::new();
    for one in &records {
        *by_start.entry(one["startTime"].as_str().unwrap()).or_default() += 1;
    }
    let (start, count) = by_start.into_iter().max_by_key(|(start, count)| (*count, *start)).unwrap();
    assert_eq!(count, 4);
    let exactly = walk(&client, &format!("call-log?dateFrom={start}&dateTo={start}&perPage=3")).await;
    assert_eq!(ids(&exactly).len(), 4);
    let at: jiff::Timestamp = start.parse().unwrap();
    let millisecond = jiff::SignedDuration::from_millis(1);
    for (from, to) in [(at + millisecond, at + millisecond), (at - millisecond, at - millisecond)] {
        assert!(walk(&client, &format!("call-log?dateFrom={from}&dateTo={to}")).await.is_empty());
    }
}

#[tokio::test]
async fn without_dates_it_is_the_last_day() {
    let client = Client::login(&simulator()).await;
    let day = walk(&client, "call-log?perPage=max").await;
    assert!(!day.is_empty() && day.len() < 400);
    assert!(day.iter().all(|one| one["startTime"].as_str().unwrap() >= "2026-02-28T12:00:00.000Z"));
}

#[tokio::test]
async fn filters_and_views_do_what_they_say() {
    let client = Client::login(&simulator()).await;
    client.simulator.enforce_limits(false);
    let everything = walk(&client, &format!("call-log?{ALL}&perPage=max")).await;
    let inbound = walk(&client, &format!("call-log?{ALL}&perPage=max&direction=Inbound")).await;
    let outbound = walk(&client, &format!("call-log?{ALL}&perPage=max&direction=Outbound")).await;
    assert_eq!(inbound.len() + outbound.len(), everything.len());
    let faxes = walk(&client, &format!("call-log?{ALL}&perPage=max&type=Fax")).await;
    assert!(!faxes.is_empty() && faxes.iter().all(|one| one["type"] == "Fax"));
    assert!(everything.iter().all(|one| one.get("legs").is_none() && one.get("lastModifiedTime").is_none()));

    let detailed = walk(&client, &format!("call-log?{ALL}&perPage=max&view=Detailed")).await;
    assert!(
        detailed.iter().all(|one| one["legs"][0]["master"] == true && one["lastModifiedTime"].is_string())
    );
    let extension = detailed[0]["extension"]["id"].as_u64().unwrap();
    let own = walk(&client, &format!("extension/{extension}/call-log?{ALL}&perPage=max")).await;
    assert!(own.iter().all(|one| one["extension"]["id"] == extension));

    let path = format!("/call-log/{}?view=Detailed", own[0]["id"].as_str().unwrap());
    assert_eq!(client.account("GET", &path, Value::Null).await.body["sessionId"], own[0]["sessionId"]);
    assert_eq!(client.account("GET", "/call-log/nothing", Value::Null).await.code(), "CMN-102");
    for query in ["view=Full", "direction=Up", "type=SMS", "perPage=1001", "dateFrom=yesterday"] {
        assert_eq!(
            client.account("GET", &format!("/call-log?{query}"), Value::Null).await.code(),
            "CMN-101",
            "{query}"
        );
    }
}

#[tokio::test]
async fn calls_end_settle_and_get_their_recordings_later() {
    let simulator = simulator();
    let client = Client::login(&simulator).await;
    let path = format!("/call-log?{ALL}&perPage=max&view=Detailed");
    let before = client.account("GET", &path, Value::Null).await;
    let open: Vec<&Value> = before.records().iter().filter(|one| one["finished"] == false).collect();
    assert!(!open.is_empty() && open.iter().all(|one| one["result"] == "In Progress"));

    simulator.clock().advance(Duration::from_secs(1800));
    let after = client.account("GET", &path, Value::Null).await;
    assert!(after.records().iter().all(|one| one["finished"] == true && one["result"] != "In Progress"));
    let recorded = |page: &Answer| page.records().iter().filter(|one| one.get("recording").is_some()).count();
    assert!(recorded(&after) > recorded(&before));
    let modified = |page: &Answer, id: &Value| {
        let record = page.records().iter().find(|one| one["id"] == *id).unwrap();
        record["lastModifiedTime"].as_str().unwrap().to_owned()
    };
    assert!(open.iter().all(|one| modified(&after, &one["id"]) > modified(&before, &one["id"])));
}
