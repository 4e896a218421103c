//! Subscriptions that renew themselves: what is near its end lives longer afterwards, whatever else goes wrong.

use std::time::Duration;

use clock::{Clock, Deadline};
use events_renew::{Context, LEAST, NotRenewed, Renewed};
use serde_json::json;
use simulator::{EventsOrder, Fault, FaultKind};
use trunkline::{Rate, Schedule};
use trunkline_http::Role;
use trunkline_tests::{Answer, World};

const CALLS: &str = "/restapi/v1.0/account/~/telephony/sessions";
const HOUR: i64 = 3_600;
/// What RingCentral renews a webhook for that does not say how long (seconds).
const WEEK: i64 = 604_799;
/// The longest life that RingCentral gives: ten years (seconds).
const LONGEST: i64 = 315_360_000;

/// A subscription of ours with so many seconds to live; its id.
async fn subscribe(world: &World, life: i64) -> String {
    let body = json!({"eventFilters": [CALLS], "expiresIn": life});
    let created = world.send("POST", "/api/webhooks/subscriptions", &body).await;
    assert_eq!(created.status, 201, "{created:?}");
    created.json["id"].as_str().unwrap().to_owned()
}

/// Seconds that RingCentral gives a subscription.
async fn left(world: &World, id: &str) -> i64 {
    world.get(&format!("/api/webhooks/subscriptions/{id}")).await.json["expiresIn"].as_i64().unwrap()
}

/// Whether a subscription has the longest life there is; whoever waits for anything lets a little of it pass.
async fn lives(world: &World, id: &str) -> bool {
    (LONGEST - 60..=LONGEST).contains(&left(world, id).await)
}

async fn renew(world: &World) -> Result<Renewed, NotRenewed> {
    events_renew::renew(&Context::new(&world.wiring), "story".to_owned()).await
}

fn refusal(status: u16) -> Fault {
    Fault::new(FaultKind::Error).on("updateSubscription").with_status(status)
}

#[tokio::test]
async fn a_subscription_near_its_end_lives_longer_afterwards_and_a_second_run_finds_nothing_to_do() {
    let world = World::new().await;
    let id = subscribe(&world, HOUR).await;
    assert_eq!(renew(&world).await, Ok(Renewed { found: 1, renewed: 1 }));
    assert!(lives(&world, &id).await);
    assert_eq!(renew(&world).await, Ok(Renewed { found: 1, renewed: 0 }));
    assert_eq!(world.asked("updateSubscription"), 1);
}

#[tokio::test]
async fn a_receiver_with_a_url_of_its_own_is_delivered_to_there_and_the_old_address_is_renewed_on() {
    let mut world = World::new().await;
    let old = subscribe(&world, HOUR).await;
    // Another name for the same machine, as the receiver's own URL is another way to it.
    let door = world.url.replace("127.0.0.1", "localhost");
    let mut wiring = world.wiring.clone();
    wiring.config.webhook_url = Some(door.clone());
    let function = world.serve(api_subscriptions::router(api_subscriptions::Context::new(&wiring))).await;

    let create = world.http.post(format!("{function}/api/webhooks/subscriptions"));
    let create = create.bearer_auth(world.token(Role::Admin));
    let created = Answer::of(create.json(&json!({"eventFilters": [CALLS], "expiresIn": HOUR}))).await;
    assert_eq!(created.status, 201, "{created:?}");
    let address = created.json["deliveryMode"]["address"].as_str().unwrap();
    assert!(address.starts_with(&format!("{door}/api/webhooks/events/default/")), "{address}");

    let renewed = events_renew::renew(&Context::new(&wiring), "story".to_owned()).await;
    assert_eq!(renewed, Ok(Renewed { found: 2, renewed: 2 }));
    for id in [old.as_str(), created.json["id"].as_str().unwrap()] {
        assert!(lives(&world, id).await);
    }
}

#[tokio::test]
async fn it_goes_behind_whoever_waits_for_an_answer() {
    let world = World::new().await;
    subscribe(&world, HOUR).await;
    renew(&world).await.unwrap();
    let limits = world.get("/api/platform/limits").await.json;
    let group = |name: &str| limits["records"].as_array().unwrap().iter().find(|one| one["group"] == name);
    let used = |name: &str, by: &str| group(name).unwrap()["used"][by].as_u64();
    // The list, and the renewal beside the creation.
    assert_eq!((used("light", "event"), used("light", "interactive")), (Some(1), Some(0)), "{limits}");
    assert_eq!((used("medium", "event"), used("medium", "interactive")), (Some(1), Some(1)), "{limits}");
}

