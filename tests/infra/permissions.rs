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
    queues::sources,
    statement::matches,
    template::{Function, Template, text},
};

/// What Lambda itself does in a function's name, not the function.
const WRITES_LOGS: [&str; 2] = ["logs:CreateLogStream", "logs:PutLogEvents"];
const TRACES: [&str; 2] = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"];
pub(crate) const POLLS: [&str; 3] = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

/// A function in a world, behind the door that its role opens.
struct Story {
    template: Template,
    function: Function,
    world: World,
    guard: Guard,
    wiring: Wiring,
}

/// The id of a function's role.
pub(crate) fn role(function: &Function) -> &str {
    function.properties["Role"]["Fn::GetAtt"][0].as_str().unwrap()
}

impl Story {
    async fn of(binary: &str) -> Self {
        let template = Template::load();
        let function = template.function(binary);
        let world = World::new().await;
        let guard = Guard::start(world.aws().url(), template.statements(role(&function))).await;
        let config = Config::read(|name| match name {
            // RingCentral's handshake has to find somebody.
            "TRUNKLINE_PUBLIC_URL" => Some(world.url.clone()),
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
        let polled: Vec<_> = sources(&self.function)
            .into_iter()
            .map(|(event, _)| self.template.resolved(&event["Queue"]))
            .collect();
        let mut idle = BTreeSet::new();
        for statement in self.template.statements(role(&self.function)) {
            for action in &statement.actions {
                for resource in &statement.resources {
                    let by_lambda = WRITES_LOGS.contains(&action.as_str())
                        || TRACES.contains(&action.as_str())
                        || (POLLS.contains(&action.as_str()) && polled.contains(resource));
                    let used = asked.iter().any(|(did, on)| did == action && matches(resource, on));
                    if !by_lambda && !used {
                        idle.insert((action.clone(), resource.clone()));
                    }
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
async fn extensions() {
    let story = Story::of("api-extensions").await;
    let context = api_extensions::Context::new(&story.wiring).await.unwrap();
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
    let context = api_subscriptions::Context::new(&story.wiring).await.unwrap();
    let (url, _running) = serve(api_subscriptions::router(context)).await;
    let filters = json!({"eventFilters": ["/restapi/v1.0/account/~/telephony/sessions"]});
    story.fail(&url, "/api/webhooks/subscriptions", filters.clone()).await;
    assert_eq!(story.ask(&url, "POST", "/api/webhooks/subscriptions", filters).await.status, 201);
    story.compete(&url, "/api/webhooks/subscriptions").await;
    assert_eq!(story.ask(&url, "GET", "/api/webhooks/events", Value::Null).await.status, 200);
    let of_call = "/api/webhooks/events?telephonySessionId=s-1";
    assert_eq!(story.ask(&url, "GET", of_call, Value::Null).await.status, 200);
    assert_eq!(story.ask(&url, "GET", "/api/webhooks/sessions/s-1", Value::Null).await.status, 404);
    story.stop_everybody(&url, "/api/webhooks/subscriptions").await;
    story.end();
}

#[tokio::test]
async fn platform() {
    let story = Story::of("api-platform").await;
    let context = api_platform::Context::new(&story.wiring).await.unwrap();
    let (url, _running) = serve(api_platform::router(context)).await;
    assert_eq!(story.ask(&url, "GET", "/api/platform/limits", Value::Null).await.status, 200);
    story.end();
}

#[tokio::test]
async fn health() {
    let story = Story::of("api-health").await;
    let context = api_health::Context::new(&story.wiring).await.unwrap();
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
async fn dispatch() {
    let story = Story::of("events-dispatch").await;
    let context = events_dispatch::Context::new(&story.wiring);
    for payload in ["events/dispatch/deliveries.json", "events/dispatch/unreadable.json"] {
        let batch: SqsEvent = serde_json::from_str(&text(payload)).unwrap();
        let deadline = story.wiring.clock.now() + 30_000;
        let response = events_dispatch::dispatch(&context, batch, deadline, payload.to_owned()).await;
        assert!(response.batch_item_failures.is_empty(), "{payload}: {response:?}");
    }
    story.end();
}

#[test]
fn every_function_has_a_role_of_its_own() {
    let template = Template::load();
    let functions = template.functions();
    let roles: BTreeSet<_> = functions.iter().map(role).collect();
    assert_eq!(roles.len(), functions.len());
    let mut all: BTreeSet<_> = template.all("AWS::IAM::Role").into_iter().map(|(id, _)| id).collect();
    all.retain(|id| !roles.contains(id));
    assert!(all.is_empty(), "nobody has the roles {all:?}");
    for function in &functions {
        let logs = template.resolved(&json!({
            "Fn::GetAtt": [function.properties["LoggingConfig"]["LogGroup"]["Ref"], "Arn"]
        }));
        let statements = template.statements(role(function));
        let allows = |action: &str, arn: &str| statements.iter().any(|one| one.allows(action, arn));
        assert!(WRITES_LOGS.iter().all(|action| allows(action, &logs)), "{} can't log", function.id);
        assert!(TRACES.iter().all(|action| allows(action, "*")), "{} can't be traced", function.id);
        for (event, queue) in sources(function) {
            let arn = template.resolved(&event["Queue"]);
            assert!(POLLS.iter().all(|action| allows(action, &arn)), "{} can't read {queue}", function.id);
        }
    }
}

#[test]
fn permissions_name_what_they_are_for() {
    let template = Template::load();
    for function in template.functions() {
        for statement in template.statements(role(&function)) {
            let wide: Vec<_> = statement.actions.iter().filter(|action| action.contains('*')).collect();
            assert!(wide.is_empty(), "{}: {wide:?}", function.id);
            for resource in &statement.resources {
                // X-Ray's actions have no resource to name: AWS takes nothing else than `*` for them.
                let xray = statement.actions.iter().all(|action| TRACES.contains(&action.as_str()));
                assert!(resource != "*" || xray, "{}: {:?} on everything", function.id, statement.actions);
                assert!(resource == "*" || resource.starts_with("arn:aws:"), "{}: {resource}", function.id);
            }
        }
    }
}
