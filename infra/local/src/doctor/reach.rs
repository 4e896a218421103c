//! Whether RingCentral can reach the gateway.

use std::{net::Ipv4Addr, time::Duration};

use axum::{Router, routing::get};
use tokio::net::TcpListener;

use super::Finding;
use crate::Args;

const WHAT: &str = "public URL";
/// RingCentral gives a webhook 3 s; a tunnel that needs longer does not work either.
const PATIENCE: Duration = Duration::from_secs(5);

/// A client for an examination.
pub(super) fn client(loopback: bool) -> reqwest::Result<reqwest::Client> {
    let builder = reqwest::Client::builder().timeout(PATIENCE).redirect(reqwest::redirect::Policy::none());
    if loopback { builder.no_proxy().build() } else { builder.build() }
}

/// Whether a gateway answers at this URL.
pub(super) async fn is_gateway(url: &str) -> bool {
    let Ok(client) = client(url.contains("//127.0.0.1") || url.contains("//localhost")) else { return false };
    let Ok(answer) = client.get(format!("{url}/api/health")).send().await else { return false };
    let Ok(health) = answer.json::<serde_json::Value>().await else { return false };
    health["status"].is_string() && health["version"].is_string()
}

/// Whether what is sent to the public URL arrives at the port: asked of the gateway that listens there, or of this process, which
/// listens for a moment.
pub(super) async fn public_url(args: &Args) -> Finding {
    let Some(url) = args.public_url.as_ref().map(ToString::to_string) else {
        return Finding::open(
            WHAT,
            "none: only the simulated RingCentral can deliver webhooks (--public-url)",
        );
    };
    let port = args.port;
    let advice = format!("let the tunnel, or the proxy, behind this URL lead to port {port} of this machine");
    let word = uuid::Uuid::new_v4().to_string();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    let Ok(listener) = listener else {
        return match is_gateway(&url).await {
            true => Finding::fine(WHAT, format!("{url} leads to a gateway")),
            false => Finding::wrong(WHAT, format!("no gateway answers at {url}"), advice),
        };
    };
    let (path, answer) = (format!("/{word}"), word.clone());
    let router = Router::new().route(&path, get(move || async move { answer }));
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    let told = fetch(&format!("{url}{path}")).await;
    serving.abort();
    match told {
        Ok(text) if text == word => {
            Finding::fine(WHAT, format!("{url} leads to port {port} of this machine"))
        }
        Ok(_) => Finding::wrong(
            WHAT,
            format!("{url} leads to something else than port {port} of this machine"),
            advice,
        ),
        Err(error) => {
            Finding::wrong(WHAT, format!("{url} can't be reached: {}", telemetry::chain(&error)), advice)
        }
    }
}

async fn fetch(url: &str) -> reqwest::Result<String> {
    client(url.contains("//127.0.0.1") || url.contains("//localhost"))?.get(url).send().await?.text().await
}
