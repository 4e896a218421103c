//! The door of the API: whether a bearer token holds, asked before a function is woken for its request.
//!
//! Owns the verdict API Gateway keeps for a while under the `Authorization` header. It must never look at anything
//! else of a request, because a kept verdict is used for every route; and nothing may rely on it alone: functions
//! check the token themselves, so one that has ended opens nothing however long its verdict is kept.

use std::collections::HashMap;

use context::Wiring;
use serde::{Deserialize, Serialize};
use telemetry::Invocation;
use trunkline_http::{Access, TokenKeysError};

/// A request to a secured route, in payload format 2.0: what the verdict and the log need of it. Each part may be missing. It is
/// never printed: it holds a token.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Question {
    route_key: Option<String>,
    headers: Option<HashMap<String, String>>,
    request_context: Option<RequestContext>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RequestContext {
    request_id: Option<String>,
}

impl Question {
    /// The header that the verdict is kept under.
    fn authorization(&self) -> Option<&str> {
        let mut headers = self.headers.iter().flatten();
        headers.find(|(name, _)| name.eq_ignore_ascii_case("authorization")).map(|(_, value)| value.as_str())
    }
}

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
        request_id: question
            .request_context
            .as_ref()
            .and_then(|one| one.request_id.clone())
            .unwrap_or_default(),
        operation: question.route_key.clone().unwrap_or_default(),
        ..Invocation::default()
    };
    let work = async {
        let caller = context
            .access
            .caller(question.authorization())
            .await
            .inspect_err(|error| telemetry::failed(error))?;
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
