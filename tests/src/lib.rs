//! A world to tell stories in: a simulated RingCentral, an AWS in memory and the whole gateway, on one stepped clock.
//!
//! Nothing here sleeps: who waits moves the clock for everybody. A step that can't be made fails the story at once.

#![allow(clippy::expect_used, reason = "a world that can't be built fails its story")]

mod answer;
mod described;
mod mortal;
mod proxy;
mod time;

use std::sync::Arc;

use embedded_aws::{EmbeddedAws, Options};
use secrecy::ExposeSecret;
use serde_json::Value;
use simulator::{Config, Limits, Simulator};
use tokio::{net::TcpListener, task::JoinSet};
use trunkline::{Cloud, EventSource, Gateway, RingCentralAccess, TENANT};
use trunkline_http::{Claims, Role, TokenKeySource, TokenKeys};

use described::{Described, Verdict};

pub use answer::Answer;
pub use mortal::Mortal;
pub use proxy::{Held, Proxy, Rule};
pub use time::Time;

/// The world of one story.
#[derive(Debug)]
pub struct World {
    /// The simulated RingCentral.
    pub simulator: Simulator,
    /// The AWS in memory, and how the SDK reaches it.
    pub cloud: Cloud,
    /// Everybody's clock.
    pub time: Time,
    /// Where the gateway listens.
    pub url: String,
    events: EventSource,
    keys: TokenKeys,
    /// The gateway's own wiring, for stories below HTTP.
    pub wiring: context::Wiring,
    /// A client for requests to any container.
    pub http: reqwest::Client,
    foreign_token: tokio::sync::OnceCell<String>,
    proxy: Option<Proxy>,
    running: JoinSet<()>,
    verdict: Verdict,
}

impl World {
    /// A world with a small account and no rate limits.
    pub async fn new() -> Self {
        Self::build(small(), false).await
    }

    /// A world around this RingCentral; its clock is replaced by the stepped one.
    pub async fn with(config: Config) -> Self {
        Self::build(config, false).await
    }

    /// The world of [`World::new`] with a proxy between the gateway and RingCentral: [`World::proxy`].
    pub async fn proxied() -> Self {
        Self::build(small(), true).await
    }

    /// The world of [`World::with`] with a proxy between the gateway and RingCentral.
    pub async fn proxied_with(config: Config) -> Self {
        Self::build(config, true).await
    }

    async fn build(config: Config, proxied: bool) -> Self {
        let time = Time::new();
        let simulator = Simulator::new(Config { clock: time.simulator.clone(), ..config });
        let mut running = JoinSet::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let mut ringcentral = format!("http://{}", listener.local_addr().expect("its address"));
        let platform = simulator.clone();
        running.spawn(async move { platform.serve(listener).await.expect("the simulator serves") });
        let proxy = proxied.then(|| Proxy::new(ringcentral.clone()));
        if let Some(proxy) = proxy.clone() {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            ringcentral = format!("http://{}", listener.local_addr().expect("its address"));
            running.spawn(proxy.serve(listener));
        }
        let options = Options { clock: time.aws.clone(), ..Options::default() };
        let embedded = EmbeddedAws::start(options).await.expect("an AWS in memory");
        let cloud = Cloud::over(embedded).await.expect("tables and queues");
        cloud.secrets(Some(&RingCentralAccess::demo(ringcentral))).await.expect("secrets");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let gateway = Gateway::new(&cloud, url.clone(), Arc::new(time.clone())).await.expect("a gateway");
        let keys = gateway.wiring.secrets().token_keys().await.expect("the secret of bearer tokens");
        let wiring = gateway.wiring;
        let router = gateway.router;
        let verdict = Verdict::default();
        let described = verdict.0.clone();
        running.spawn(async move { axum_serve(listener, router, described).await });
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self {
            simulator,
            cloud,
            time,
            url,
            events: gateway.events,
            keys,
            wiring,
            http,
            foreign_token: tokio::sync::OnceCell::new(),
            proxy,
            running,
            verdict,
        }
    }

