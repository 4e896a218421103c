//! Subscriptions: created with an address and a token of our own, renewed, deleted.

use serde_json::json;
use trunkline_tests::{Answer, World};

const CALLS: &str = "/restapi/v1.0/account/~/telephony/sessions";

#[tokio::test]
async fn a_subscription_lives_ten_years_unless_asked_otherwise() {
    let world = World::new().await;
    let created = world.subscribe(&[CALLS]).await;
    assert_eq!((&created["status"], &created["expiresIn"]), (&json!("Active"), &json!(315_360_000)));
    let address = created["deliveryMode"]["address"].as_str().unwrap();
    assert!(address.starts_with(&format!("{}/api/webhooks/events/default/", world.url)), "{address}");
    assert!(!created.to_string().contains("verificationToken"), "the token never comes back");

    let id = created["id"].as_str().unwrap();
    let path = format!("/api/webhooks/subscriptions/{id}");
    assert_eq!(world.get(&path).await.json["id"], json!(id));
    let listed = world.get("/api/webhooks/subscriptions").await;
    assert_eq!(listed.json["records"].as_array().unwrap().len(), 1);

    let renewed = world.send("POST", &format!("{path}/renew"), &json!({"expiresIn": 3600})).await;
    assert_eq!((renewed.status, &renewed.json["expiresIn"]), (200, &json!(3600)), "{renewed:?}");
    let plain = world.request("POST", &format!("{path}/renew")).send().await.unwrap();
    assert_eq!(plain.status(), 200);

    assert_eq!(world.request("DELETE", &path).send().await.unwrap().status(), 204);
    let gone = world.get(&path).await;
    assert_eq!((gone.status, gone.problem()), (404, "not-found"));
}

#[tokio::test]
async fn a_client_of_gateway_v2_may_name_the_address_of_this_gateway() {
    let world = World::new().await;
    let body = json!({
        "eventFilters": [CALLS],
        "deliveryMode": {"transportType": "WebHook", "address": format!("{}/api/webhooks/events", world.url)}
    });
    let created = world.send("POST", "/api/webhooks/subscriptions", &body).await;
    assert_eq!(created.status, 201, "{created:?}");
    let address = created.json["deliveryMode"]["address"].as_str().unwrap();
    assert!(address.starts_with(&world.url), "{address}");
}

#[tokio::test]
async fn a_filter_that_ringcentral_does_not_know_is_told_with_its_code() {
    let world = World::new().await;
    let body = json!({"eventFilters": ["/restapi/v1.0/account/~/gossip"]});
    let refused = world.send("POST", "/api/webhooks/subscriptions", &body).await;
    assert_eq!((refused.status, &refused.json["code"]), (400, &json!("SUB-508")), "{refused:?}");
}

#[tokio::test]
async fn regression_a_subscription_whose_answer_was_lost_is_found_and_not_made_twice() {
    let world = World::new().await;
    let body = json!({"eventFilters": [CALLS]});
    let create =
        || world.request("POST", "/api/webhooks/subscriptions").header("idempotency-key", "s-1").json(&body);
    let lost =
        |operation: &str| simulator::Fault::new(simulator::FaultKind::Error).on(operation).with_status(500);

    // Made, and found at once.
    world.simulator.add_fault(lost("createSubscription").times(1).after_apply());
    assert_eq!(Answer::of(create()).await.status, 201);
    // Made, and found by the repetition.
    world.simulator.add_fault(lost("createSubscription").times(1).after_apply());
    world.simulator.add_fault(lost("listSubscriptions").times(3));
    let other =
        || world.request("POST", "/api/webhooks/subscriptions").header("idempotency-key", "s-2").json(&body);
    assert_eq!(Answer::of(other()).await.problem(), "outcome-unknown");
    world.time.advance(std::time::Duration::from_secs(60));
    let found = Answer::of(other()).await;
    assert_eq!(found.status, 201, "{found:?}");
    let listed = world.get("/api/webhooks/subscriptions").await;
    assert_eq!(listed.json["records"].as_array().unwrap().len(), 2);
}