#[tokio::test]
async fn nothing_is_begun_that_the_invocation_can_not_end() {
    let world = World::new().await;
    let id = subscribe(&world, HOUR).await;
    let sent = world.asked_at_all();
    let short = Deadline(world.time.now() + 500);
    let error = short.during(renew(&world)).await.unwrap_err();
    assert_eq!((error.failures.len(), world.asked_at_all()), (1, sent), "{error}");
    assert_eq!(renew(&world).await, Ok(Renewed { found: 1, renewed: 1 }));
    assert!(lives(&world, &id).await);
}

#[tokio::test]
async fn it_never_ends_as_long_as_somebody_looks_after_it() {
    let world = World::new().await;
    let id = subscribe(&world, WEEK).await;
    for _ in 0..30 {
        world.time.advance(Duration::from_secs(86_400));
        renew(&world).await.unwrap();
        assert!(left(&world, &id).await >= LEAST);
    }
    assert_eq!(world.asked("updateSubscription"), 1, "in thirty days");
}

#[tokio::test]
async fn long_lives_cost_no_request_beyond_the_list() {
    let world = World::new().await;
    for life in [LEAST + 60, 315_360_000] {
        subscribe(&world, life).await;
    }
    renew(&world).await.unwrap();
    let before = world.asked_at_all();
    assert_eq!(renew(&world).await, Ok(Renewed { found: 2, renewed: 0 }));
    assert_eq!(world.asked_at_all() - before, 1);
}

#[tokio::test]
async fn subscriptions_of_others_are_left_alone() {
    let mut world = World::new().await;
    // Another deployment with the same app and user, and another tool behind our own domain.
    let elsewhere = format!("{}/api/webhooks/events/default/{}", world.container().await, "7".repeat(32));
    let beside = format!("{}/api/webhooks/validate", world.url);
    for address in [&elsewhere, &beside] {
        world.foreign_subscription(CALLS, address, HOUR).await;
    }
    let ours = subscribe(&world, HOUR).await;
    assert_eq!(renew(&world).await, Ok(Renewed { found: 1, renewed: 1 }));
    let listed = world.get("/api/webhooks/subscriptions").await.json;
    let (renewed, left): (Vec<_>, Vec<_>) =
        listed["records"].as_array().unwrap().iter().partition(|one| one["expiresIn"].as_i64() > Some(HOUR));
    assert_eq!((renewed.len(), left.len()), (1, 2), "{listed}");
    assert_eq!(renewed[0]["id"], ours.as_str());
    assert_eq!(world.asked("updateSubscription"), 1);
}

#[tokio::test]
async fn one_that_is_gone_keeps_no_other_from_being_renewed() {
    let world = World::new().await;
    let ids = [subscribe(&world, HOUR).await, subscribe(&world, HOUR).await];
    world.simulator.add_fault(refusal(404).times(1));
    let error = renew(&world).await.unwrap_err();
    assert_eq!((error.sum, error.failures.len()), (Renewed { found: 2, renewed: 1 }, 1));
    let told = error.to_string();
    assert!(told.contains("default") && told.contains(&ids[0]) && told.contains("404"), "{told}");
    assert!(left(&world, &ids[0]).await <= HOUR && lives(&world, &ids[1]).await);
}

#[tokio::test]
async fn one_that_ringcentral_has_given_up_is_told_and_not_asked_for() {
    let world = World::new().await;
    let dead = subscribe(&world, 315_360_000).await;
    // The queue is away for so long that RingCentral gives the receiver up.
    for _ in 0..12 {
        world.aws().faults().fail_next("AmazonSQS.SendMessage", 99, embedded_aws::Fault::Error);
        world.simulator.generate_events(&EventsOrder { count: 1, ..EventsOrder::default() });
        world.simulator.tick().await;
        world.time.advance(Duration::from_secs(60));
    }
    world.aws().faults().clear();
    world.simulator.tick().await;
    let shown = world.get(&format!("/api/webhooks/subscriptions/{dead}")).await.json;
    assert_eq!(shown["status"], "Blacklisted", "{shown}");
    let next = subscribe(&world, HOUR).await;
    let error = renew(&world).await.unwrap_err();
    assert_eq!(error.sum, Renewed { found: 2, renewed: 1 });
    let told = error.to_string();
    assert!(told.contains(&dead) && told.contains("503") && !told.contains("http"), "{told}");
    assert!(lives(&world, &next).await);
    assert_eq!(world.asked("updateSubscription"), 1);
}

