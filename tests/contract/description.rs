//! What the description says beyond shapes: who may call, with which problems to reckon, how to send a token.

use serde_json::{Value, json};
use trunkline_http::Role;
use trunkline_tests::{Answer, World};

/// Method, path and description of every operation; the receiver's is RingCentral's.
fn operations() -> Vec<(String, String, Value)> {
    let description = serde_json::to_value(api_docs::description()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["tags"][0] != "receiver" {
                operations.push((method.to_ascii_uppercase(), path.clone(), operation.clone()));
            }
        }
    }
    operations
}

/// A role and the one below it.
fn roles(operation: &Value) -> Option<(Role, Option<Role>)> {
    match operation["x-role"].as_str()? {
        "viewer" => Some((Role::Viewer, None)),
        "operator" => Some((Role::Operator, Some(Role::Viewer))),
        "admin" => Some((Role::Admin, Some(Role::Operator))),
        other => panic!("no role: {other}"),
    }
}

#[tokio::test]
async fn the_role_that_an_operation_names_is_the_one_it_needs() {
    let world = World::new().await;
    for (method, path, operation) in operations() {
        let Some((needed, below)) = roles(&operation) else {
            assert_eq!(path, "/api/health");
            continue;
        };
        let path = path.replace("{id}", "77").replace("{telephonySessionId}", "s-77");
        let ask = async |role| {
            let request = world.anonymous(&method, &path).bearer_auth(world.token(role)).json(&json!({}));
            Answer::of(request).await.problem().to_owned()
        };
        assert_ne!(ask(needed).await, "forbidden", "{method} {path}");
        if let Some(below) = below {
            assert_eq!(ask(below).await, "forbidden", "{method} {path}");
        }
        assert!(operation["description"].as_str().unwrap().contains("Needs the role"), "{method} {path}");
    }
}

#[test]
fn regression_a_client_may_send_its_token_to_the_health_check() {
    let (_, _, health) = operations().into_iter().find(|(_, path, _)| path == "/api/health").unwrap();
    assert_eq!(health["security"], json!([{}, { "bearer": [] }]));
}

#[test]
fn regression_the_statuses_of_problems_are_named_with_their_types() {
    let whole = serde_json::to_value(api_docs::description()).unwrap();
    for (method, path, operation) in operations() {
        let responses = operation["responses"].as_object().unwrap();
        for status in ["400", "401", "500", "503"] {
            assert!(responses.contains_key(status), "{method} {path} has no {status}");
        }
        for (status, response) in responses.iter().filter(|(status, _)| status.as_str() >= "400") {
            let pointer = response["$ref"].as_str().map(|to| to.trim_start_matches('#'));
            let response = pointer.map_or(Some(response), |to| whole.pointer(to)).unwrap();
            let named = response["x-problems"].as_array().is_some_and(|types| !types.is_empty());
            assert!(named, "{method} {path} {status} names no types");
            assert!(response["headers"]["X-Request-Id"].is_object(), "{method} {path} {status}");
        }
    }
}

#[test]
fn regression_a_body_that_may_be_left_out_is_no_null() {
    for (method, path, operation) in operations() {
        for content in
            operation["requestBody"]["content"].as_object().into_iter().flat_map(|one| one.values())
        {
            assert!(content["schema"]["$ref"].is_string(), "{method} {path}: {content}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => members.iter().for_each(|(name, value)| match value {
                Value::String(to) if name == "$ref" => found.push(to),
                _ => references(value, found),
            }),
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let whole = serde_json::to_value(api_docs::description()).unwrap();
    let mut found = Vec::new();
    references(&whole, &mut found);
    assert!(found.len() > 100, "{found:?}");
    for to in found {
        assert!(whole.pointer(to.trim_start_matches('#')).is_some(), "{to} leads nowhere");
    }
}

#[test]
fn regression_closed_sets_of_words_are_enums() {
    let whole = serde_json::to_value(api_docs::description()).unwrap();
    let schemas = &whole["components"]["schemas"];
    for (schema, word) in [
        ("CreatableType", "Department"),
        ("ExtensionStatus", "Frozen"),
        ("ExtensionType", "IvrMenu"),
        ("EventKind", "telephony-session"),
        ("EventOrder", "asc"),
        ("BlockCause", "penalty"),
        ("CircuitState", "probing"),
        ("HealthStatus", "unhealthy"),
        ("Transport", "WebHook"),
    ] {
        let words = schemas[schema]["enum"].as_array().unwrap_or_else(|| panic!("{schema} is no enum"));
        assert!(words.iter().any(|one| one == word), "{schema}: {words:?}");
    }
    let types = schemas["Problem"]["properties"]["type"]["enum"].as_array().unwrap();
    assert!(types.iter().any(|one| one == "urn:trunkline:problem:rate-limited"), "{types:?}");
}
