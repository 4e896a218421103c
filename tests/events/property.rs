//! A door and a reader that agree: each body that the receiver takes is read by the dispatcher and given back by the list.

use std::collections::{HashMap, HashSet};

use events::{Envelope, Event};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};
use trunkline_tests::World;

use crate::shapes::{deliver, listed};

/// Parts of strings that parsers stumble over, written as JSON writes them.
fn characters() -> impl Strategy<Value = String> {
    let odd = [
        r"\ud83d",
        r"\ude00",
        r"\ud83d\ude00",
        r"\u0000",
        r"\u0041",
        r#"\""#,
        r"\\",
        r"\/",
        r"\n",
        "é",
        "電",
        "\u{1f600}",
        "\u{ffff}",
        "\u{fffe}",
        "\u{feff}",
        "\u{2028}",
        "#",
        " ",
        "{",
        "]",
    ];
    prop_oneof![3 => "[a-z0-9/?=~-]{1,8}", 2 => prop::sample::select(odd.to_vec()).prop_map(str::to_owned)]
}

fn string() -> impl Strategy<Value = String> {
    prop::collection::vec(characters(), 0..6).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

fn scalar() -> impl Strategy<Value = String> {
    let odd = [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1.10",
        "1e400",
        "-1E+9999",
        "1e-9999",
        "9223372036854775808",
        "18446744073709551616",
        "123456789012345678901",
        "4178398077955743750",
        "{}",
        "[]",
    ];
    prop_oneof![
        prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
        string(),
        (1..400_usize).prop_map(|depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth))),
        (1..400_usize).prop_map(|depth| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth))),
    ]
}

/// Names that are read, and others; each may come twice.
fn name() -> impl Strategy<Value = String> {
    let read = [
        "uuid",
        "event",
        "timestamp",
        "subscriptionId",
        "body",
        "pn_apns",
        "telephonySessionId",
        "sequence",
        "eventTime",
        "parties",
        "id",
        "status",
        "code",
        "from",
        "to",
        "recordings",
        r"\u0075uid",
    ];
    prop_oneof![
        8 => prop::sample::select(read.to_vec()).prop_map(|name| format!("\"{name}\"")),
        1 => string(),
    ]
}

fn path() -> impl Strategy<Value = String> {
    let known = [
        "/restapi/v1.0/account/1/telephony/sessions",
        "/restapi/v1.0/account/1/extension/2/telephony/sessions?statusCode=Setup",
        "/restapi/v1.0/account/1/extension/2/message-store/instant?type=SMS",
        "/restapi/v1.0/subscription/~?threshold=60&interval=10",
    ];
    prop::sample::select(known.to_vec()).prop_map(|path| format!("\"{path}\""))
}

fn object(value: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = String> {
    let space = || prop::sample::select(vec!["", " ", "\n", "\t"]);
    let field = (name(), space(), value, space())
        .prop_map(|(name, before, value, after)| format!("{name}:{before}{value}{after}"));
    prop::collection::vec(field, 0..8).prop_map(|fields| format!("{{{}}}", fields.join(",")))
}

/// A delivery of some kind, or of none.
fn body() -> impl Strategy<Value = String> {
    let inner = scalar().prop_recursive(3, 24, 4, |value| {
        prop_oneof![
            object(value.clone()),
            prop::collection::vec(value, 0..4).prop_map(|items| format!("[{}]", items.join(","))),
        ]
    });
    let any = object(inner.clone());
    let call =
        (path(), object(inner.clone()), scalar(), scalar()).prop_map(|(path, body, uuid, subscription)| {
            format!("{{\"event\":{path},\"uuid\":{uuid},\"subscriptionId\":{subscription},\"body\":{body}}}")
        });
    let wrapped = (path(), object(inner)).prop_map(|(path, body)| {
        format!("{{\"uuid\":\"1\",\"pn_apns\":{{\"event\":{path},\"body\":{body}}}}}")
    });
    prop_oneof![any, call, wrapped]
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(2_000) })]

    #[test]
    fn whatever_the_door_takes_can_be_read(body in prop_oneof![9 => body(), 1 => any::<String>()]) {
        let read = Event::read("acme".parse().unwrap(), body.clone(), 0, 0);
        match Envelope::check(&body) {
            Ok(()) => {
                let event = read.unwrap();
                prop_assert!(event.raw == body);
                // The call that it belongs to can be told too, however strange its parts.
                if let Some((id, _)) = &event.session {
                    let state = events::TelephonySession::of(id, std::slice::from_ref(&event)).unwrap();
                    prop_assert_eq!(state.notifications, 1);
                    prop_assert!(serde_json::to_string(&state).is_ok());
                }
            }
            Err(refused) => prop_assert_eq!(read.map(drop).unwrap_err().to_string(), refused.to_string()),
        }
        let grammatical = serde_json::from_str::<&serde_json::value::RawValue>(&body).is_ok_and(|value| value.get().starts_with('{'));
        prop_assert_eq!(Envelope::check(&body).is_ok(), grammatical);
    }
}

#[tokio::test]
async fn whatever_the_door_takes_is_listed_byte_for_byte() {
    let world = World::new().await;
    let mut runner = TestRunner::deterministic();
    let mut sent: HashMap<String, HashSet<String>> = HashMap::new();
    for _ in 0..300 {
        let body = body().new_tree(&mut runner).unwrap().current();
        assert_eq!(deliver(&world, &body).await, 200, "{body}");
        let key = Envelope::read(&body).unwrap().key(&trunkline::TENANT.parse().unwrap(), &body);
        sent.entry(key).or_default().insert(body);
    }
    world.dispatch().await;
    assert_eq!(world.depth(&world.cloud.dead_letters).await, 0);
    let listed = listed(&world, "").await;
    assert_eq!(listed.len(), sent.len(), "each event once");
    assert!(sent.len() > 200);
    for record in &listed {
        let key: String = serde_json::from_str(&record["id"]).unwrap();
        assert!(sent[&key].contains(&record["delivery"]), "{}", record["delivery"]);
    }
}
