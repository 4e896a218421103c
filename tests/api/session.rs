//! Tokens and credentials in trouble: what comes back by itself, and what a rotation may cost.

use std::time::Duration;

use simulator::{Config, Fault, FaultKind, Limits};
use trunkline::RingCentralAccess;
use trunkline_http::Role;
use trunkline_tests::{Answer, World};

const BAD_TOKEN: &str = r#"{"errorCode":"OAU-213","message":"Token not found"}"#;

/// GET at this container of the world.
async fn get(world: &World, url: &str, path: &str) -> Answer {
    Answer::of(world.http.get(format!("{url}{path}")).bearer_auth(world.token(Role::Admin))).await
}

fn limited() -> Config {
    let more_credentials = vec![simulator::Credentials::demo_rotated()];
    let limits = Limits::default();
    Config { limits, more_credentials, extensions: 5, calls: 5, messages: 5, ..Config::default() }
}

#[tokio::test]
async fn regression_a_403_of_a_stranger_at_the_token_endpoint_passes() {
    let world = World::proxied().await;
    world.proxy().on("getToken").times(1).stranger(403, "<html>Forbidden</html>");
    assert_eq!(world.get("/api/extensions").await.status, 200, "the same call tries again");
    world.simulator.revoke_tokens();
    world.proxy().on("getToken").stranger(403, "<html>Forbidden</html>");
    let shut = world.get("/api/extensions").await;
    assert_eq!((shut.status, shut.problem()), (502, "ringcentral-unavailable"), "{shut:?}");
    world.proxy().clear();
    world.time.advance(Duration::from_secs(61));
    assert_eq!(world.get("/api/extensions").await.status, 200);
}

#[tokio::test]
async fn regression_a_new_secret_that_is_not_known_everywhere_yet_is_tried_again() {
    let mut world = World::proxied().await;
    let unknown = r#"{"error":"invalid_client","errors":[{"errorCode":"OAU-146"}]}"#;
    world.proxy().on("getToken").times(1).stranger(401, unknown);
    let refused = world.get("/api/extensions").await;
    assert_eq!((refused.status, refused.problem()), (503, "credentials-refused"), "{refused:?}");
    world.time.advance(Duration::from_secs(121));
    let other = world.container().await;
    assert_eq!(get(&world, &other, "/api/extensions").await.status, 200);
}

#[tokio::test]
async fn regression_a_refused_jwt_that_is_stored_again_is_tried_again() {
    let mut world = World::proxied().await;
    let no = r#"{"error":"invalid_grant","errors":[{"errorCode":"OAU-140"}]}"#;
    world.proxy().on("getToken").times(1).stranger(400, no);
    assert_eq!(world.get("/api/extensions").await.problem(), "credentials-refused");
    world.time.advance(Duration::from_secs(86_400));
    assert_eq!(world.get("/api/extensions").await.problem(), "credentials-refused", "it has no end");
    let client = aws_sdk_secretsmanager::Client::new(&world.cloud.sdk);
    let name = "trunkline/tenants/default";
    let same = client.get_secret_value().secret_id(name).send().await.unwrap();
    let same = same.secret_string.unwrap();
    client.put_secret_value().secret_id(name).secret_string(same).send().await.unwrap();
    let other = world.container().await;
    assert_eq!(get(&world, &other, "/api/extensions").await.status, 200);
}

#[tokio::test]
async fn regression_a_check_of_tokens_that_blinks_shuts_nobody_out_for_a_quarter_of_an_hour() {
    let mut world = World::proxied().await;
    world.proxy().on("listExtensions").times(3).stranger(401, BAD_TOKEN);
    let blinked = world.get("/api/extensions").await;
    assert_ne!(blinked.status, 200, "three tokens in a row were refused");
    let other = world.container().await;
    world.time.advance(Duration::from_secs(60));
    assert_eq!(get(&world, &other, "/api/extensions").await.status, 200);
    assert_eq!(world.get("/api/extensions").await.status, 200);
}

#[tokio::test]
async fn regression_a_rotated_jwt_finds_the_window_of_its_user() {
    let mut world = World::with(limited()).await;
    for _ in 0..30 {
        assert_eq!(world.get("/api/extensions?perPage=1").await.status, 200);
    }
    let (secrets, tenant) = (world.wiring.secrets(), trunkline::TENANT.parse().unwrap());
    let url = ringcentral::CredentialSource::credentials(&secrets, &tenant).await.unwrap().server_url;
    let rotated = simulator::Credentials::demo_rotated();
    let access = RingCentralAccess { jwt: rotated.jwt.into(), ..RingCentralAccess::demo(url) };
    world.cloud.secrets(Some(&access)).await.unwrap();
    let other = world.container().await;
    let mut served = 0;
    for _ in 0..25 {
        served += usize::from(get(&world, &other, "/api/extensions?perPage=1").await.status == 200);
    }
    let stats = world.simulator.stats();
    assert_eq!((served, stats.throttled, stats.tokens_issued), (10, 0, 2));
}

#[tokio::test]
async fn regression_a_deletion_that_was_carried_out_is_not_told_as_missing() {
    let world = World::new().await;
    let list = world.get("/api/extensions").await;
    let id = list.json["records"][3]["id"].clone();
    let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
    let fault = Fault::new(FaultKind::Error).on("deleteExtension").with_status(503).after_apply().times(1);
    world.simulator.add_fault(fault);
    let deleted = Answer::of(world.request("DELETE", &format!("/api/extensions/{id}"))).await;
    assert_eq!((deleted.status, world.asked("deleteExtension")), (204, 2), "{deleted:?}");
    let again = Answer::of(world.request("DELETE", &format!("/api/extensions/{id}"))).await;
    assert_eq!((again.status, again.problem()), (404, "not-found"), "{again:?}");
}

#[tokio::test]
async fn regression_a_token_that_is_known_to_be_dead_is_sent_by_nobody() {
    let mut world = World::with(limited()).await;
    let other = world.container().await;
    for url in [world.url.clone(), other.clone()] {
        assert_eq!(get(&world, &url, "/api/extensions").await.status, 200);
    }
    world.simulator.revoke_tokens();
    world.simulator.add_fault(Fault::new(FaultKind::Error).on("getToken").with_status(503));
    for _ in 0..20 {
        for url in [world.url.clone(), other.clone()] {
            assert_ne!(get(&world, &url, "/api/extensions").await.status, 200);
        }
    }
    let refused = world.simulator.stats().answers.get(&401).copied().unwrap_or(0);
    assert!(refused <= 2, "each container may have sent it once, but it was {refused} times");
    world.simulator.clear_faults();
    world.time.advance(Duration::from_secs(61));
    assert_eq!(get(&world, &other, "/api/extensions").await.status, 200);
}

#[tokio::test]
async fn a_token_that_dies_under_many_requests_is_refreshed_once() {
    let mut world = World::new().await;
    let urls = [world.url.clone(), world.container().await];
    for url in &urls {
        assert_eq!(get(&world, url, "/api/extensions").await.status, 200);
    }
    let before = world.simulator.stats().tokens_issued;
    world.simulator.revoke_tokens();
    let many = (0..15).map(|index| get(&world, &urls[index % 2], "/api/extensions?perPage=1"));
    let statuses = futures::future::join_all(many).await;
    assert!(statuses.iter().all(|answer| answer.status == 200), "{statuses:?}");
    assert_eq!(world.simulator.stats().tokens_issued, before + 1);
}
