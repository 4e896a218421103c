//! Extensions come, change and go, and nothing they carry is lost.

use serde_json::{Value, json};
use trunkline_simulator::{Config, Simulator};

use crate::support::*;

async fn list(client: &Client, query: &str) -> Answer {
    client.account("GET", &format!("/extension?{query}"), Value::Null).await
}

fn user(number: &str) -> Value {
    json!({
        "type": "User",
        "extensionNumber": number,
        "contact": {"firstName": "Ada", "lastName": "Byron", "email": "ada@acme.example"},
    })
}

#[tokio::test]
async fn a_life_with_unknown_fields() {
    let client = Client::login(&simulator()).await;
    let mut wanted = user("7001");
    wanted["spaceSuit"] = json!({"size": "M", "helmet": {"visor": ["gold", null, 1.5]}});
    wanted["password"] = json!("Secret!1");
    let created = client.account("POST", "/extension", wanted).await;
    assert_eq!(created.status, 200, "{}", created.body);
    let id = created.body["id"].as_u64().unwrap();
    assert_eq!(
        (&created.body["name"], &created.body["status"]),
        (&"Ada Byron".into(), &"NotActivated".into())
    );
    assert!(created.body.get("password").is_none());
    assert_eq!(created.body["site"]["id"], "main-site");

    let path = format!("/extension/{id}");
    let change = json!({"contact": {"lastName": "Lovelace"}, "spaceSuit": {"size": "L"}, "medal": true});
    let updated = client.account("PUT", &path, change).await;
    assert_eq!(updated.status, 200);
    let read = client.account("GET", &path, Value::Null).await;
    assert_eq!(read.body, updated.body);
    assert_eq!(read.body["contact"]["email"], "ada@acme.example");
    assert_eq!(read.body["name"], "Ada Lovelace");
    assert_eq!(read.body["spaceSuit"], json!({"size": "L", "helmet": {"visor": ["gold", null, 1.5]}}));
    assert_eq!(read.body["medal"], true);
    assert_eq!(client.simulator.extension(id).unwrap()["medal"], true);

    assert_eq!(client.account("POST", "/extension", user("7001")).await.code(), "CMN-406");
    assert_eq!(client.account("DELETE", &path, Value::Null).await.status, 204);
    let gone = client.account("GET", &path, Value::Null).await;
    assert_eq!((gone.status.as_u16(), gone.code()), (404, "CMN-102"));
    assert_eq!(gone.body["parameterName"], "extensionId");
    assert_eq!(client.account("POST", "/extension", user("7001")).await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_created_says_why() {
    let client = Client::login(&simulator()).await;
    let long = "x".repeat(65);
    let cases = [
        (json!({"type": "User", "contact": {"email": "a@b.example"}}), "CMN-100", "contact.firstName"),
        (json!({"type": "User", "contact": {"firstName": "A"}}), "CMN-100", "contact.email"),
        (
            json!({"type": "User", "contact": {"firstName": "A", "email": "nobody"}}),
            "CMN-101",
            "contact.email",
        ),
        (json!({"contact": {"firstName": long, "email": "a@b.example"}}), "CMN-101", "contact.firstName"),
        (
            json!({"type": "Department", "contact": {"firstName": "Sales", "lastName": "Team"}}),
            "EXT-356",
            "contact.lastName",
        ),
        (json!({"type": "IvrMenu", "contact": {"firstName": "Menu"}}), "CMN-101", "type"),
        (json!({"type": "Wizard", "contact": {"firstName": "Menu"}}), "CMN-101", "type"),
        (
            json!({"status": "Asleep", "contact": {"firstName": "A", "email": "a@b.example"}}),
            "CMN-101",
            "status",
        ),
        (
            json!({"extensionNumber": "12ab", "contact": {"firstName": "A", "email": "a@b.example"}}),
            "CMN-101",
            "extensionNumber",
        ),
        (
            json!({"extensionNumber": 101, "contact": {"firstName": "A", "email": "a@b.example"}}),
            "CMN-406",
            "extensionNumber",
        ),
        (
            json!({"site": {"id": "atlantis"}, "contact": {"firstName": "A", "email": "a@b.example"}}),
            "CMN-102",
            "site.id",
        ),
    ];
    for (body, code, parameter) in cases {
        let answer = client.account("POST", "/extension", body.clone()).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, code), "{body}");
        assert_eq!(answer.body["errors"][0]["parameterName"], parameter, "{body}");
    }
    let queue = json!({"type": "Department", "contact": {"firstName": "Night shift"}});
    assert_eq!(client.account("POST", "/extension", queue).await.body["status"], "Enabled");
    let broken = client.account("POST", "/extension", json!("no object")).await;
    assert_eq!(broken.code(), "CMN-103");
}