#[tokio::test]
async fn while_ringcentral_is_away_nothing_is_renewed_and_the_next_run_does_it() {
    let world = World::new().await;
    let id = subscribe(&world, HOUR).await;
    world.simulator.add_fault(Fault::new(FaultKind::Down));
    let error = renew(&world).await.unwrap_err();
    assert!(error.to_string().contains("can't be listed"), "{error}");
    world.simulator.clear_faults();
    world.time.advance(Duration::from_secs(120));
    assert_eq!(renew(&world).await, Ok(Renewed { found: 1, renewed: 1 }));
    assert!(lives(&world, &id).await);
}

#[tokio::test]
async fn a_renewal_whose_answer_was_lost_is_found_done_by_the_next_run() {
    let world = World::new().await;
    let id = subscribe(&world, HOUR).await;
    world.simulator.add_fault(refusal(500).times(3).after_apply());
    assert!(renew(&world).await.is_err(), "nobody knows whether it worked");
    assert_eq!(renew(&world).await, Ok(Renewed { found: 1, renewed: 0 }));
    assert!(lives(&world, &id).await);
    assert_eq!(world.asked("updateSubscription"), 3);
}

#[tokio::test]
async fn a_tenant_without_credentials_keeps_no_other_from_being_renewed() {
    let mut world = World::new().await;
    let id = subscribe(&world, HOUR).await;
    world.wiring.config.tenants.insert(0, "acme".parse().unwrap());
    let error = renew(&world).await.unwrap_err();
    assert_eq!(error.sum.renewed, 1);
    // By this word an alarm finds it.
    assert!(error.to_string().contains("acme") && error.to_string().contains("credentials"), "{error}");
    assert!(lives(&world, &id).await);
}

#[tokio::test]
async fn one_machine_wakes_it_by_its_clock_and_again_when_it_fails() {
    let world = World::new().await;
    let id = subscribe(&world, HOUR).await;
    let start = world.time.now();
    let clock = clock::Manual::eager(start);
    let rate: Rate = "rate(1 hour)".parse().unwrap();
    let context = Context::new(&world.wiring);
    let schedule = Schedule::new(context, std::sync::Arc::new(clock.clone()), rate);
    let now = || (clock.now() - start) / 1_000;
    world.simulator.add_fault(refusal(409).times(1));
    assert!(schedule.turn().await);
    assert_eq!((now(), lives(&world, &id).await), (HOUR + 60, true));
    assert!(schedule.turn().await);
    assert_eq!((now(), world.asked("updateSubscription")), (2 * HOUR + 60, 2));
    // Three tries, and the rest is left to the next turn.
    world.simulator.add_fault(Fault::new(FaultKind::Error).on("listSubscriptions").with_status(400));
    assert!(!schedule.turn().await);
    assert_eq!(now(), 3 * HOUR + 60 + 180);
}

/// When a subscription ends, by RingCentral's own clock.
async fn ends(world: &World, id: &str) -> jiff::Timestamp {
    let shown = world.get(&format!("/api/webhooks/subscriptions/{id}")).await.json;
    shown["expirationTime"].as_str().unwrap().parse().unwrap()
}

/// C14: ten years became seven days, by the API and by the schedule.
#[tokio::test]
async fn regression_a_renewal_never_shortens_a_life() {
    let world = World::new().await;
    let plain = async |id: &str| {
        let renewed = world.request("POST", &format!("/api/webhooks/subscriptions/{id}/renew"));
        let renewed = Answer::of(renewed).await;
        assert_eq!(renewed.status, 200, "{renewed:?}");
        renewed.json
    };
    for life in [60, HOUR, WEEK, 30 * 86_400, 315_360_000] {
        // By the API, at once and when half of the life is over.
        let id = subscribe(&world, life).await;
        for _ in 0..2 {
            let before = ends(&world, &id).await;
            let told = plain(&id).await;
            let after = ends(&world, &id).await;
            assert!(after >= before, "{life} s: {before} became {after}");
            assert_eq!(
                told["expirationTime"].as_str(),
                Some(&*format!("{after:.3}")),
                "what happened is told"
            );
            world.time.advance(Duration::from_secs(u64::try_from(life).unwrap() / 2));
        }
    }
    // By the schedule, when it is near its end: it gets what it was made with, and not a week.
    let id = subscribe(&world, 315_360_000).await;
    world.time.advance(Duration::from_secs(315_360_000 - 86_400));
    assert!(left(&world, &id).await <= 86_400);
    renew(&world).await.unwrap();
    assert!(left(&world, &id).await >= 315_360_000 - 60, "{} s", left(&world, &id).await);
}

