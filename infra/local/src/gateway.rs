//! Every function behind one router, as API Gateway would put them.

use axum::{
    Router,
    body::Body,
    extract::Request,
    middleware,
    response::IntoResponse,
    routing::{any, post},
};
use clock::SharedClock;
use context::{Wiring, WiringError};
use tokio_util::task::TaskTracker;
use trunkline_http::Face;

use crate::{Cloud, EventSource, detached::detached, front::front};

/// The gateway of one machine, not yet listening.
#[derive(Debug)]
pub struct Gateway {
    /// All HTTP functions.
    pub router: Router,
    /// The handlers that are at work: they go on when their callers hang up.
    pub handlers: TaskTracker,
    /// The mapping that feeds the dispatcher.
    pub events: EventSource,
    /// What the schedule wakes.
    pub renewal: events_renew::Context,
    /// What everything is wired with.
    pub wiring: Wiring,
}

impl Gateway {
    /// Builds every function over an AWS whose secrets are in place.
    ///
    /// # Errors
    /// [`WiringError`].
    pub async fn new(cloud: &Cloud, public_url: String, clock: SharedClock) -> Result<Self, WiringError> {
        let mut config = cloud.config(public_url)?;
        match cloud.tenants().await {
            Ok(tenants) => config.tenants = tenants.iter().filter_map(|tenant| tenant.parse().ok()).collect(),
            Err(error) => {
                tracing::warn!(error = telemetry::chain(&error), "only the tenant default is renewed");
            }
        }
        let wiring = Wiring::new(&cloud.sdk, config, clock.clone())?;
        let handlers = TaskTracker::new();
        let router = Router::new()
            .merge(api_extensions::router(api_extensions::Context::new(&wiring)))
            .merge(api_subscriptions::router(api_subscriptions::Context::new(&wiring)))
            .merge(api_health::router(api_health::Context::new(&wiring)))
            .merge(api_platform::router(api_platform::Context::new(&wiring)))
            .merge(api_docs::router())
            .merge(receiver(events_receive::Context::new(&wiring)))
            .merge(Face::nowhere())
            .layer(middleware::from_fn_with_state(handlers.clone(), detached));
        // Before any route is chosen.
        let router = Router::new().fallback_service(router).layer(middleware::from_fn(front));
        let dispatch = events_dispatch::Context::new(&wiring);
        let events = EventSource::new(&cloud.sdk, cloud.events_queue.clone(), dispatch, clock);
        let renewal = events_renew::Context::new(&wiring);
        Ok(Self { router, handlers, events, renewal, wiring })
    }
}

fn receiver(context: events_receive::Context) -> Router {
    let receive = move |request: Request<Body>| {
        let context = context.clone();
        async move { events_receive::receive(&context, request).await.into_response() }
    };
    Router::new()
        // Other methods of this path are the list's.
        .route("/api/webhooks/events", post(receive.clone()))
        .route("/api/webhooks/validate", any(receive.clone()))
        .route("/api/webhooks/events/{tenant}/{subscription}", any(receive))
}