/// A renewal that was carried out, and answered with nothing: "Nothing was changed. Try again" was said.
#[tokio::test]
async fn regression_a_renewal_that_is_answered_with_nothing_may_have_been_made() {
    let world = World::new().await;
    let created = world.subscribe(&[CALLS]).await;
    let path = format!("/api/webhooks/subscriptions/{}/renew", created["id"].as_str().unwrap());
    for (kind, body) in [
        (simulator::FaultKind::Empty, None),
        (simulator::FaultKind::Empty, Some(json!({"expiresIn": 3600}))),
        (simulator::FaultKind::Truncate, None),
    ] {
        world.simulator.add_fault(simulator::Fault::new(kind).on("updateSubscription").times(3));
        let renewal = world.request("POST", &path);
        let renewal = body.iter().fold(renewal, |renewal, body| renewal.json(body));
        let told = Answer::of(renewal).await;
        world.simulator.clear_faults();
        assert_eq!((told.status, told.problem()), (502, "outcome-unknown"), "{kind:?} {told:?}");
        assert!(!told.text.contains("Nothing was changed"), "{told:?}");
    }
}

/// Whatever a body asks for that can't be had is named, all at once, before anything is sent; no value is told.
#[tokio::test]
async fn regression_what_a_subscription_may_not_ask_for_is_named_before_anything_is_sent() {
    let world = World::new().await;
    let presence = "/restapi/v1.0/account/~/presence";
    let hook = |more: serde_json::Value| {
        let mut mode = json!({"transportType": "WebHook"});
        mode.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"eventFilters": [presence], "deliveryMode": mode})
    };
    let address = "deliveryMode.address";
    for (what, body, fields, told) in [
        (
            "no path of RingCentral's",
            json!({"eventFilters": [presence, "/nope"]}),
            vec!["eventFilters[1]"],
            "path",
        ),
        (
            "C15",
            hook(json!({"expiresIn": 315_360_000})),
            vec!["deliveryMode.expiresIn"],
            "beside deliveryMode",
        ),
        (
            "C16",
            json!({"eventFilters": [presence], "expiresIn": 630_720_000}),
            vec!["expiresIn"],
            "315360000",
        ),
        (
            "15 years",
            json!({"eventFilters": [presence], "expiresIn": 473_040_000}),
            vec!["expiresIn"],
            "315360000",
        ),
        (
            "centuries",
            json!({"eventFilters": [presence], "expiresIn": 9_999_999_999_u64}),
            vec!["expiresIn"],
            "315360000",
        ),
        (
            "C17",
            hook(
                json!({"address": "https://crm.example/hook", "verificationToken": "a-b-c", "encryption": false}),
            ),
            vec!["deliveryMode.verificationToken", address],
            "this gateway chooses the token",
        ),
        (
            "another host",
            hook(json!({"address": "https://elsewhere.example/api/webhooks/events"})),
            vec![address],
            "a host of this gateway",
        ),
    ] {
        let refused = world.send("POST", "/api/webhooks/subscriptions", &body).await;
        assert_eq!((refused.status, refused.problem()), (400, "invalid-request"), "{what}: {refused:?}");
        assert_eq!(refused.fields(), fields, "{what}: {refused:?}");
        assert!(refused.text.contains(told), "{what}: {refused:?}");
        assert!(
            !["a-b-c", "crm.example", "elsewhere"].iter().any(|value| refused.text.contains(value)),
            "{refused:?}"
        );
    }
    assert_eq!(world.asked_at_all(), 0);
    let longest = json!({"eventFilters": [presence], "expiresIn": 315_360_000});
    assert_eq!(world.send("POST", "/api/webhooks/subscriptions", &longest).await.status, 201);
}

/// C18: deleted behind our back.
#[tokio::test]
async fn one_that_was_deleted_elsewhere_is_a_404_each_time_and_keeps_no_other_from_being_renewed() {
    let world = World::new().await;
    let near = json!({"eventFilters": [CALLS], "expiresIn": 3600});
    let gone = world.send("POST", "/api/webhooks/subscriptions", &near).await.json;
    let other = world.send("POST", "/api/webhooks/subscriptions", &near).await.json;
    let path = format!("/api/webhooks/subscriptions/{}", gone["id"].as_str().unwrap());
    world.foreign_deletion(gone["id"].as_str().unwrap()).await;
    for _ in 0..2 {
        for (method, path) in
            [("POST", format!("{path}/renew")), ("GET", path.clone()), ("DELETE", path.clone())]
        {
            let told = Answer::of(world.request(method, &path)).await;
            assert_eq!((told.status, told.problem()), (404, "not-found"), "{method} {told:?}");
            assert_eq!(told.json["code"], "CMN-102", "{method} {told:?}");
        }
    }
    let renewed = events_renew::renew(&events_renew::Context::new(&world.wiring), "story".to_owned()).await;
    assert_eq!(renewed, Ok(events_renew::Renewed { found: 1, renewed: 1 }));
    let path = format!("/api/webhooks/subscriptions/{}", other["id"].as_str().unwrap());
    assert!(world.get(&path).await.json["expiresIn"].as_i64() > Some(3600));
}

