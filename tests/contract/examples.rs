//! Everything that the description offers to try out works on the simulated company.

use reqwest::Method;
use serde_json::Value;
use simulator::{Config, Limits};
use trunkline_tests::{Answer, World};

fn description() -> Value {
    serde_json::to_value(api_docs::description()).unwrap()
}

/// Method, path with its examples filled in, and body of every operation that takes one; the receiver is RingCentral's.
fn examples(subscription: &str) -> Vec<(Method, String, Value)> {
    let description = description();
    let mut examples = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(content) = operation["requestBody"]["content"]["application/json"].as_object() else {
                continue;
            };
            if operation["tags"][0] == "receiver" {
                continue;
            }
            let example = content.get("example").unwrap_or_else(|| panic!("{method} {path} has no example"));
            let mut path = path.clone();
            for parameter in
                operation["parameters"].as_array().unwrap().iter().filter(|one| one["in"] == "path")
            {
                let name = parameter["name"].as_str().unwrap();
                let value = match parameter["example"].as_str() {
                    Some(value) => value,
                    // Nobody knows the id of a subscription before it is made.
                    None if path.starts_with("/api/webhooks/subscriptions/") => subscription,
                    None => panic!("{method} {path} has no example of its {name}"),
                };
                path = path.replace(&format!("{{{name}}}"), value);
            }
            examples.push((method.to_ascii_uppercase().parse().unwrap(), path, example.clone()));
        }
    }
    examples
}

#[tokio::test]
async fn every_example_of_a_body_is_answered_with_success() {
    // The company that the gateway simulates on one machine.
    let world = World::with(Config { limits: Limits::none(), ..Config::default() }).await;
    let filter = "/restapi/v1.0/account/~/extension/~/presence";
    let subscription = world.subscribe(&[filter]).await;
    let examples = examples(subscription["id"].as_str().unwrap());
    assert_eq!(examples.len(), 6, "{examples:#?}");
    for (method, path, body) in examples {
        let answer = Answer::of(world.request(method.as_str(), &path).json(&body)).await;
        assert!((200..300).contains(&answer.status), "{method} {path} {body}: {answer:?}");
    }
}

#[tokio::test]
async fn regression_every_list_of_the_simulated_company_is_as_described() {
    let world = World::with(Config { limits: Limits::none(), ..Config::default() }).await;
    // Some have no number, sites have names as ids: the world holds each answer against the description.
    let all = world.get("/api/extensions?perPage=1000").await;
    let without = |extension: &&Value| extension["extensionNumber"].is_null();
    assert!(all.json["records"].as_array().unwrap().iter().filter(without).count() > 0);
    for path in
        ["/api/users?perPage=1000", "/api/sites", "/api/webhooks/subscriptions", "/api/platform/limits"]
    {
        assert_eq!(world.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn every_example_of_an_id_is_one_of_the_simulated_company() {
    let world = World::with(Config { limits: Limits::none(), ..Config::default() }).await;
    for (path, item) in description()["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let Some(id) = parameter["example"].as_str().filter(|_| parameter["in"] == "path") else {
                    continue;
                };
                let answer = world.get(&format!("/api/extensions/{id}")).await;
                assert_eq!(answer.status, 200, "{path} {id}: {answer:?}");
            }
        }
    }
}
