//! A function may do what it does and nothing else: each one is made to do everything it can under its role of the template.

use std::{collections::BTreeSet, sync::Arc};

use aws_lambda_events::event::sqs::SqsEvent;
use axum::Router;
use context::{Config, Wiring};
use embedded_aws::Fault;
use serde_json::{Value, json};
use simulator::{FaultKind, Scope};
use tokio::{net::TcpListener, task::JoinHandle};
use trunkline_http::Role;
use trunkline_tests::{Answer, World};

use crate::{
    environment::variable,
    guard::Guard,
    roles::by_lambda,
    statement::matches,
    template::{Function, Template, text},
};

/// A function in a world, behind the door that its role opens.
struct Story {
    template: Template,
    function: Function,
    world: World,
    guard: Guard,
    wiring: Wiring,
}

impl Story {
    async fn of(binary: &str) -> Self {
        let template = Template::load();
        let function = template.function(binary);
        let world = World::new().await;
        let guard = Guard::start(world.aws().url(), template.statements(function.role())).await;
        let config = Config::read(|name| match name {
            // RingCentral's handshake has to find somebody.
            "TRUNKLINE_PUBLIC_URL" => Some(world.url.clone()),
            // A new deployment has no tenant yet.
            "TRUNKLINE_TENANTS" => Some(trunkline::TENANT.to_owned()),
            name => variable(&template, &function, name),
        });
        let sdk = world.cloud.sdk.to_builder().endpoint_url(&guard.url).build();
        let wiring = Wiring::new(&sdk, config.unwrap(), Arc::new(world.time.clone())).unwrap();
        Self { template, function, world, guard, wiring }
    }

    async fn ask(&self, url: &str, method: &str, path: &str, body: Value) -> Answer {
        let request = self.world.http.request(method.parse().unwrap(), format!("{url}{path}"));
        let request = request.bearer_auth(self.world.token(Role::Admin));
        let request = match method {
            "POST" => request.header("idempotency-key", uuid::Uuid::new_v4().to_string()).json(&body),
            _ => request,
        };
        Answer::of(request).await
    }

    /// A POST that fails before anything is sent gives its idempotency key back.
    async fn fail(&self, url: &str, path: &str, body: Value) {
        self.world.aws().faults().fail_next("DynamoDB_20120810.GetItem", 9, Fault::Error);
        assert_eq!(self.ask(url, "POST", path, body).await.status, 503);
        self.world.aws().faults().clear();
    }

    /// Loses races for its rate window to another container, so that it looks at the stored one before it writes.
    async fn compete(&self, url: &str, path: &str) {
        for _ in 0..3 {
            assert_eq!(self.world.get(path).await.status, 200);
            assert_eq!(self.ask(url, "GET", path, Value::Null).await.status, 200);
        }
    }

    /// Meets a 429 that concerns everybody, so that it has to look whom it stops.
    async fn stop_everybody(&self, url: &str, path: &str) {
        let refusal = simulator::Fault::new(FaultKind::Force429).about(Scope::Address).times(1);
        self.world.simulator.add_fault(refusal);
        assert_ne!(self.ask(url, "GET", path, Value::Null).await.status, 200);
    }

    /// Everything it asked for was allowed, and everything that is allowed it asked for.
    fn end(self) {
        let denied = self.guard.denied();
        assert!(denied.is_empty(), "{} may not do what it does: {denied:?}", self.function.id);
        let asked = self.guard.allowed();
        let mut idle = BTreeSet::new();
        for statement in self.template.statements(self.function.role()) {
            for (action, resource) in statement.permissions() {
                let used = asked.iter().any(|(did, on)| did == action && matches(resource, on));
                let excused = by_lambda(&self.template, &self.function, action, resource);
                if !used && !excused {
                    idle.insert((action.to_owned(), resource.to_owned()));
                }
            }
        }
        assert!(idle.is_empty(), "{} may do what it never does: {idle:?}", self.function.id);
    }
}

async fn serve(router: Router) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (url, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
}

fn user(number: &str) -> Value {
    json!({"extensionNumber": number, "contact": {"firstName": "Ada", "email": "ada@example.com"}})
}

#[tokio::test]
async fn authorizer() {
    let story = Story::of("api-authorizer").await;
    let context = api_authorizer::Context::new(&story.wiring);
    let question =
        text("events/authorizer/allowed.json").replace("DEV_TOKEN", &story.world.token(Role::Viewer));
    let verdict = api_authorizer::authorize(&context, serde_json::from_str(&question).unwrap()).await;
    assert!(verdict.unwrap().is_authorized);
    story.end();
}

