//! The state of one call: what its events say together, each happening counted once.

use serde_json::{Value, json};
use trunkline_tests::World;

use crate::shapes::{deliver, listed};

/// A telephony event as RingCentral sends it.
fn event(uuid: &str, subscription: &str, scope: &str, body: &Value) -> String {
    json!({"uuid": uuid, "event": format!("/restapi/v1.0/account/400100200/{scope}telephony/sessions"),
        "timestamp": "2026-11-20T08:00:00.100Z", "subscriptionId": subscription, "ownerId": "400100201", "body": body})
    .to_string()
}

/// A happening in a call of one party.
fn happening(session: &str, sequence: &Value, second: u32, status: &Value) -> Value {
    json!({"sequence": sequence, "telephonySessionId": session, "eventTime": format!("2026-11-20T08:00:{second:02}.090Z"),
        "parties": [{"id": "p-2", "direction": "Inbound", "extensionId": "400100202", "status": status}]})
}

/// C07: sequence 2, 5 (hung up), 3 and 3 again.
#[tokio::test]
async fn a_call_that_was_hung_up_does_not_come_back_to_life() {
    let world = World::new().await;
    for (uuid, sequence, status) in
        [("1", 2, "Proceeding"), ("4", 5, "Disconnected"), ("2", 3, "Answered"), ("2", 3, "Answered")]
    {
        let body = happening("s-c07", &json!(sequence), sequence, &json!({"code": status}));
        assert_eq!(deliver(&world, &event(uuid, "s-1", "", &body)).await, 200);
        world.time.advance(std::time::Duration::from_secs(1));
    }
    world.dispatch().await;
    let session = world.get("/api/webhooks/sessions/s-c07").await.json;
    assert_eq!(session["parties"]["p-2"]["status"], "Disconnected", "{session}");
    assert_eq!((&session["sequence"], &session["eventsApplied"]), (&json!(5), &json!(3)), "{session}");
    assert_eq!(session["eventsLate"], 1);
    assert_eq!(world.events("").await.len(), 3);
}

/// C05 and C06: one happening comes by two filters of a subscription, and by another subscription too.
#[tokio::test]
async fn regression_a_happening_is_counted_once_by_however_many_ways_it_comes() {
    let world = World::new().await;
    for (sequence, status) in [(1, "Setup"), (2, "Answered"), (3, "Disconnected")] {
        let body = happening("s-c06", &json!(sequence), sequence, &json!({"code": status}));
        for (subscription, scope) in [("s-1", ""), ("s-1", "extension/400100202/"), ("s-2", "")] {
            let uuid = format!("u-{sequence}");
            assert_eq!(deliver(&world, &event(&uuid, subscription, scope, &body)).await, 200);
            world.time.advance(std::time::Duration::from_secs(1));
        }
    }
    world.dispatch().await;
    assert_eq!(world.events("").await.len(), 9, "each notification is kept");
    let session = world.get("/api/webhooks/sessions/s-c06").await.json;
    assert_eq!((&session["eventsApplied"], &session["notifications"]), (&json!(3), &json!(9)), "{session}");
    assert_eq!(session["eventsLate"], 0);
    assert_eq!(session["parties"]["p-2"]["status"], "Disconnected");
}

/// What happens to two parties at the same moment is two happenings.
#[tokio::test]
async fn happenings_of_one_sequence_are_told_apart_by_their_parties() {
    let world = World::new().await;
    for party in ["p-1", "p-2"] {
        let mut body = happening("s", &json!(4), 4, &json!({"code": "Answered"}));
        body["parties"][0]["id"] = json!(party);
        assert_eq!(deliver(&world, &event(party, "s-1", "", &body)).await, 200);
    }
    world.dispatch().await;
    let session = world.get("/api/webhooks/sessions/s").await.json;
    assert_eq!((&session["eventsApplied"], &session["notifications"]), (&json!(2), &json!(2)), "{session}");
}

