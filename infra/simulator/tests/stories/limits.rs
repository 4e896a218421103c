//! Windows and penalties.

use std::time::Duration;

use trunkline_simulator::{BucketStats, Group, Limit, Simulator};

use crate::support::*;

fn bucket(simulator: &Simulator, group: Group) -> BucketStats {
    simulator.stats().buckets.into_iter().find(|bucket| bucket.group == group).unwrap()
}

#[tokio::test]
async fn the_window_slides_exactly() {
    let simulator = simulator();
    let client = Client::login(&simulator).await;
    let path = format!("{ACCOUNT}/call-log?perPage=1");
    for remaining in (0..10).rev() {
        let answer = client.get(&path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-rate-limit-group"), "heavy");
        assert_eq!(answer.header("x-rate-limit-limit"), "10");
        assert_eq!(answer.header("x-rate-limit-remaining"), remaining.to_string());
        assert_eq!(answer.header("x-rate-limit-window"), "60");
        simulator.clock().advance(Duration::from_secs(1));
    }
    // The first of the ten is 60 s old now, the others are not.
    simulator.clock().advance(Duration::from_secs(50));
    assert_eq!(client.get(&path).await.status, 200);
    let over = client.get(&path).await;
    assert_eq!((over.status.as_u16(), over.code(), over.header("retry-after")), (429, "CMN-301", "60"));
    assert_eq!(over.header("x-rate-limit-remaining"), "0");
    let heavy = bucket(&simulator, Group::Heavy);
    assert_eq!((heavy.accepted, heavy.rejected), (11, 1));
    assert_eq!((heavy.largest_in_window, heavy.arrivals_largest_in_window), (10, 11));
}

#[tokio::test]
async fn knocking_during_the_penalty_restarts_it() {
    let simulator = simulator();
    let client = Client::login(&simulator).await;
    let path = format!("{ACCOUNT}/call-log?perPage=1");
    for _ in 0..10 {
        client.get(&path).await;
    }
    assert_eq!(client.get(&path).await.status, 429);
    for _ in 0..3 {
        simulator.clock().advance(Duration::from_millis(59_999));
        let again = client.get(&path).await;
        assert_eq!((again.status.as_u16(), again.header("retry-after")), (429, "60"));
    }
    // Other groups are not concerned.
    assert_eq!(client.get(ACCOUNT).await.status, 200);
    simulator.clock().advance(Duration::from_secs(60));
    assert_eq!(client.get(&path).await.status, 200);
    assert_eq!(simulator.stats().throttled, 4);
}

#[tokio::test]
async fn the_sixth_token_request_of_a_minute_is_too_many() {
    let simulator = simulator();
    for _ in 0..5 {
        Client::login(&simulator).await;
    }
    let app = trunkline_simulator::Credentials::default();
    let answer = token_request(&simulator, &app, &[("grant_type", JWT), ("assertion", &app.jwt)]).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, "60"));
    assert_eq!(simulator.stats().tokens_issued, 5);
}

#[tokio::test]
async fn limits_change_on_the_fly_and_can_be_switched_off() {
    let simulator = simulator();
    let client = Client::login(&simulator).await;
    simulator.set_limit(Group::Light, Limit { requests: 2, window: Duration::from_secs(30) });
    client.get(ACCOUNT).await;
    let second = client.get(ACCOUNT).await;
    assert_eq!((second.header("x-rate-limit-limit"), second.header("x-rate-limit-window")), ("2", "30"));
    assert_eq!(client.get(ACCOUNT).await.header("retry-after"), "30");
    simulator.enforce_limits(false);
    for _ in 0..100 {
        assert_eq!(client.get(ACCOUNT).await.status, 200);
    }
    assert_eq!(bucket(&simulator, Group::Light).arrivals_largest_in_window, 103);
}
