//! Extensions and users.

use serde_json::{Value, json};
use trunkline_tests::World;

fn new_user(name: &str) -> Value {
    json!({
        "type": "User", "extensionNumber": "7001", "status": "NotActivated",
        "contact": {"firstName": name, "lastName": "Cole", "email": "cole@example.com", "department": "Night shift"},
        "regionalSettings": {"timeFormat": "24h"}, "x-badge": {"colour": "blue", "level": 7}
    })
}

#[tokio::test]
async fn an_extension_lives_from_creation_to_deletion_and_ringcentral_agrees_each_time() {
    let world = World::new().await;
    let truth = |id: u64| world.simulator.extension(id);

    let created = world.send("POST", "/api/extensions", &new_user("Ida")).await;
    assert_eq!(created.status, 201, "{created:?}");
    let id = created.json["id"].as_u64().unwrap();
    assert_eq!(created.json["extensionNumber"], "7001");
    assert_eq!(truth(id).unwrap()["contact"]["department"], "Night shift");

    let read = world.get(&format!("/api/extensions/{id}")).await;
    assert_eq!((read.status, &read.json["id"]), (200, &json!(id)));
    assert_eq!(read.json["x-badge"], json!({"colour": "blue", "level": 7}), "unknown fields come back");

    let renumbered =
        world.send("PUT", &format!("/api/extensions/{id}/number"), &json!({"extensionNumber": "7002"})).await;
    assert_eq!((renumbered.status, &renumbered.json["extensionNumber"]), (200, &json!("7002")));
    assert_eq!(truth(id).unwrap()["extensionNumber"], "7002");

    let changes = json!({"contact": {"lastName": "Stone"}, "x-badge": null});
    let updated = world.send("PUT", &format!("/api/extensions/{id}"), &changes).await;
    assert_eq!(updated.status, 200, "{updated:?}");
    let now = truth(id).unwrap();
    assert_eq!((&now["contact"]["lastName"], &now["contact"]["firstName"]), (&json!("Stone"), &json!("Ida")));

    let deleted = world.request("DELETE", &format!("/api/extensions/{id}")).send().await.unwrap();
    assert_eq!(deleted.status(), 204);
    assert!(truth(id).is_none());
    let gone = world.get(&format!("/api/extensions/{id}")).await;
    assert_eq!((gone.status, gone.problem(), &gone.json["code"]), (404, "not-found", &json!("CMN-102")));
    assert!(gone.json["ringcentralRequestId"].is_string());
}

#[tokio::test]
async fn an_extension_comes_back_whole_byte_for_byte() {
    let world = World::new().await;
    let list = world.get("/api/extensions?perPage=1000").await;
    let records = list.json["records"].as_array().unwrap();
    assert_eq!(records.len(), 20);
    for record in records {
        let id = record["id"].as_u64().expect("ids stay integers");
        let read = world.get(&format!("/api/extensions/{id}")).await;
        // The simulator's own record has relative links where an answer names its host.
        let strip = |value: &Value| {
            let mut value = value.clone();
            value.as_object_mut().unwrap().retain(|name, _| name != "uri" && name != "profileImage");
            value
        };
        let truth = world.simulator.extension(id).unwrap();
        for (name, expected) in strip(&truth).as_object().unwrap() {
            if !expected.to_string().contains("/restapi/") {
                assert_eq!(&read.json[name], expected, "{name} of {id}");
            }
        }
    }
}