    /// Another container of the same deployment: it shares the AWS and nothing else.
    pub async fn container(&mut self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let gateway =
            Gateway::new(&self.cloud, url.clone(), Arc::new(self.time.clone())).await.expect("a gateway");
        let described = self.verdict.0.clone();
        self.running.spawn(async move { axum_serve(listener, gateway.router, described).await });
        url
    }

    /// A container of the same deployment that a story can kill in the middle.
    pub async fn mortal(&self) -> Mortal {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let gateway =
            Gateway::new(&self.cloud, url.clone(), Arc::new(self.time.clone())).await.expect("a gateway");
        Mortal::start(url, listener, gateway.router, self.verdict.0.clone())
    }

    /// One function, or several, with an address of their own.
    pub async fn serve(&mut self, router: axum::Router) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let described = self.verdict.0.clone();
        self.running.spawn(async move { axum_serve(listener, router, described).await });
        url
    }

    /// The proxy between the gateway and RingCentral.
    ///
    /// # Panics
    /// In a world that has none.
    pub fn proxy(&self) -> &Proxy {
        self.proxy.as_ref().expect("a world of `World::proxied`")
    }

    /// The embedded AWS.
    pub fn aws(&self) -> &EmbeddedAws {
        self.cloud.embedded.as_ref().expect("every world has one")
    }

    /// Every item of a table, as DynamoDB writes it.
    pub async fn items(&self, table: &str) -> Vec<Value> {
        let scan = self.http.post(self.aws().url()).header("x-amz-target", "DynamoDB_20120810.Scan");
        let key = self.aws().access_key().expose();
        let scan = scan.header(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential={key}/20261120/x/dynamodb/aws4_request"),
        );
        let answer = Answer::of(scan.json(&serde_json::json!({ "TableName": table }))).await;
        answer.json["Items"].as_array().expect("items").clone()
    }

    /// A bearer token with this role.
    pub fn token(&self, role: Role) -> String {
        let claims = Claims::new("storyteller", TENANT.parse().expect("a tenant"), role, 4_000_000_000);
        self.keys.issue(&claims).expect("a token").expose_secret().to_owned()
    }

    /// A request to a path of the gateway, as an admin.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().expect("a method");
        self.http.request(method, format!("{}{path}", self.url)).bearer_auth(self.token(Role::Admin))
    }

    /// A request without a token.
    pub fn anonymous(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method.parse().expect("a method"), format!("{}{path}", self.url))
    }

    /// GET, as an admin.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request("GET", path)).await
    }

    /// A request with a JSON body, as an admin.
    pub async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        Answer::of(self.request(method, path).json(body)).await
    }

    /// Lets RingCentral deliver what is due and the dispatcher work off everything that is visible.
    pub async fn settle(&self) {
        self.simulator.tick().await;
        self.dispatch().await;
    }

    /// Lets the dispatcher work off everything that is visible in its queue.
    pub async fn dispatch(&self) {
        while self.events.step(0).await.expect("the queue can be polled") > 0 {}
    }

    /// Every processed event, all pages of it.
    pub async fn events(&self, filter: &str) -> Vec<Value> {
        let mut events = Vec::new();
        let mut token = String::new();
        loop {
            let page = self.get(&format!("/api/webhooks/events?perPage=200{filter}{token}")).await;
            assert_eq!(page.status, 200, "{page:?}");
            events.extend(page.json["records"].as_array().expect("records").iter().cloned());
            match page.json["navigation"]["nextPageToken"].as_str() {
                Some(next) => token = format!("&pageToken={next}"),
                None => return events,
            }
        }
    }

    /// Subscribes to these filters through the gateway.
    pub async fn subscribe(&self, filters: &[&str]) -> Value {
        let body = serde_json::json!({ "eventFilters": filters });
        let answer = self.send("POST", "/api/webhooks/subscriptions", &body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json
    }

    /// How often RingCentral was asked for an operation.
    pub fn asked(&self, operation: &str) -> u64 {
        self.simulator.stats().requests.get(operation).copied().unwrap_or(0)
    }

    /// How often RingCentral was asked for anything.
    pub fn asked_at_all(&self) -> u64 {
        self.simulator.stats().requests.values().sum()
    }

    /// Messages in a queue of ours that are visible now.
    pub async fn depth(&self, queue: &str) -> usize {
        let attribute = aws_sdk_sqs::types::QueueAttributeName::ApproximateNumberOfMessages;
        let client = aws_sdk_sqs::Client::new(&self.cloud.sdk);
        let request = client.get_queue_attributes().queue_url(queue).attribute_names(attribute.clone());
        let attributes = request.send().await.expect("the queue exists").attributes.unwrap_or_default();
        attributes.get(&attribute).and_then(|count| count.parse().ok()).expect("a count")
    }
}

