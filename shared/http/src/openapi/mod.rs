//! What every function's part of the OpenAPI description has in common.
//!
//! Handlers say what is theirs: parameters, bodies, the answer when all is well. The rest is derived here, once: which role an
//! operation needs, with which problems and headers it may answer.

mod answers;
mod roles;
mod sets;

use utoipa::{
    Modify, OpenApi,
    openapi::{
        Components,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::problem::Document;

pub use answers::{FromRingCentral, OfTheTenant, complete};
pub use roles::{Declared, Needs, role_of, with_role};
pub use sets::{one_of, open_set, with_set};

/// What a reader sees first.
const ABOUT: &str = "\
A RingCentral call-center gateway. Resources have RingCentral's own shapes and come back whole: a field that is not described \
here is RingCentral's own.

**Token.** Every operation but `GET /api/health` needs `Authorization: Bearer <token>`. On one machine `cargo run` writes a \
token for the role `admin` into a file: `cat .trunkline/dev-token` shows it, and `trunkline token` issues others. A deployment's \
operator issues its tokens; the operations playbook says how. A token names one tenant and one role. Here, press *Authorize* \
and paste it; it is kept for this tab alone.

**Roles.** `viewer` reads, `operator` also creates and changes, `admin` also deletes and decides about subscriptions. Each \
operation names the role it needs, for programs as `x-role`.

**Problems.** Every error is `application/problem+json` (RFC 9457). Its `type` is `urn:trunkline:problem:` and one of the names \
that the answer lists, for programs as `x-problems`; `errors` names every field that is wrong, `hint` says what to do. A path \
that does not exist is answered 404 `not-found`, a method that does not exist 405 `method-not-allowed` with `Allow`.

**Rates.** RingCentral's budget is shared by all callers of one app and user. Answers that used it carry `RateLimit` and \
`RateLimit-Policy`; `Retry-After` says in how many seconds to come back.

On AWS a request without a valid token may be answered by API Gateway itself: 401 or 403 with `{\"message\": …}` and no `type`.";

const TOKEN: &str = "A JWT for one tenant and one role. On one machine: `cat .trunkline/dev-token`, or another role's by \
`trunkline token`. In a deployment its operator issues it.";

/// The frame that the functions' routes are merged into.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Trunkline",
        description = ABOUT,
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/", description = "This gateway")),
    components(schemas(Document, crate::FieldError)),
    tags(
        (name = "extensions", description = "Users, call queues and everything else that has a short number"),
        (name = "sites", description = "The locations of a multi-site account"),
        (name = "webhooks", description = "Subscriptions to RingCentral's events, and what was received through them"),
        (name = "platform", description = "What RingCentral's platform allows, and how much of it is used"),
        (name = "health", description = "Whether the gateway is up"),
        (name = "receiver", description = "Where RingCentral delivers; not for clients"),
    ),
    modifiers(&Security),
    security(("bearer" = []))
)]
pub struct Frame;

struct Security;

impl Modify for Security {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_with(Components::new);
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(TOKEN))
            .build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}
