//! The door of the API: whether a bearer token holds, asked before a function is woken for its request.
//!
//! Owns the verdict API Gateway keeps for a while under the `Authorization` header. It must never look at anything
//! else of a request, because a kept verdict is used for every route; and nothing may rely on it alone: functions
//! check the token themselves, so one that has ended opens nothing however long its verdict is kept.

use aws_lambda_events::event::apigw::ApiGatewayV2CustomAuthorizerV2Request;
use context::Wiring;
use serde::Serialize;
use telemetry::Invocation;
use trunkline_http::{Access, TokenKeysError};

/// A request to a secured route, in payload format 2.0.
pub type Question = ApiGatewayV2CustomAuthorizerV2Request;

/// What this function may touch.
#[derive(Debug, Clone)]
pub struct Context {
    access: Access,
}

impl Context {
    /// Takes its ports from the wiring.
    #[must_use]
    pub fn new(wiring: &Wiring) -> Self {
        Self { access: wiring.access() }
    }
}

/// API Gateway's simple response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Whether a function is woken.
    pub is_authorized: bool,
    /// For the access log; functions don't read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Known>,
}

/// What is known of a caller whose token holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Known {
    /// The tenant the token is for.
    pub tenant: String,
}

/// Decides about a request.
///
/// # Errors
/// [`TokenKeysError`], if nobody can tell now: API Gateway answers 500 and keeps nothing, while it would keep a refusal.
pub async fn authorize(context: &Context, question: Question) -> Result<Verdict, TokenKeysError> {
    let invocation = Invocation {
        function: "authorizer",
        // API Gateway's own id, by which the access log has the request too.
        request_id: question.request_context.request_id.unwrap_or_default(),
        operation: question.route_key.unwrap_or_default(),
        ..Invocation::default()
    };
    let authorization = question.headers.get("authorization").and_then(|value| value.to_str().ok());
    let work = async {
        let caller =
            context.access.caller(authorization).await.inspect_err(|error| telemetry::failed(error))?;
        if let Some(caller) = &caller {
            telemetry::tenant(caller.tenant.as_str());
        }
        Ok(Verdict {
            is_authorized: caller.is_some(),
            context: caller.map(|caller| Known { tenant: caller.tenant.to_string() }),
        })
    };
    telemetry::observe(invocation, work, |verdict, invocation| {
        invocation.status = match verdict {
            Ok(verdict) if verdict.is_authorized => 200,
            Ok(_) => 401,
            Err(_) => 500,
        };
    })
    .await
}