/// An account of a few extensions without rate limits.
fn small() -> Config {
    Config { extensions: 20, calls: 50, messages: 20, limits: Limits::none(), ..Config::default() }
}

async fn axum_serve(listener: TcpListener, router: axum::Router, described: Described) {
    let layer = axum::middleware::from_fn(move |request, next| described.clone().pass(request, next));
    // Around the router as a whole: it adds `Allow` after its layers.
    let router = axum::Router::new().fallback_service(router).layer(layer);
    axum::serve(listener, router).await.expect("the gateway serves");
}

/// How a delivery is signed, for stories that deliver by hand.
impl World {
    /// An address that RingCentral could deliver to, and the token it would bring: derived as the gateway derives it.
    pub async fn signed_address(&self) -> (String, String) {
        let tenant = TENANT.parse().expect("a tenant");
        let subscription = "5".repeat(32).parse().expect("a subscription key");
        let keys = events::SigningKeySource::signing_keys(&self.wiring.secrets(), &tenant)
            .await
            .expect("the tenant's keys");
        let token = keys.token(&tenant, &subscription).expose_secret().to_owned();
        (format!("/api/webhooks/events/{TENANT}/{subscription}"), token)
    }
}

/// Another tool that has the same app and user.
impl World {
    /// Its access to RingCentral: where that is, and a token.
    async fn foreign_access(&self) -> (String, &str) {
        let tenant = TENANT.parse().expect("a tenant");
        let credentials = ringcentral::CredentialSource::credentials(&self.wiring.secrets(), &tenant).await;
        let url = credentials.expect("the tenant's credentials").server_url;
        let token = self.foreign_token.get_or_init(|| async {
            let demo = simulator::Credentials::default();
            let form = [
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", demo.jwt.as_str()),
            ];
            let request = self.http.post(format!("{url}/restapi/oauth/token")).form(&form);
            let answer = Answer::of(request.basic_auth(&demo.client_id, Some(&demo.client_secret))).await;
            answer.json["access_token"].as_str().expect("a token").to_owned()
        });
        let token = token.await;
        (url, token)
    }

    /// One request of its own to a list of the Medium group, past the gateway.
    pub async fn foreign_request(&self) {
        let (url, token) = self.foreign_access().await;
        let list = self.http.get(format!("{url}/restapi/v1.0/account/~/extension?perPage=1"));
        let answer = Answer::of(list.bearer_auth(token)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// It deletes a subscription.
    pub async fn foreign_deletion(&self, subscription: &str) {
        let (url, token) = self.foreign_access().await;
        let delete = self.http.delete(format!("{url}/restapi/v1.0/subscription/{subscription}"));
        assert_eq!(Answer::of(delete.bearer_auth(token)).await.status, 204);
    }

    /// A subscription of its own, which delivers to this address for so many seconds.
    pub async fn foreign_subscription(&self, filter: &str, address: &str, life: i64) {
        let (url, token) = self.foreign_access().await;
        let mode = serde_json::json!({ "transportType": "WebHook", "address": address });
        let body = serde_json::json!({ "eventFilters": [filter], "deliveryMode": mode, "expiresIn": life });
        let create = self.http.post(format!("{url}/restapi/v1.0/subscription")).json(&body);
        let answer = Answer::of(create.bearer_auth(token)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}