#[tokio::test]
async fn pages_are_followed_by_links_that_stay_on_the_gateway() {
    let world = World::new().await;
    let (mut path, mut ids) =
        ("/api/extensions?perPage=6&status=Enabled,Disabled,NotActivated".to_owned(), Vec::new());
    loop {
        let page = world.get(&path).await;
        assert_eq!(page.status, 200, "{page:?}");
        ids.extend(
            page.json["records"].as_array().unwrap().iter().map(|record| record["id"].as_u64().unwrap()),
        );
        match page.json["navigation"]["nextPage"]["uri"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break,
        }
        assert!(path.starts_with("/api/extensions?"), "{path}");
    }
    let whole = world.get("/api/extensions?perPage=1000&status=Enabled,Disabled,NotActivated").await;
    let all: Vec<_> =
        whole.json["records"].as_array().unwrap().iter().map(|r| r["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, all);
}

#[tokio::test]
async fn filters_and_users_are_ringcentrals_own() {
    let world = World::new().await;
    let types = |answer: &Value| -> Vec<String> {
        let records = answer["records"].as_array().unwrap();
        records.iter().map(|record| record["type"].as_str().unwrap().to_owned()).collect()
    };
    let queues = world.get("/api/extensions?type=Department&perPage=100").await;
    assert!(!types(&queues.json).is_empty() && types(&queues.json).iter().all(|kind| kind == "Department"));
    let users = world.get("/api/users?perPage=100").await;
    assert!(!types(&users.json).is_empty() && types(&users.json).iter().all(|kind| kind == "User"));
    let number = users.json["records"][0]["extensionNumber"].as_str().unwrap();
    let one = world.get(&format!("/api/extensions?extensionNumber={number}")).await;
    assert_eq!(one.json["records"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_ringcentral_refuses_is_told_with_its_code_and_field() {
    let world = World::new().await;
    assert_eq!(world.send("POST", "/api/extensions", &new_user("One")).await.status, 201);
    let duplicate = world.send("POST", "/api/extensions", &new_user("Two")).await;
    assert_eq!((duplicate.status, duplicate.problem()), (400, "ringcentral-refused"), "{duplicate:?}");
    assert_eq!(
        (duplicate.json["code"].as_str(), duplicate.fields()),
        (Some("CMN-406"), vec!["extensionNumber"])
    );
}

#[tokio::test]
async fn a_number_in_the_place_of_an_id_is_told_where_the_id_is() {
    // C37.
    let world = World::new().await;
    let before = world.get("/api/extensions?extensionNumber=101").await;
    assert_eq!(before.json["records"].as_array().unwrap().len(), 1);
    let changes = json!({"contact": {"lastName": "Stone"}});
    for method in ["GET", "PUT", "DELETE"] {
        let request = world.request(method, "/api/extensions/101").json(&changes);
        let answer = trunkline_tests::Answer::of(request).await;
        assert_eq!((answer.status, answer.problem()), (404, "not-found"), "{method}: {answer:?}");
        assert!(answer.json["code"].is_string(), "{answer:?}");
        assert!(answer.json["hint"].as_str().unwrap().contains("?extensionNumber="), "{answer:?}");
    }
    assert_eq!(world.get("/api/extensions?extensionNumber=101").await.text, before.text);
}

#[tokio::test]
async fn contact_data_alone_assigns_nobody_and_is_not_told_so() {
    // C26.
    let config = simulator::Config {
        extensions: 40,
        calls: 5,
        messages: 5,
        limits: simulator::Limits::none(),
        ..simulator::Config::default()
    };
    let world = World::with(config).await;
    let spare = world.get("/api/extensions?status=Unassigned").await;
    let id = spare.json["records"][0]["id"].as_u64().unwrap();
    let path = format!("/api/extensions/{id}");
    let contact = json!({"firstName": "Ida", "lastName": "Cole", "email": "ida@example.com"});
    let touched = world.send("PUT", &path, &json!({ "contact": contact })).await;
    assert_eq!((touched.status, &touched.json["status"]), (200, &json!("Unassigned")), "{touched:?}");
    let asked = world.asked("updateExtension");
    let assign = json!({
        "status": "NotActivated", "extensionNumber": "7025", "contact": contact, "password": "Tr1cky-Passw0rd!"
    });
    let assigned = world.send("PUT", &path, &assign).await;
    assert_eq!((assigned.status, &assigned.json["status"]), (200, &json!("NotActivated")), "{assigned:?}");
    assert_eq!(assigned.json["extensionNumber"], "7025");
    assert_eq!(world.asked("updateExtension") - asked, 1);
}
