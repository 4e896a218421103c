//! Who may ask for what.

use serde_json::json;
use trunkline_http::Role;
use trunkline_tests::{Answer, World};

#[tokio::test]
async fn without_a_valid_token_nothing_is_answered_and_nothing_is_sent() {
    let world = World::new().await;
    for path in
        ["/api/extensions", "/api/users", "/api/sites", "/api/webhooks/subscriptions", "/api/webhooks/events"]
    {
        let none = Answer::of(world.anonymous("GET", path)).await;
        assert_eq!(
            (none.status, none.problem(), none.header("www-authenticate")),
            (401, "unauthorized", "Bearer")
        );
        let forged = Answer::of(world.anonymous("GET", path).bearer_auth("e30.e30.c2ln")).await;
        assert_eq!((forged.status, forged.text), (401, none.text));
    }
    assert_eq!(world.asked_at_all(), 0);
}

#[tokio::test]
async fn a_role_allows_what_it_says_and_no_more() {
    let world = World::new().await;
    let as_role =
        |role, method: &str, path: &str| world.anonymous(method, path).bearer_auth(world.token(role));
    assert_eq!(Answer::of(as_role(Role::Viewer, "GET", "/api/extensions")).await.status, 200);
    let new = json!({"contact": {"firstName": "Ann", "email": "ann@example.com"}});
    let refused = Answer::of(as_role(Role::Viewer, "POST", "/api/extensions").json(&new)).await;
    assert_eq!((refused.status, refused.problem()), (403, "forbidden"));
    let created = Answer::of(as_role(Role::Operator, "POST", "/api/extensions").json(&new)).await;
    assert_eq!(created.status, 201, "{created:?}");
    let path = format!("/api/extensions/{}", created.json["id"]);
    assert_eq!(Answer::of(as_role(Role::Operator, "DELETE", &path)).await.status, 403);
    assert_eq!(Answer::of(as_role(Role::Admin, "DELETE", &path)).await.status, 204);
    assert_eq!((world.asked("createExtension"), world.asked("deleteExtension")), (1, 1));
}

#[tokio::test]
async fn request_ids_are_taken_over_or_made() {
    let world = World::new().await;
    let given = Answer::of(world.request("GET", "/api/health").header("x-request-id", "caller-7")).await;
    assert_eq!(given.header("x-request-id"), "caller-7");
    let hostile = Answer::of(world.request("GET", "/api/health").header("x-request-id", "a b\"{}")).await;
    assert_eq!(hostile.header("x-request-id").len(), 36);
    let nowhere = world.get("/api/nowhere").await;
    assert_eq!(
        (nowhere.status, nowhere.problem(), nowhere.header("x-request-id").len()),
        (404, "not-found", 36)
    );
}
