//! The layers every API function wears, outermost first: invocation, deadline, bearer check, idempotency.

use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use clock::SharedClock;
use http::{HeaderValue, Uri, header::CACHE_CONTROL};

use crate::{Access, Idempotency, Problem, Type, access, deadline, observe};

/// The largest body of an API request (bytes).
pub const BODY_LIMIT: usize = 256 * 1024;

/// What an API function shows to the world.
#[derive(Debug, Clone)]
pub struct Face {
    function: &'static str,
    clock: Option<SharedClock>,
    access: Option<Access>,
    idempotency: Option<Idempotency>,
}

impl Face {
    /// A face that anybody may look at, and that answers from memory.
    #[must_use]
    pub fn open(function: &'static str) -> Self {
        Self { function, clock: None, access: None, idempotency: None }
    }

    /// A face whose requests wait for others, and end by their [`clock::Deadline`].
    #[must_use]
    pub fn timed(self, clock: SharedClock) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// A face for callers with a bearer token.
    #[must_use]
    pub fn secured(function: &'static str, access: Access, clock: SharedClock) -> Self {
        Self { access: Some(access), ..Self::open(function).timed(clock) }
    }

    /// Honours `Idempotency-Key` on POST.
    #[must_use]
    pub fn idempotent(self, idempotency: Idempotency) -> Self {
        Self { idempotency: Some(idempotency), ..self }
    }

    /// Dresses the routes of a function.
    pub fn dress(self, routes: Router) -> Router {
        let mut router = routes.method_not_allowed_fallback(async || Problem::new(Type::MethodNotAllowed));
        let private = self.access.is_some();
        if let Some(idempotency) = self.idempotency {
            router = router
                .layer(middleware::from_fn(move |request, next| idempotency.clone().once(request, next)));
        }
        if let Some(access) = self.access {
            router =
                router.layer(middleware::from_fn(move |request, next| check(access.clone(), request, next)));
        }
        // People and calls, for whoever has a token: nobody on the way keeps them.
        if private {
            router = router.layer(middleware::map_response(private_only));
        }
        if let Some(clock) = self.clock {
            router = router.layer(middleware::from_fn(move |request, next| {
                let clock = clock.clone();
                async move { deadline::keep(&*clock, request, next).await }
            }));
        }
        let function = self.function;
        router.layer(middleware::from_fn(move |request, next| observe::observe(function, request, next)))
    }

    /// Answers for the paths that no function serves.
    pub fn nowhere() -> Router {
        let problem = |uri: &Uri| {
            let hint = match uri.path().ends_with('/') {
                true => "No route ends with a slash: leave it out. The routes are listed at /docs.",
                false => "The routes are listed at /docs.",
            };
            Problem::new(Type::NotFound).detail("No route has this path.").hint(hint)
        };
        let layer = middleware::from_fn(|request, next| observe::observe("none", request, next));
        Router::new().fallback(async move |uri: Uri| problem(&uri)).layer(layer)
    }
}

async fn private_only(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn check(access: Access, mut request: Request, next: Next) -> Response {
    match access.check(access::authorization(request.headers())).await {
        Ok(caller) => {
            telemetry::tenant(caller.tenant.as_str());
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}