#[tokio::test]
async fn extensions() {
    let story = Story::of("api-extensions").await;
    let context = api_extensions::Context::new(&story.wiring);
    let (url, _running) = serve(api_extensions::router(context)).await;
    story.fail(&url, "/api/extensions", user("7301")).await;
    assert_eq!(story.ask(&url, "POST", "/api/extensions", user("7301")).await.status, 201);
    story.compete(&url, "/api/extensions").await;
    story.stop_everybody(&url, "/api/extensions").await;
    story.end();
}

#[tokio::test]
async fn subscriptions() {
    let story = Story::of("api-subscriptions").await;
    let context = api_subscriptions::Context::new(&story.wiring);
    let (url, _running) = serve(api_subscriptions::router(context)).await;
    let filters = json!({"eventFilters": ["/restapi/v1.0/account/~/telephony/sessions"]});
    story.fail(&url, "/api/webhooks/subscriptions", filters.clone()).await;
    assert_eq!(story.ask(&url, "POST", "/api/webhooks/subscriptions", filters).await.status, 201);
    story.compete(&url, "/api/webhooks/subscriptions").await;
    let (path, token) = story.world.signed_address().await;
    let delivery = story.world.anonymous("POST", &path).header("verification-token", token).body("{}");
    assert_eq!(Answer::of(delivery).await.status, 200);
    story.world.dispatch().await;
    let listed = story.ask(&url, "GET", "/api/webhooks/events", Value::Null).await;
    assert_eq!(listed.json["records"].as_array().map(Vec::len), Some(1), "{listed:?}");
    let of_call = "/api/webhooks/events?telephonySessionId=s-1";
    assert_eq!(story.ask(&url, "GET", of_call, Value::Null).await.status, 200);
    assert_eq!(story.ask(&url, "GET", "/api/webhooks/sessions/s-1", Value::Null).await.status, 404);
    story.stop_everybody(&url, "/api/webhooks/subscriptions").await;
    story.end();
}

#[tokio::test]
async fn platform() {
    let story = Story::of("api-platform").await;
    let context = api_platform::Context::new(&story.wiring);
    let (url, _running) = serve(api_platform::router(context)).await;
    assert_eq!(story.ask(&url, "GET", "/api/platform/limits", Value::Null).await.status, 200);
    story.end();
}

#[tokio::test]
async fn health() {
    let story = Story::of("api-health").await;
    let context = api_health::Context::new(&story.wiring);
    let (url, _running) = serve(api_health::router(context)).await;
    let deep = story.ask(&url, "GET", "/api/health?deep=true", Value::Null).await;
    assert_eq!((deep.status, &deep.json["status"]), (200, &json!("healthy")), "{deep:?}");
    story.stop_everybody(&url, "/api/health?deep=true").await;
    story.end();
}

#[tokio::test]
async fn docs() {
    let story = Story::of("api-docs").await;
    let (url, _running) = serve(api_docs::router()).await;
    assert_eq!(story.ask(&url, "GET", "/api/openapi.json", Value::Null).await.status, 200);
    assert!(story.guard.allowed().is_empty());
    story.end();
}

#[tokio::test]
async fn receive() {
    let story = Story::of("events-receive").await;
    let context = events_receive::Context::new(&story.wiring);
    let (path, token) = story.world.signed_address().await;
    let request = http::Request::post(path).header("verification-token", token);
    let request = request.body(axum::body::Body::from("{}")).unwrap();
    assert_eq!(events_receive::receive(&context, request).await.status(), 200);
    story.end();
}

#[tokio::test]
async fn renew() {
    let story = Story::of("events-renew").await;
    let context = events_renew::Context::new(&story.wiring);
    let renew = async || events_renew::renew(&context, "story".to_owned()).await;
    let life = json!({"eventFilters": ["/restapi/v1.0/account/~/telephony/sessions"], "expiresIn": 3600});
    assert_eq!(story.world.send("POST", "/api/webhooks/subscriptions", &life).await.status, 201);
    assert_eq!(renew().await.unwrap().renewed, 1);
    for _ in 0..3 {
        assert_eq!(story.world.get("/api/webhooks/subscriptions").await.status, 200);
        assert_eq!(renew().await.unwrap().renewed, 0);
    }
    let refusal = simulator::Fault::new(FaultKind::Force429).about(Scope::Address).times(1);
    story.world.simulator.add_fault(refusal);
    assert!(renew().await.is_err());
    story.end();
}

#[tokio::test]
async fn dispatch() {
    let story = Story::of("events-dispatch").await;
    let context = events_dispatch::Context::new(&story.wiring);
    for payload in ["events/dispatch/deliveries.json", "events/dispatch/unreadable.json"] {
        let batch: SqsEvent = serde_json::from_str(&text(payload)).unwrap();
        let response = events_dispatch::dispatch(&context, batch, payload.to_owned()).await;
        assert!(response.batch_item_failures.is_empty(), "{payload}: {response:?}");
    }
    story.end();
}
