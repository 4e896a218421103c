//! `/api/sites`.

use axum::{Json, extract::State, http::StatusCode};
use provisioning::Earlier;
use ringcentral::Page;
use serde_json::value::RawValue;
use trunkline_http::{Attempt, Body, Fields, Operator, Problem, Viewer, openapi::FromRingCentral};

use crate::{
    Context,
    models::{NewSite, at},
    shapes::{SitePageShape, SiteShape},
};

/// List sites
///
/// All of them: RingCentral does not page its sites.
#[utoipa::path(get, path = "/api/sites", tag = "sites", operation_id = "listSites",
    responses((status = 200, description = "Done", body = SitePageShape), FromRingCentral))]
pub(crate) async fn list(
    State(context): State<Context>,
    Viewer(caller): Viewer,
    fields: Fields,
) -> Result<Json<Page>, Problem> {
    fields.finish()?;
    let page = context.sites.list(&caller.tenant).await?;
    Ok(Json(at(page, "/api/sites", &["page", "perPage"])))
}

/// Create a site
#[utoipa::path(post, path = "/api/sites", tag = "sites", operation_id = "createSite",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, description = "Carries the request out once: visible ASCII characters of your choice, another for each new request")),
    request_body(content = NewSite, example = json!({ "name": "Harbour", "email": "harbour@example.com" })),
    responses((status = 201, description = "Done", body = SiteShape), FromRingCentral))]
pub(crate) async fn create(
    State(context): State<Context>,
    Operator(caller): Operator,
    attempt: Attempt,
    fields: Fields,
    Body(wanted): Body<NewSite>,
) -> Result<(StatusCode, Json<Box<RawValue>>), Problem> {
    fields.finish()?;
    let wanted = serde_json::to_value(&wanted).map_err(|error| Problem::field("body", error.to_string()))?;
    let earlier = attempt.earlier().map(Earlier::from);
    let created = context.sites.create(&caller.tenant, &wanted, earlier).await?;
    Ok((StatusCode::CREATED, Json(created)))
}