#[tokio::test]
async fn an_update_is_checked_like_a_creation() {
    let client = Client::login(&simulator()).await;
    let number = client.account("PUT", "/extension/~", json!({"extensionNumber": "102"})).await;
    assert_eq!(number.code(), "CMN-406");
    let own = client.account("PUT", "/extension/~", json!({"extensionNumber": "101"})).await;
    assert_eq!(own.status, 200);
    assert_eq!(client.account("PUT", "/extension/~", json!({"id": 1})).await.code(), "CMN-108");
    assert_eq!(client.account("PUT", "/extension/~", json!({"type": "Department"})).await.code(), "CMN-101");
    let nameless = client.account("PUT", "/extension/~", json!({"contact": {"firstName": ""}})).await;
    assert_eq!(nameless.code(), "CMN-100");
    assert_eq!(client.account("DELETE", "/extension/~", Value::Null).await.status, 403);
}

#[tokio::test]
async fn a_list_is_filtered_and_paged() {
    let client = Client::login(&simulator()).await;
    let all = list(&client, "perPage=1000").await;
    assert_eq!(all.records().len(), 60);
    assert_eq!(
        all.body["paging"],
        json!({"page": 1, "perPage": 1000, "pageStart": 0, "pageEnd": 59,
        "totalPages": 1, "totalElements": 60})
    );
    let numbers: Vec<u64> = all.records().iter().map(|one| one["id"].as_u64().unwrap()).collect();

    let mut walked = Vec::new();
    let mut next = Some(format!("{ACCOUNT}/extension?perPage=25"));
    while let Some(path) = next {
        let page = client.get(&path).await;
        walked.extend(page.records().iter().map(|one| one["id"].as_u64().unwrap()));
        next = page.link("nextPage");
    }
    assert_eq!(walked, numbers);
    let last = list(&client, "perPage=25&page=3").await;
    assert!(last.link("previousPage").unwrap().contains("page=2") && last.link("nextPage").is_none());
    assert!(last.link("lastPage").unwrap().contains("page=3"));
    let beyond = list(&client, "perPage=25&page=9").await;
    assert!(beyond.records().is_empty() && beyond.body["paging"].get("pageStart").is_none());

    let of = |page: &Answer, field: &str| -> Vec<String> {
        page.records().iter().map(|one| one[field].as_str().unwrap_or_default().to_owned()).collect()
    };
    let queues = list(&client, "type=Department").await;
    assert!(!queues.records().is_empty() && of(&queues, "type").iter().all(|one| one == "Department"));
    let two = list(&client, "type=Department,IvrMenu&type=ParkLocation").await;
    assert!(two.records().len() > queues.records().len());
    let unassigned = list(&client, "status=Unassigned").await;
    assert!(!unassigned.records().is_empty());
    assert!(unassigned.records().iter().all(|one| one.get("extensionNumber").is_none()));
    assert_eq!(of(&list(&client, "extensionNumber=101").await, "extensionNumber"), ["101"]);
    let email = all.records()[3]["contact"]["email"].as_str().unwrap().to_owned();
    assert_eq!(list(&client, &format!("email={email}")).await.records().len(), 1);

    for (query, parameter) in [
        ("perPage=0", "perPage"),
        ("perPage=1001", "perPage"),
        ("page=0", "page"),
        ("type=X", "type"),
        ("status=X", "status"),
    ] {
        let answer = list(&client, query).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, "CMN-101"));
        assert_eq!(answer.body["parameterName"], parameter);
    }
}

#[tokio::test]
async fn the_same_seed_is_the_same_account() {
    let [one, same] = [simulator(), simulator()].map(|one| one.truth());
    assert_eq!(one, same);
    let other = Simulator::new(Config { seed: 2, ..config() }).truth();
    assert_ne!(one["extensions"], other["extensions"]);
    let odd = one["extensions"].as_array().unwrap().iter().filter(|one| one.get("holographicDesk").is_some());
    assert_eq!(odd.count(), 6);
}

#[tokio::test]
async fn an_app_needs_its_permission_and_the_right_account() {
    let simulator = Simulator::new(Config { permissions: vec!["ReadAccounts".into()], ..config() });
    let client = Client::login(&simulator).await;
    let answer = client.account("POST", "/extension", user("7001")).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (403, "CMN-401"));
    assert_eq!(answer.body["errorCode"], "InsufficientPermissions");
    assert_eq!(answer.body["permissionName"], "EditAccounts");
    assert_eq!(client.get("/restapi/v1.0/account/1/extension").await.code(), "CMN-102");
    assert_eq!(client.get("/restapi/v1.0/account/~/unheard-of").await.code(), "CMN-120");
}
