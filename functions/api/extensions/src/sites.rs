//! `/api/sites`.

use axum::{Json, extract::State, http::StatusCode};
use provisioning::Earlier;
use ringcentral::Page;
use serde_json::value::RawValue;
use trunkline_http::{Attempt, Body, Fields, Operator, Problem, Viewer};

use crate::{
    Context,
    models::{ExtensionPageShape, NewSite, at},
};

/// List sites
#[utoipa::path(get, path = "/api/sites", tag = "sites", operation_id = "listSites", responses((status = 200, description = "Done", body = ExtensionPageShape)))]
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
    params(("Idempotency-Key" = Option<String>, Header, description = "Carries the request out once")),
    request_body = NewSite, responses((status = 201, description = "The site as RingCentral sends it", body = Object)))]
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
