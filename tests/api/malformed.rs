//! Wrong input: a 4xx that names the field, and nothing sent to RingCentral.

use serde_json::{Value, json};
use trunkline_tests::{Answer, World};

/// Method, path, body and the field that must be named.
type Case = (&'static str, String, Option<Value>, &'static str);

fn bodies(method: &'static str, path: &str, cases: Vec<(Value, &'static str)>) -> Vec<Case> {
    cases.into_iter().map(|(body, field)| (method, path.to_owned(), Some(body), field)).collect()
}

fn queries(path: &str, cases: &[(&str, &'static str)]) -> Vec<Case> {
    cases.iter().map(|(query, field)| ("GET", format!("{path}?{query}"), None, *field)).collect()
}

fn cases() -> Vec<Case> {
    let long = "x".repeat(65);
    let contact = |field: &str, value: Value| {
        let mut contact = json!({"firstName": "A", "email": "a@example.com"});
        contact[field] = value;
        json!({"contact": contact})
    };
    let lists: &[(&str, &str)] = &[
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=two", "page"),
        ("perPage=0", "perPage"),
        ("perPage=1001", "perPage"),
        ("perPage=10&perPage=20", "perPage"),
        ("status=Sleeping", "status"),
        ("status=enabled", "status"),
        ("extensionNumber=12a", "extensionNumber"),
        ("extensionNumber=123456789", "extensionNumber"),
        ("email=", "email"),
        ("colour=blue", "colour"),
    ];
    let mut all = queries("/api/extensions", lists);
    all.extend(queries("/api/extensions", &[("type=Robot", "type")]));
    all.extend(queries("/api/users", lists));
    all.extend(queries("/api/users", &[("type=User", "type")]));
    all.extend(bodies(
        "POST",
        "/api/extensions",
        vec![
            (json!([]), "body"),
            (json!({}), "contact"),
            (json!({"contact": "Ann"}), "contact"),
            (json!({"contact": {"email": "a@example.com"}}), "contact.firstName"),
            (json!({"contact": {"firstName": "A"}}), "contact.email"),
            (contact("firstName", json!(long)), "contact.firstName"),
            (contact("firstName", json!(" ")), "contact.firstName"),
            (contact("lastName", json!(7)), "contact.lastName"),
            (contact("email", json!("nobody")), "contact.email"),
            (contact("email", json!(format!("{}@example.com", "x".repeat(250)))), "contact.email"),
            (
                json!({"extensionNumber": 7000.5, "contact": {"firstName": "A", "email": "a@example.com"}}),
                "extensionNumber",
            ),
            (
                json!({"extensionNumber": "70-0", "contact": {"firstName": "A", "email": "a@example.com"}}),
                "extensionNumber",
            ),
            (json!({"type": "Robot", "contact": {"firstName": "A", "email": "a@example.com"}}), "type"),
            (json!({"status": "Gone", "contact": {"firstName": "A", "email": "a@example.com"}}), "status"),
            (
                json!({"type": "Department", "contact": {"firstName": "Q", "lastName": "X"}}),
                "contact.lastName",
            ),
        ],
    ));
    for path in [
        "/api/extensions/abc",
        "/api/extensions/1%2F2",
        "/api/extensions/123456789012345678901",
        "/api/extensions/-5",
        "/api/extensions/%FF",
    ] {
        all.push(("GET", path.to_owned(), None, "id"));
        all.push(("DELETE", path.to_owned(), None, "id"));
        all.push(("PUT", path.to_owned(), Some(json!({"status": "Enabled"})), "id"));
        all.push(("PUT", format!("{path}/number"), Some(json!({"extensionNumber": "7"})), "id"));
    }
    all.push(("DELETE", "/api/extensions/~".to_owned(), None, "id"));
    all.push(("PUT", "/api/extensions/~".to_owned(), Some(json!({"status": "Disabled"})), "id"));
    all.extend(queries("/api/extensions/5", &[("view=Detailed", "view")]));
    all.push(("DELETE", "/api/extensions/5?savePhoneLines=maybe".to_owned(), None, "savePhoneLines"));
    all.extend(bodies(
        "PUT",
        "/api/extensions/5",
        vec![
            (json!({}), "body"),
            (json!([]), "body"),
            (json!({"id": 6}), "id"),
            (json!({"status": "Gone"}), "status"),
            (json!({"status": 1}), "status"),
            (json!({"extensionNumber": ""}), "extensionNumber"),
            (json!({"contact": []}), "contact"),
            (json!({"contact": {"email": "x"}}), "contact.email"),
        ],
    ));
    all.extend(bodies(
        "PUT",
        "/api/extensions/5/number",
        vec![
            (json!({}), "extensionNumber"),
            (json!({"extensionNumber": null}), "extensionNumber"),
            (json!({"extensionNumber": "x"}), "extensionNumber"),
            (json!({"extensionNumber": "7", "status": "Enabled"}), "status"),
            // A list is no object, even if its items would fit the fields in their order.
            (json!(["7"]), "body"),
        ],
    ));
    all.extend(queries("/api/sites", &[("page=1", "page")]));
    all.extend(bodies(
        "POST",
        "/api/sites",
        vec![
            (json!({}), "name"),
            (json!({"name": ""}), "name"),
            (json!({"name": long}), "name"),
            (json!({"name": 5}), "name"),
            (json!({"name": "A", "extensionNumber": "x"}), "extensionNumber"),
            (json!({"name": "A", "email": "x"}), "email"),
        ],
    ));
    let filter = "/restapi/v1.0/account/~/presence";
    all.extend(bodies(
        "POST",
        "/api/webhooks/subscriptions",
        vec![
            (json!({}), "eventFilters"),
            (json!({"eventFilters": []}), "eventFilters"),
            (json!({"eventFilters": "all"}), "eventFilters"),
            (json!({"eventFilters": [filter, "presence"]}), "eventFilters[1]"),
            (json!({"eventFilters": [filter, 5]}), "eventFilters[1]"),
            (json!({"eventFilters": [filter], "expiresIn": 1}), "expiresIn"),
            (json!({"eventFilters": [filter], "expiresIn": 315_360_001_u64}), "expiresIn"),
            (json!({"eventFilters": [filter], "expiresIn": -1}), "expiresIn"),
            (json!({"eventFilters": [filter], "deliveryMode": {"transportType": "PubNub"}}), "deliveryMode.transportType"),
            (
                json!({"eventFilters": [filter], "deliveryMode": {"transportType": "WebHook", "address": "https://evil.example/x"}}),
                "deliveryMode.address",
            ),
            (json!({"eventFilters": [filter], "filters": []}), "filters"),
        ],
    ));
    for (method, path, body) in [
        ("POST", "/api/extensions", json!({"contact": {"firstName": "A", "email": "a@example.com"}})),
        ("PUT", "/api/extensions/5", json!({"status": "Enabled"})),
        ("PUT", "/api/extensions/5/number", json!({"extensionNumber": "7"})),
        ("POST", "/api/sites", json!({"name": "A"})),
        ("POST", "/api/webhooks/subscriptions", json!({"eventFilters": [filter]})),
        ("POST", "/api/webhooks/subscriptions/5/renew", json!({})),
    ] {
        all.push((method, format!("{path}?dryRun=true"), Some(body), "dryRun"));
    }
    all.push(("GET", "/api/webhooks/sessions/%FF".to_owned(), None, "telephonySessionId"));
    for path in [
        "/api/webhooks/subscriptions/a%20b",
        "/api/webhooks/subscriptions/%FF",
        "/api/webhooks/subscriptions/a.b",
    ] {
        all.push(("GET", path.to_owned(), None, "id"));
        all.push(("DELETE", path.to_owned(), None, "id"));
        all.push(("POST", format!("{path}/renew"), None, "id"));
    }
    all.extend(bodies(
        "POST",
        "/api/webhooks/subscriptions/5/renew",
        vec![(json!({"expiresIn": 5}), "expiresIn")],
    ));
    all.extend(queries(
        "/api/webhooks/events",
        &[
            ("kind=gossip", "kind"),
            ("dateFrom=yesterday", "dateFrom"),
            ("dateTo=2026-13-01T00:00:00Z", "dateTo"),
            ("dateFrom=2026-11-02T00:00:00Z&dateTo=2026-11-01T00:00:00Z", "dateFrom"),
            ("dateFrom=2026-01-01T00:00:00Z&dateTo=2026-11-01T00:00:00Z", "dateFrom"),
            ("perPage=501", "perPage"),
            ("perPage=x", "perPage"),
            ("pageToken=!!", "pageToken"),
            ("pageToken=e30", "pageToken"),
            ("telephonySessionId=", "telephonySessionId"),
            ("session=5", "session"),
        ],
    ));
    all.extend(queries("/api/webhooks/sessions/s-1", &[("full=true", "full")]));
    all.extend(queries("/api/health", &[("deep=perhaps", "deep"), ("x=1", "x")]));
    all
}

#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_is_sent() {
    let world = World::new().await;
    for (method, path, body, field) in cases() {
        let request = world.request(method, &path);
        let answer = Answer::of(match &body {
            Some(body) => request.json(body),
            None => request,
        })
        .await;
        let told = format!("{method} {path} {body:?}: {}", answer.text);
        assert_eq!((answer.status, answer.problem()), (400, "invalid-request"), "{told}");
        assert!(answer.fields().contains(&field), "{field} is not named by {told}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    assert_eq!(world.asked_at_all(), 0);
}

#[tokio::test]
async fn bodies_that_are_no_json_are_refused_before_anything_else() {
    let world = World::new().await;
    for (method, path) in [
        ("POST", "/api/extensions"),
        ("PUT", "/api/extensions/5"),
        ("PUT", "/api/extensions/5/number"),
        ("POST", "/api/sites"),
        ("POST", "/api/webhooks/subscriptions"),
    ] {
        for text in ["", "{", "nonsense", "{}}", "\u{feff}{}"] {
            let request = world.request(method, path).header("content-type", "application/json").body(text);
            let answer = Answer::of(request).await;
            assert_eq!(
                (answer.status, answer.fields()),
                (400, vec!["body"]),
                "{method} {path} {text:?}: {}",
                answer.text
            );
        }
        let typed =
            Answer::of(world.request(method, path).header("content-type", "text/plain").body("{}")).await;
        assert_eq!((typed.status, typed.fields()), (415, vec!["Content-Type"]));
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
        let large =
            Answer::of(world.request(method, path).header("content-type", "application/json").body(large))
                .await;
        assert_eq!((large.status, large.problem()), (413, "body-too-large"));
    }
    assert_eq!(Answer::of(world.request("PATCH", "/api/extensions")).await.status, 405);
    assert_eq!(world.asked_at_all(), 0);
}
