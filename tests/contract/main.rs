//! What we promise and what RingCentral promises, held against what the code says.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a story that can't go on fails")]

mod description;
mod examples;
mod kinds;

use serde_json::Value;

/// The description in `docs/openapi.json` is what the handlers say. To renew it:
/// `UPDATE_OPENAPI=1 cargo test -p trunkline-tests --test contract`.
#[test]
fn the_checked_in_description_is_what_the_handlers_say() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");
    let mut said = serde_json::to_string_pretty(&api_docs::description()).unwrap();
    said.push('\n');
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(path, &said).unwrap();
    }
    let checked_in = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        said == checked_in,
        "docs/openapi.json is not what the handlers say; renew it as written above this test"
    );
}

#[test]
fn every_route_of_gateway_v2_that_exists_so_far_is_described() {
    let description = serde_json::to_value(api_docs::description()).unwrap();
    for (method, path) in [
        ("get", "/api/health"),
        ("get", "/api/extensions"),
        ("post", "/api/extensions"),
        ("get", "/api/extensions/{id}"),
        ("put", "/api/extensions/{id}"),
        ("put", "/api/extensions/{id}/number"),
        ("get", "/api/users"),
        ("get", "/api/sites"),
        ("post", "/api/sites"),
        ("get", "/api/webhooks/subscriptions"),
        ("post", "/api/webhooks/subscriptions"),
        ("get", "/api/webhooks/events"),
    ] {
        assert!(description["paths"][path][method].is_object(), "{method} {path}");
    }
}

/// RingCentral's own description, where it is at hand: the project's CI sets the variable.
fn ringcentral() -> Option<Value> {
    let path = std::env::var("RINGCENTRAL_OPENAPI").ok()?;
    Some(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
}

#[test]
fn the_operations_table_agrees_with_ringcentrals_description() {
    let Some(description) = ringcentral() else { return };
    let mut compared = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let Some(id) = operation["operationId"].as_str() else { continue };
            let ours = ringcentral::operations::all().find(|ours| ours.id == id);
            let ours = ours.unwrap_or_else(|| panic!("{id} is missing"));
            assert_eq!(
                (ours.path, ours.method),
                (path.as_str(), method.to_ascii_uppercase().as_str()),
                "{id}"
            );
            if let Some(group) = operation["x-throttling-group"].as_str() {
                assert_eq!(ours.group, group, "{id}");
            }
            if let Some(permission) = operation["x-app-permission"].as_str() {
                assert_eq!(ours.app_permission, permission, "{id}");
            }
            compared += 1;
        }
    }
    assert!(compared > 250, "{compared} operations compared");
}
