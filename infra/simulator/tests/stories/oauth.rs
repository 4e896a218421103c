//! Logging in, staying logged in, and being thrown out.

use std::time::Duration;

use trunkline_simulator::{Clock, Config, Credentials, Simulator};

use crate::support::*;

#[tokio::test]
async fn a_jwt_buys_a_session() {
    let simulator = simulator();
    let app = Credentials::default();
    let answer = token_request(&simulator, &app, &[("grant_type", JWT), ("assertion", &app.jwt)]).await;
    assert_eq!(answer.status, 200);
    assert_eq!((&answer.body["token_type"], &answer.body["expires_in"]), (&"bearer".into(), &3600.into()));
    assert!(answer.body["owner_id"].is_string() && answer.body["session_id"].is_string());
    assert!(answer.body["refresh_token"].is_string());
    assert_eq!(answer.header("x-rate-limit-group"), "auth");
    assert_eq!(answer.header("x-rate-limit-remaining"), "4");
    assert!(!answer.header("rcrequestid").is_empty());

    let client = Client { simulator, token: answer.body["access_token"].as_str().unwrap().to_owned() };
    let account = client.get(ACCOUNT).await;
    assert_eq!(account.status, 200);
    assert_eq!(account.body["id"].to_string(), answer.body["owner_id"].as_str().unwrap());
}

#[tokio::test]
async fn wrong_credentials_are_told_apart() {
    let simulator = simulator();
    let app = Credentials::default();
    let stranger = Credentials { client_secret: "guess".into(), ..app.clone() };
    let answer = token_request(&simulator, &stranger, &[("grant_type", JWT), ("assertion", &app.jwt)]).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (401, "OAU-146"));
    assert_eq!(answer.body["error"], "invalid_client");
    assert_eq!(answer.header("x-rate-limit-group"), "");

    let answer = token_request(&simulator, &app, &[("grant_type", JWT), ("assertion", "forged")]).await;
    assert_eq!((answer.status.as_u16(), &answer.body["error"]), (400, &"invalid_grant".into()));
    let answer = token_request(&simulator, &app, &[("grant_type", "password")]).await;
    assert_eq!((answer.status.as_u16(), &answer.body["error"]), (400, &"unsupported_grant_type".into()));
    let answer = token_request(&simulator, &app, &[]).await;
    assert_eq!((answer.status.as_u16(), &answer.body["error"]), (400, &"invalid_request".into()));
}

#[tokio::test]
async fn a_resource_says_what_is_wrong_with_a_token() {
    let simulator = simulator();
    let client = Client::login(&simulator).await;
    let without = ask(&simulator, http::Request::get(ACCOUNT).body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!((without.status.as_u16(), without.code()), (401, "AGW-401"));

    let stranger = Client { token: "never-issued".into(), ..client.clone() };
    let unknown = stranger.get(ACCOUNT).await;
    assert_eq!((unknown.code(), &unknown.body["errorCode"]), ("OAU-149", &"TokenInvalid".into()));

    simulator.clock().advance(Duration::from_secs(3599));
    assert_eq!(client.get(ACCOUNT).await.status, 200);
    simulator.clock().advance(Duration::from_secs(1));
    assert_eq!(client.get(ACCOUNT).await.code(), "OAU-128");

    let client = Client::login(&simulator).await;
    let revoked =
        oauth_request(&simulator, "revoke", &Credentials::default(), &[("token", &client.token)]).await;
    assert_eq!(revoked.status, 200);
    assert_eq!(client.get(ACCOUNT).await.code(), "OAU-213");
}

#[tokio::test]
async fn the_sixth_session_evicts_the_oldest() {
    let simulator = simulator();
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(Client::login(&simulator).await);
    }
    simulator.clock().advance(Duration::from_secs(60));
    for client in &clients {
        assert_eq!(client.get(ACCOUNT).await.status, 200);
    }
    let sixth = Client::login(&simulator).await;
    assert_eq!(clients[0].get(ACCOUNT).await.code(), "OAU-213");
    assert_eq!(clients[1].get(ACCOUNT).await.status, 200);
    assert_eq!(sixth.get(ACCOUNT).await.status, 200);
    let stats = simulator.stats();
    assert_eq!((stats.sessions_active, stats.sessions_evicted, stats.tokens_issued), (5, 1, 6));
}

