//! What goes wrong when it is told to.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use trunkline_simulator::{EventsOrder, Fault, FaultKind, Simulator};

use crate::support::*;

fn new_user() -> Value {
    json!({"extensionNumber": "7001", "contact": {"firstName": "Ada", "email": "ada@acme.example"}})
}

/// The simulator on a port and a client that speaks to it over the network.
async fn on_a_port(simulator: &Simulator) -> (String, reqwest::Client) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let serving = simulator.clone();
    tokio::spawn(async move { serving.serve(listener).await });
    (base, reqwest::Client::builder().no_proxy().build().unwrap())
}

#[tokio::test]
async fn an_error_may_come_before_or_after_the_deed() {
    let simulator = simulator();
    let client = Client::login(&simulator).await;
    simulator.add_fault(Fault::new(FaultKind::Error).on("createExtension").times(1).with_status(500));
    let answer = client.account("POST", "/extension", new_user()).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (500, "CMN-203"));
    assert_eq!(simulator.truth()["counts"]["extensions"], 60);

    simulator.add_fault(Fault::new(FaultKind::Error).on("createExtension").times(1).after_apply());
    let answer = client.account("POST", "/extension", new_user()).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (503, "CMN-201"));
    assert_eq!(simulator.truth()["counts"]["extensions"], 61);
    assert_eq!(client.account("POST", "/extension", new_user()).await.code(), "CMN-406");
    assert!(simulator.faults().is_empty());
}

#[tokio::test]
async fn a_dead_line_gives_no_answer() {
    let simulator = simulator();
    let client = Client::login(&simulator).await;
    let (base, network) = on_a_port(&simulator).await;
    let url = format!("{base}{ACCOUNT}");
    for kind in [FaultKind::Down, FaultKind::Reset] {
        let id = simulator.add_fault(Fault::new(kind));
        let error = network.get(&url).bearer_auth(&client.token).send().await.unwrap_err();
        assert!(error.is_request() && error.status().is_none(), "{error:?}");
        assert!(simulator.remove_fault(id));
        let alive = network.get(&url).bearer_auth(&client.token).send().await.unwrap();
        assert_eq!(alive.status(), 200);
    }
    // Nobody answered, but the requests arrived and were counted.
    let light = simulator.stats().buckets.into_iter().find(|bucket| bucket.limit == 50).unwrap();
    assert!(light.arrivals_largest_in_window >= 4);

    simulator.add_fault(Fault::new(FaultKind::Down).on("createExtension").times(1).after_apply());
    let post =
        network.post(format!("{base}{ACCOUNT}/extension")).bearer_auth(&client.token).json(&new_user());
    assert!(post.send().await.is_err());
    assert_eq!(simulator.truth()["counts"]["extensions"], 61);
}

#[tokio::test]
async fn json_breaks_off_with_or_without_the_line() {
    let simulator = simulator();
    let client = Client::login(&simulator).await;
    let (base, network) = on_a_port(&simulator).await;
    let url = format!("{base}{ACCOUNT}");
    simulator.add_fault(Fault::new(FaultKind::Truncate).times(1));
    let short = network.get(&url).bearer_auth(&client.token).send().await.unwrap();
    assert_eq!(short.status(), 200);
    assert!(serde_json::from_slice::<Value>(&short.bytes().await.unwrap()).is_err());

    simulator.add_fault(Fault { close: true, ..Fault::new(FaultKind::Truncate) }.times(1));
    let closed = network.get(&url).bearer_auth(&client.token).send().await;
    assert!(match closed {
        Ok(answer) => answer.bytes().await.is_err(),
        Err(_) => true,
    });
    assert_eq!(network.get(&url).bearer_auth(&client.token).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_slow_answer_is_slow_and_right() {
    let simulator = simulator();
    let client = Client::login(&simulator).await;
    simulator.add_fault(Fault { delay_ms: 50, ..Fault::new(FaultKind::Slow) }.times(1));
    let began = std::time::Instant::now();
    assert_eq!(client.get(ACCOUNT).await.status, 200);
    assert!(began.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn tokens_die_and_windows_slam_on_demand() {
    let simulator = simulator();
    let client = Client::login(&simulator).await;
    simulator.add_fault(Fault::new(FaultKind::Force429).times(1));
    let answer = client.get(ACCOUNT).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (429, "CMN-301"));
    assert_eq!((answer.header("retry-after"), answer.header("x-rate-limit-remaining")), ("60", "0"));
    // The window itself was never full, so there is no penalty.
    assert_eq!(client.get(ACCOUNT).await.status, 200);

    simulator.add_fault(Fault::new(FaultKind::RevokeTokens));
    assert_eq!(client.get(ACCOUNT).await.code(), "OAU-213");
    assert_eq!(simulator.stats().sessions_active, 0);
}

#[tokio::test]
async fn a_notification_can_be_lost() {
    let simulator = simulator();
    let hook = Hook::open().await;
    let client = Client::login(&simulator).await;
    client.subscribe(&["/restapi/v1.0/account/~/telephony/sessions"], &hook.address).await;
    simulator.add_fault(Fault::new(FaultKind::WebhookDrop).times(3));
    simulator.generate_events(&EventsOrder { count: 10, ..EventsOrder::default() });
    simulator.advance(Duration::from_secs(3600)).await;
    assert_eq!(hook.notifications().len(), 7);
    let status = simulator.events_status();
    assert_eq!((status.pending, status.delivered, status.failed), (0, 7, 3));
    assert_eq!(simulator.stats().deliveries.dropped, 3);
}