#[tokio::test]
async fn regression_a_sequence_that_is_no_number_of_ours_is_null_and_never_invented() {
    let world = World::new().await;
    for (uuid, sequence) in
        [("a", "\"7\""), ("b", "1.5"), ("c", "9223372036854775808"), ("d", "null"), ("e", "6")]
    {
        let body = happening("s-odd", &json!("SEQUENCE"), 1, &json!({"code": "Setup"}));
        let body = event(uuid, "s-1", "", &body).replace("\"SEQUENCE\"", sequence);
        assert_eq!(deliver(&world, &body).await, 200);
    }
    let alone = happening("s-none", &json!("7"), 1, &json!({"code": "Setup"}));
    assert_eq!(deliver(&world, &event("f", "s-1", "", &alone)).await, 200);
    world.dispatch().await;
    let sequences: Vec<_> = listed(&world, "&telephonySessionId=s-odd")
        .await
        .into_iter()
        .map(|record| (record["uuid"].clone(), record["sequence"].clone()))
        .collect();
    assert_eq!(sequences.len(), 5, "{sequences:?}");
    for (uuid, sequence) in sequences {
        let expected = if uuid == "\"e\"" { "6" } else { "null" };
        assert_eq!(sequence, expected, "{uuid}");
    }
    let session = world.get("/api/webhooks/sessions/s-odd").await.json;
    assert_eq!((&session["sequence"], &session["eventsApplied"]), (&json!(6), &json!(5)), "{session}");
    let session = world.get("/api/webhooks/sessions/s-none").await.json;
    assert_eq!(session["sequence"], Value::Null, "{session}");
    assert_eq!(session["parties"]["p-2"]["sequence"], Value::Null, "{session}");
}

#[tokio::test]
async fn regression_whatever_the_id_of_a_call_is_made_of_it_can_be_read_by_it() {
    let world = World::new().await;
    for (id, in_path) in [("s#1/2 ü", "s%231%2F2%20%C3%BC"), ("電話 %41", "%E9%9B%BB%E8%A9%B1%20%2541")] {
        let body = happening(id, &json!(1), 1, &json!({"code": "Setup"}));
        assert_eq!(deliver(&world, &event(id, "s-1", "", &body)).await, 200);
        world.dispatch().await;
        let session = world.get(&format!("/api/webhooks/sessions/{in_path}")).await;
        assert_eq!((session.status, &session.json["telephonySessionId"]), (200, &json!(id)), "{session:?}");
        assert_eq!(world.events(&format!("&telephonySessionId={in_path}")).await.len(), 1, "{id}");
    }
}

#[tokio::test]
async fn regression_the_state_says_who_since_when_and_whether_it_is_over() {
    let world = World::new().await;
    let told = async |sequence: u32, parties: Value| {
        let body = json!({"sequence": sequence, "telephonySessionId": "s-52", "origin": {"type": "Call"},
            "eventTime": format!("2026-11-20T08:00:0{sequence}.000Z"), "parties": parties});
        assert_eq!(deliver(&world, &event(&sequence.to_string(), "s-1", "", &body)).await, 200);
        world.dispatch().await;
        world.get("/api/webhooks/sessions/s-52").await.json
    };
    let caller = json!({"phoneNumber": "+14155550144", "name": "Ida Cole"});
    let queue = json!({"phoneNumber": "+14155550101", "extensionId": "400100210", "name": "Support"});
    let session = told(
        1,
        json!([{"id": "p-1", "direction": "Inbound", "from": caller, "to": queue, "queueCall": true,
        "status": {"code": "Proceeding"}}]),
    )
    .await;
    let party = &session["parties"]["p-1"];
    assert_eq!((&party["from"], &party["to"], &party["queueCall"]), (&caller, &queue, &json!(true)));
    assert_eq!(session["startTime"], "2026-11-20T08:00:01.000Z");
    assert_eq!((&session["ended"], &session["endTime"]), (&json!(false), &Value::Null), "{session}");

    // What a later event does not repeat still holds.
    let recordings = json!([{"id": "r-1", "active": true}]);
    let session =
        told(2, json!([{"id": "p-1", "recordings": recordings, "status": {"code": "Answered"}}])).await;
    let party = &session["parties"]["p-1"];
    assert_eq!(
        (&party["from"], &party["recordings"], &party["status"]),
        (&caller, &recordings, &json!("Answered"))
    );

    // The leg was transferred: the call goes on with another.
    let transferred = json!({"code": "Disconnected", "reason": "BlindTransfer"});
    let session = told(3, json!([{"id": "p-1", "status": transferred}])).await;
    assert_eq!(
        (&session["ended"], &session["parties"]["p-1"]["reason"]),
        (&json!(false), &json!("BlindTransfer"))
    );
    let session = told(4, json!([{"id": "p-2", "status": {"code": "Answered"}}])).await;
    assert_eq!(session["ended"], false);
    let session = told(5, json!([{"id": "p-2", "status": {"code": "Disconnected"}}])).await;
    assert_eq!((&session["ended"], &session["endTime"]), (&json!(true), &json!("2026-11-20T08:00:05.000Z")));
    assert_eq!(session["startTime"], "2026-11-20T08:00:01.000Z");
}