#[tokio::test]
async fn refreshing_kills_the_old_access_token_at_once() {
    let simulator = simulator();
    let app = Credentials::default();
    let first = token_request(&simulator, &app, &[("grant_type", JWT), ("assertion", &app.jwt)]).await;
    let old = Client {
        simulator: simulator.clone(),
        token: first.body["access_token"].as_str().unwrap().to_owned(),
    };
    let refresh = first.body["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let second = token_request(&simulator, &app, &form).await;
    assert_eq!(old.get(ACCOUNT).await.code(), "OAU-213");

    // While the new token is unused, and for ten seconds after its first use, the answer is repeated.
    let repeated = token_request(&simulator, &app, &form).await;
    assert_eq!(repeated.body["access_token"], second.body["access_token"]);
    let new = Client { token: second.body["access_token"].as_str().unwrap().to_owned(), ..old };
    assert_eq!(new.get(ACCOUNT).await.status, 200);
    simulator.clock().advance(Duration::from_secs(11));
    let late = token_request(&simulator, &app, &form).await;
    assert_eq!((late.status.as_u16(), &late.body["error"]), (400, &"invalid_grant".into()));
    assert_eq!(new.get(ACCOUNT).await.status, 200);
}

#[tokio::test]
async fn an_app_may_issue_no_refresh_tokens() {
    let simulator = Simulator::new(Config { refresh_tokens: false, ..config() });
    let app = Credentials::default();
    let answer = token_request(&simulator, &app, &[("grant_type", JWT), ("assertion", &app.jwt)]).await;
    assert!(answer.body.get("refresh_token").is_none());
    let form = [("grant_type", "refresh_token"), ("refresh_token", "any")];
    assert_eq!(token_request(&simulator, &app, &form).await.code(), "OAU-112");
}

#[tokio::test]
async fn lifetimes_are_announced_on_the_clients_clock() {
    let simulator = Simulator::new(Config { clock: Clock::scaled(10.0), ..config() });
    let app = Credentials::default();
    let answer = token_request(&simulator, &app, &[("grant_type", JWT), ("assertion", &app.jwt)]).await;
    assert_eq!(answer.body["expires_in"], 360);
    assert_eq!(answer.header("x-rate-limit-window"), "6");
    let form = [("grant_type", JWT), ("assertion", app.jwt.as_str()), ("access_token_ttl", "600")];
    assert_eq!(token_request(&simulator, &app, &form).await.body["expires_in"], 600);
    let form = [("grant_type", JWT), ("assertion", app.jwt.as_str()), ("access_token_ttl", "60")];
    assert_eq!(token_request(&simulator, &app, &form).await.body["expires_in"], 60);
    let form = [("grant_type", JWT), ("assertion", app.jwt.as_str()), ("access_token_ttl", "59")];
    assert_eq!(token_request(&simulator, &app, &form).await.status, 400);
}

#[tokio::test]
async fn apps_and_users_have_their_own_sessions_and_budgets() {
    let other_app =
        Credentials { client_id: "other".into(), client_secret: "s".into(), ..Credentials::default() };
    let other_user = Credentials { jwt: "somebody-else".into(), ..Credentials::default() };
    let other_jwt = Credentials::demo_rotated();
    let more = vec![other_app.clone(), other_user.clone(), other_jwt.clone()];
    let simulator = Simulator::new(Config { more_credentials: more, ..config() });
    let mut owners = Vec::new();
    for app in [Credentials::default(), other_app, other_user] {
        let form = [("grant_type", JWT), ("assertion", app.jwt.as_str())];
        let answer = token_request(&simulator, &app, &form).await;
        assert_eq!(answer.header("x-rate-limit-remaining"), "4");
        owners.push(answer.body["owner_id"].clone());
    }
    assert_eq!(owners[0], owners[1]);
    assert_ne!(owners[0], owners[2]);
    let form = [("grant_type", JWT), ("assertion", other_jwt.jwt.as_str())];
    let answer = token_request(&simulator, &other_jwt, &form).await;
    assert_eq!((&answer.body["owner_id"], answer.header("x-rate-limit-remaining")), (&owners[0], "3"));
}