/// An empty answer was counted as a renewal.
#[tokio::test]
async fn regression_a_renewal_that_is_answered_with_nothing_is_no_renewal() {
    let world = World::new().await;
    let id = subscribe(&world, HOUR).await;
    world.simulator.add_fault(Fault::new(FaultKind::Empty).times(1).on("updateSubscription"));
    let error = renew(&world).await.unwrap_err();
    assert_eq!(error.sum, Renewed { found: 1, renewed: 0 });
    let told = error.to_string();
    assert!(told.contains(&id) && told.contains("may have been renewed"), "{told}");
    assert!(renew(&world).await.is_ok(), "the next round finds out");
}

/// Where RingCentral takes no chosen life, its own is better than none.
#[tokio::test]
async fn regression_where_a_chosen_life_is_refused_ringcentrals_own_is_taken() {
    let world = World::new().await;
    let id = subscribe(&world, HOUR).await;
    let refusal = Fault::new(FaultKind::Error).on("updateSubscription").with_status(400);
    world.simulator.add_fault(refusal.times(1));
    assert_eq!(renew(&world).await, Ok(Renewed { found: 1, renewed: 1 }));
    assert!((WEEK - 60..=WEEK).contains(&left(&world, &id).await));
    assert_eq!((world.asked("updateSubscription"), world.asked("renewSubscription")), (1, 1));
}

/// Everything would be delivered, stored and counted twice.
#[tokio::test]
async fn regression_two_subscriptions_at_one_address_are_told_and_both_renewed() {
    let world = World::new().await;
    let created = world
        .send("POST", "/api/webhooks/subscriptions", &json!({"eventFilters": [CALLS], "expiresIn": HOUR}))
        .await;
    let (id, address) =
        (created.json["id"].as_str().unwrap(), created.json["deliveryMode"]["address"].as_str().unwrap());
    assert!(world.get("/api/webhooks/subscriptions").await.json.get("sameAddress").is_none());
    world.foreign_subscription(CALLS, address, HOUR).await;
    let listed = world.get("/api/webhooks/subscriptions").await.json;
    let ids: Vec<_> = listed["records"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    assert_eq!(listed["sameAddress"], json!([ids]), "{listed}");
    let error = renew(&world).await.unwrap_err();
    assert_eq!((error.sum, error.failures.len()), (Renewed { found: 2, renewed: 2 }, 1));
    let told = error.to_string();
    assert!(told.contains(id) && told.contains(ids[1].as_str().unwrap()) && !told.contains("http"), "{told}");
}

/// A deployment that has no tenants yet is none that fails.
#[tokio::test]
async fn without_tenants_there_is_nothing_to_renew() {
    let mut world = World::new().await;
    subscribe(&world, HOUR).await;
    world.wiring.config.tenants.clear();
    let before = world.asked_at_all();
    assert_eq!(renew(&world).await, Ok(Renewed { found: 0, renewed: 0 }));
    assert_eq!(world.asked_at_all(), before);
}

/// From its creation to its renewal, at a RingCentral that sends `Verification-Token` with the handshake too.
#[tokio::test]
async fn a_subscription_is_made_delivered_to_and_renewed_with_both_headers_in_the_handshake() {
    let config = simulator::Config::default();
    assert!(config.verification_in_handshake, "the simulator sends both by default");
    let world = World::new().await;
    let body = json!({"eventFilters": ["/restapi/v1.0/account/~/telephony/sessions"], "expiresIn": 3600});
    let created = world.send("POST", "/api/webhooks/subscriptions", &body).await;
    assert_eq!(created.status, 201, "{created:?}");
    world.simulator.generate_events(&EventsOrder { count: 3, ..EventsOrder::default() });
    world.settle().await;
    assert!(!world.events("&kind=telephony-session").await.is_empty());
    let renewed = renew(&world).await;
    assert_eq!(renewed, Ok(Renewed { found: 1, renewed: 1 }));
    let path = format!("/api/webhooks/subscriptions/{}", created.json["id"].as_str().unwrap());
    assert!(world.get(&path).await.json["expiresIn"].as_i64() > Some(315_000_000));
    // What it delivers is still taken.
    let before = world.events("").await.len();
    world.simulator.generate_events(&EventsOrder { count: 3, seed: Some(9), ..EventsOrder::default() });
    world.settle().await;
    assert!(world.events("").await.len() > before);
}
