//! Parameters and pages: what is not understood is told, and what is told can be followed.

use serde_json::{Value, json};
use trunkline_tests::{Answer, World};

fn reason<'a>(answer: &'a Answer, field: &str) -> &'a str {
    let errors = answer.json["errors"].as_array().unwrap();
    errors.iter().find(|error| error["field"] == field).unwrap()["reason"].as_str().unwrap()
}

#[tokio::test]
async fn regression_a_parameter_says_how_it_is_written() {
    let world = World::new().await;
    for (path, field, told) in [
        ("/api/webhooks/events?kind=telephony-session,presence", "kind", "takes one value"),
        ("/api/extensions?extensionNumber=101,102", "extensionNumber", "takes one value"),
        ("/api/extensions?perPage=1&perPage=2", "perPage", "takes one value"),
        ("/api/webhooks/events?dateFrom=2026-11-20T08:00:00+02:00", "dateFrom", "+ is written %2B"),
        ("/api/webhooks/events?dateTo=2026-11-20%2007:40:53Z", "dateTo", "must be a time such as"),
        ("/api/extensions?email=%00", "email", "control characters"),
        ("/api/extensions?email=a%ff", "email", "must be UTF-8"),
        // C35.
        (
            "/api/extensions?status[]=Enabled&status[]=Disabled",
            "status[]",
            "status is repeated without brackets",
        ),
        ("/api/extensions?status=%5B%27Enabled%27%5D", "status", "must be one of"),
        ("/api/extensions?status=enabled", "status", "must be one of"),
    ] {
        let answer = world.get(path).await;
        assert_eq!((answer.status, answer.problem()), (400, "invalid-request"), "{path}: {answer:?}");
        assert!(reason(&answer, field).contains(told), "{path}: {answer:?}");
    }
    assert_eq!(world.asked_at_all(), 0);
    let both = world.get("/api/extensions?status=Enabled&status=Disabled&perPage=1000").await;
    let statuses = both.json["records"].as_array().unwrap().iter().map(|one| one["status"].as_str().unwrap());
    assert!(
        statuses.clone().count() > 0 && statuses.clone().all(|one| ["Enabled", "Disabled"].contains(&one))
    );
    let time = "2026-11-20T08:00:00%2B02:00";
    assert_eq!(world.get(&format!("/api/webhooks/events?dateFrom={time}&dateTo={time}")).await.status, 200);
}

#[tokio::test]
async fn users_are_followed_to_their_end_and_from_beyond_it_back() {
    // C36.
    let world = World::new().await;
    let ids = |page: &Value| -> Vec<u64> {
        page["records"].as_array().unwrap().iter().map(|one| one["id"].as_u64().unwrap()).collect()
    };
    let whole = ids(&world.get("/api/users?status=Enabled&perPage=1000").await.json);
    assert!(whole.len() > 2);
    let (mut path, mut found) = ("/api/users?status=Enabled&perPage=2".to_owned(), Vec::new());
    loop {
        let page = world.get(&path).await;
        found.extend(ids(&page.json));
        let Some(next) = page.json["navigation"]["nextPage"]["uri"].as_str() else { break };
        assert!(next.starts_with("/api/users?") && next.contains("status=Enabled"), "{next}");
        path = next.to_owned();
    }
    assert_eq!(found, whole);
}

#[tokio::test]
async fn regression_before_a_page_beyond_the_end_is_the_last_one() {
    let world = World::new().await;
    let beyond = world.get("/api/users?perPage=2&page=999999").await;
    assert_eq!((beyond.status, &beyond.json["records"]), (200, &json!([])), "{beyond:?}");
    let links = &beyond.json["navigation"];
    assert_eq!(links["previousPage"], links["lastPage"], "{links}");
    let last = world.get(links["previousPage"]["uri"].as_str().unwrap()).await;
    assert!(!last.json["records"].as_array().unwrap().is_empty(), "{last:?}");
    let before = &last.json["navigation"]["previousPage"]["uri"];
    assert_ne!(before, &links["lastPage"]["uri"], "the page before the last one is another");
}

#[tokio::test]
async fn regression_nobody_on_the_way_keeps_what_a_token_opens() {
    let world = World::new().await;
    for (method, path) in [
        ("GET", "/api/extensions"),
        ("GET", "/api/extensions/x"),
        ("GET", "/api/webhooks/events"),
        ("GET", "/api/platform/limits"),
        ("PATCH", "/api/sites"),
    ] {
        let answer = Answer::of(world.request(method, path)).await;
        assert_eq!(answer.header("cache-control"), "no-store", "{path}: {answer:?}");
    }
    let nobody = Answer::of(world.anonymous("GET", "/api/extensions")).await;
    assert_eq!(nobody.header("cache-control"), "no-store");
}

#[tokio::test]
async fn regression_a_slash_at_the_end_is_told() {
    let world = World::new().await;
    let answer = world.get("/api/extensions/").await;
    assert_eq!((answer.status, answer.problem()), (404, "not-found"), "{answer:?}");
    assert!(answer.json["hint"].as_str().unwrap().contains("slash"), "{answer:?}");
    assert!(!world.get("/api/nowhere").await.json["hint"].as_str().unwrap().contains("slash"));
}

#[tokio::test]
async fn addresses_of_any_domain_are_left_to_ringcentral() {
    // C27.
    let world = World::new().await;
    let create = async |email: &str| {
        let contact = json!({"firstName": "Ida", "email": email});
        world.send("POST", "/api/extensions", &json!({ "contact": contact })).await
    };
    assert_eq!(create("c27@example.comx").await.status, 201);
    for email in ["c27@example", "c27@@example.com", "Ida <c27@example.com>"] {
        let answer = create(email).await;
        assert_eq!((answer.status, answer.fields()), (400, vec!["contact.email"]), "{answer:?}");
        assert!(!answer.text.contains("c27"), "{answer:?}");
    }
}

#[tokio::test]
async fn what_the_gateway_does_not_know_reaches_ringcentral_and_comes_back() {
    // C31.
    let world = World::new().await;
    let body = json!({
        "type": "User", "extensionNumber": "7031", "status": "Enabled",
        "contact": {"firstName": "Test", "lastName": "User1", "email": "c31@example.com", "department": "1", "pronouncedName": {"type": "Default"}},
        "regionalSettings": {"timezone": {"id": "51"}},
        "permissions": {"admin": {"enabled": false}, "internationalCalling": {"enabled": false}},
        "roles": [{"id": "2"}], "site": {"id": "main-site"},
        "references": [{"type": "CustomerDirectoryId", "ref": "emp-31"}]
    });
    let made = world.send("POST", "/api/extensions", &body).await;
    assert_eq!(made.status, 201, "{made:?}");
    let truth = world.get(&format!("/api/extensions/{}", made.json["id"])).await;
    // What somebody may do is RingCentral's to compute.
    for (name, sent) in body.as_object().unwrap().iter().filter(|(name, _)| *name != "permissions") {
        for answer in [&made, &truth] {
            includes(&answer.json[name], sent, name);
        }
    }
}

/// Whether everything that was sent is there; RingCentral may add to it.
fn includes(found: &Value, sent: &Value, path: &str) {
    match sent {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, sent)| includes(&found[name], sent, &format!("{path}.{name}")));
        }
        _ => assert_eq!(found, sent, "{path}"),
    }
}
