//! Another tool with the same app and user: it has a token of its own, asks steadily, and knows nothing of the gate.

use std::time::Duration;

use reqwest::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::MissedTickBehavior;

use crate::{Failure, role::Orders, worker::Line};

/// What it does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Where RingCentral is.
    pub(crate) server_url: String,
    /// What it asks for.
    pub(crate) path: String,
    /// How often, real milliseconds.
    pub(crate) every: u64,
}

/// Plays it until the end.
pub(crate) async fn run(plan: Plan) -> Result<(), Failure> {
    let mut orders = Orders::listen();
    let http = reqwest::Client::builder().no_proxy().build()?;
    let demo = simulator::Credentials::default();
    let form =
        [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", demo.jwt.as_str())];
    let login = http.post(format!("{}/restapi/oauth/token", plan.server_url)).form(&form);
    let login = login.basic_auth(&demo.client_id, Some(&demo.client_secret)).send().await?;
    let session: Value = login.error_for_status()?.json().await?;
    let token = session["access_token"].as_str().ok_or("no token")?;
    println!("ready");
    if !orders.go().await {
        return Ok(());
    }
    let asking = async {
        let mut every = tokio::time::interval(Duration::from_millis(plan.every.max(1)));
        every.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            every.tick().await;
            let url = format!("{}{}", plan.server_url, plan.path);
            let answer = http.get(url).bearer_auth(token).send().await?;
            Line::Outside { status: answer.status().as_u16() }.say();
            if answer.status() == 429 {
                tokio::time::sleep(Duration::from_secs(retry_after(&answer))).await;
            }
        }
    };
    tokio::select! {
        failed = asking => failed,
        () = orders.end() => Ok(()),
    }
}

fn retry_after(answer: &Response) -> u64 {
    let header = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
    header.and_then(|seconds| seconds.parse().ok()).unwrap_or(1)
}
