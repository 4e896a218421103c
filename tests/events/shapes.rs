//! Events of every shape that JSON allows: what the receiver takes is listed, byte for byte.

use std::collections::HashMap;

use serde_json::value::RawValue;
use trunkline_tests::{Answer, World};

/// A list of events as it came, without a look at what the deliveries say.
#[derive(serde::Deserialize)]
struct Listed {
    records: Vec<HashMap<String, Box<RawValue>>>,
}

pub(crate) type Record = HashMap<String, String>;

/// Every processed event of one page: each field as it is written.
pub(crate) async fn listed(world: &World, filter: &str) -> Vec<Record> {
    let page = world.get(&format!("/api/webhooks/events?perPage=500{filter}")).await;
    assert_eq!(page.status, 200, "{page:?}");
    let listed: Listed = serde_json::from_str(&page.text).unwrap();
    let text = |(name, value): (String, Box<RawValue>)| (name, value.get().to_owned());
    listed.records.into_iter().map(|record| record.into_iter().map(text).collect()).collect()
}

pub(crate) async fn deliver(world: &World, body: &str) -> u16 {
    let (path, token) = world.signed_address().await;
    let request = world.anonymous("POST", &path).header("verification-token", token);
    Answer::of(request.body(body.to_owned())).await.status
}

fn nested(depth: usize) -> String {
    format!("{}1{}", "[".repeat(depth), "]".repeat(depth))
}

/// What a delivery is, and the kind it is listed as.
fn shapes() -> Vec<(String, &'static str)> {
    let event = |uuid: &str, path: &str, body: &str| {
        format!(
            "{{\"uuid\":{uuid},\"event\":\"/restapi/v1.0/account/1/{path}\",\"subscriptionId\":\"s-1\",\"body\":{body}}}"
        )
    };
    let sms = "extension/2/message-store/instant?type=SMS";
    vec![
        // A text that is cut in the middle of an emoji (C01).
        (event("\"half\"", sms, "{\"subject\":\"see you at five \\ud83d\"}"), "instant-message"),
        (event("\"half-\\ud83d\"", sms, "{}"), "instant-message"),
        (event("\"half-\\ude00\"", sms, "{}"), "instant-message"),
        (event("\"h\"", "telephony/sessions", "{\"telephonySessionId\":\"s\\ud83d\"}"), "telephony-session"),
        ("{\"\\ud83d\":1,\"uuid\":\"name\"}".to_owned(), "unknown"),
        // Numbers that no machine has a type for; ids that JavaScript would round (C13).
        (event("\"huge\"", sms, "{\"a\":1e400,\"b\":-1E+9999}"), "instant-message"),
        (event("123456789012345678901", "presence", "{}"), "presence"),
        (event("123456789012345678902", "presence", "{}"), "presence"),
        (event("1823485288313944239", "presence", "{\"id\":4178398077955743750,\"w\":1.10}"), "presence"),
        // Deeper than parsers go.
        (event("\"deep\"", sms, &nested(200)), "instant-message"),
        (event("\"deeper\"", sms, &format!("{{\"a\":{}}}", nested(10_000))), "instant-message"),
        (format!("{{\"a\":{}}}", nested(10_000)), "unknown"),
        (format!("{{\"event\":{},\"uuid\":{}}}", nested(200), nested(200)), "unknown"),
        // Names that come twice: the last one counts, as in most readers.
        (
            "{\"event\":\"/x\",\"event\":\"/team-messaging/v1/posts\",\"body\":1,\"body\":{}}".to_owned(),
            "team-messaging-post",
        ),
        ("{\"pn_apns\":7,\"pn_apns\":{\"event\":\"/team-messaging/v1/posts\"}}".to_owned(), "team-messaging-post"),
        ("{\"uuid\":null,\"event\":7,\"subscriptionId\":{},\"body\":\"\",\"timestamp\":[]}".to_owned(), "unknown"),
        ("{ \"text\" : \"\u{ffff}\u{fffe} \u{feff}\" ,\n\"uuid\":\"spaces\"\t}".to_owned(), "unknown"),
        // Two events without an id of their own are two.
        (event("\"\"", "presence", "{\"n\":1}"), "presence"),
        (event("\"\"", "presence", "{\"n\":2}"), "presence"),
        // The parties of C09 are one party; the post of C11 has no text.
        (
            event("\"c09\"", "extension/2/telephony/sessions",
                "{\"sequence\":1,\"telephonySessionId\":\"s-c09\",\"parties\":{\"id\":\"p-1\",\"status\":{\"code\":\"Setup\"}}}"),
            "telephony-session",
        ),
        (
            "{\"uuid\":\"c11\",\"event\":\"/team-messaging/v1/posts\",\"body\":{\"id\":91100011,\"groupId\":81100022}}"
                .to_owned(),
            "team-messaging-post",
        ),
        // The reminders of C12: as the filter was written, and with the id in its place.
        (
            "{\"uuid\":\"c12-1\",\"event\":\"/restapi/v1.0/subscription/~?threshold=60&interval=10\"}".to_owned(),
            "renewal-reminder",
        ),
        (
            "{\"uuid\":\"c12-2\",\"event\":\"/restapi/v1.0/subscription/s-1?threshold=60&interval=10\"}".to_owned(),
            "renewal-reminder",
        ),
    ]
}

#[tokio::test]
async fn regression_what_is_taken_is_listed_byte_for_byte() {
    let world = World::new().await;
    let shapes = shapes();
    for (body, _) in &shapes {
        assert_eq!(deliver(&world, body).await, 200, "{}", &body[..body.len().min(200)]);
    }
    world.dispatch().await;
    assert_eq!(world.depth(&world.cloud.dead_letters).await, 0);
    let listed = listed(&world, "").await;
    for (body, kind) in &shapes {
        let of_body: Vec<_> = listed.iter().filter(|record| record["delivery"] == *body).collect();
        let told = &body[..body.len().min(200)];
        assert_eq!(of_body.len(), 1, "{told} is listed so often");
        assert_eq!(of_body[0]["kind"], format!("\"{kind}\""), "{told}");
    }
    assert_eq!(listed.len(), shapes.len());
    let digits = |record: &&Record| record["uuid"] == "\"123456789012345678902\"";
    assert_eq!(listed.iter().filter(digits).count(), 1, "every digit of an id is kept");
    let session = world.get("/api/webhooks/sessions/s-c09").await;
    assert_eq!(session.json["parties"]["p-1"]["status"], "Setup", "{session:?}");
}

/// A body that is refused says why, in a word that is true.
#[tokio::test]
async fn what_is_no_event_is_refused_at_the_door_for_what_it_is() {
    let world = World::new().await;
    let (path, token) = world.signed_address().await;
    for (body, reason) in [
        (b"\xef\xbb\xbf{\"uuid\":\"1\"}".to_vec(), "must not begin with a byte order mark"),
        (b"{\"a\":\"\xe9\"}".to_vec(), "must be UTF-8"),
        (b"[1]".to_vec(), "must be a JSON object"),
        (b"{\"a\":01}".to_vec(), "must be a JSON object"),
        (b"{\"a\":1}{}".to_vec(), "must be a JSON object"),
    ] {
        let request = world.anonymous("POST", &path).header("verification-token", &token);
        let answer = Answer::of(request.body(body.clone())).await;
        assert_eq!(answer.status, 400, "{body:?}");
        assert_eq!(answer.json["errors"][0]["reason"], reason, "{answer:?}");
    }
}