/// C19: RingCentral's refusal was passed on as if the caller had chosen the address.
#[tokio::test]
async fn regression_a_handshake_that_fails_tells_where_ringcentral_tried_and_which_setting_says_so() {
    let mut world = World::new().await;
    let mut wiring = world.wiring.clone();
    // Nothing listens there.
    wiring.config.public_url = "http://127.0.0.1:9".to_owned();
    let function = world.serve(api_subscriptions::router(api_subscriptions::Context::new(&wiring))).await;
    let create = world.http.post(format!("{function}/api/webhooks/subscriptions"));
    let create = create.bearer_auth(world.token(trunkline_http::Role::Admin));
    let refused = Answer::of(create.json(&json!({"eventFilters": [CALLS]}))).await;
    assert_eq!((refused.status, refused.problem()), (400, "ringcentral-refused"), "{refused:?}");
    assert_eq!(refused.json["code"], "SUB-521");
    assert_eq!(refused.fields(), ["deliveryMode.address"]);
    let hint = refused.json["hint"].as_str().unwrap();
    for told in ["http://127.0.0.1:9 ", "--public-url", "PublicUrl"] {
        assert!(hint.contains(told), "{hint}");
    }
    assert!(
        !refused.text.contains("/api/webhooks/events/"),
        "half of what authenticates a delivery: {refused:?}"
    );
    assert_eq!(world.asked("createSubscription"), 1);
    assert_eq!(world.get("/api/webhooks/subscriptions").await.json["records"], json!([]));
}

/// C20: the app may not make webhooks.
#[tokio::test]
async fn a_permission_that_lacks_is_named_and_asked_for_once() {
    let granted = simulator::Config::default().permissions;
    let world = World::with(simulator::Config {
        permissions: granted.into_iter().filter(|one| one != "SubscriptionWebhook").collect(),
        limits: simulator::Limits::none(),
        extensions: 20,
        ..simulator::Config::default()
    })
    .await;
    let refused = world.send("POST", "/api/webhooks/subscriptions", &json!({"eventFilters": [CALLS]})).await;
    assert_eq!((refused.status, refused.problem()), (403, "ringcentral-refused"), "{refused:?}");
    assert!(refused.json["code"].is_string(), "{refused:?}");
    assert!(refused.json["hint"].as_str().unwrap().contains("SubscriptionWebhook"), "{refused:?}");
    assert_eq!(world.asked("createSubscription"), 1);
    let lists = world.asked("listSubscriptions");
    let _ = events_renew::renew(&events_renew::Context::new(&world.wiring), "story".to_owned()).await;
    assert_eq!(world.asked("listSubscriptions"), lists + 1, "once a round");
}

/// It was RingCentral's body with a link to RingCentral, and could not be paged.
#[tokio::test]
async fn regression_the_list_of_subscriptions_is_paged_like_every_list() {
    let world = World::new().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(world.subscribe(&[CALLS]).await["id"].clone());
    }
    let (mut found, mut next) = (Vec::new(), Some("/api/webhooks/subscriptions?perPage=2".to_owned()));
    while let Some(path) = next {
        let page = world.get(&path).await;
        assert_eq!(page.status, 200, "{page:?}");
        let members: Vec<_> = page.json.as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["navigation", "paging", "records"]);
        assert_eq!(
            (&page.json["paging"]["totalElements"], &page.json["paging"]["totalPages"]),
            (&json!(5), &json!(3))
        );
        found.extend(page.json["records"].as_array().unwrap().iter().map(|one| one["id"].clone()));
        next = page.json["navigation"]["nextPage"]["uri"].as_str().map(str::to_owned);
    }
    assert_eq!(found, made);
    let beyond = world.get("/api/webhooks/subscriptions?page=9&perPage=2").await;
    assert_eq!((beyond.status, &beyond.json["records"]), (200, &json!([])), "{beyond:?}");
    let wrong = world.get("/api/webhooks/subscriptions?page=0&perPage=1001").await;
    assert_eq!((wrong.status, wrong.fields()), (400, vec!["page", "perPage"]), "{wrong:?}");
}
