//! `/api/extensions` and `/api/users`.

use axum::{Json, extract::State, http::StatusCode};
use provisioning::{Earlier, ExtensionFilter};
use ringcentral::{CallError, Page};
use serde_json::value::RawValue;
use trunkline_http::{
    Admin, Attempt, Body, Fields, Operator, Problem, Segment, Viewer, openapi::FromRingCentral,
};

use crate::{
    Context,
    models::{
        ExtensionChanges, ExtensionStatus, ExtensionType, NewExtension, Renumbering, STATUSES, TYPES, at,
    },
    shapes::{ExtensionPageShape, ExtensionShape},
};

/// The most digits of an extension number.
const NUMBER: usize = 8;

/// What helps whoever took an extension number for an id.
const DIALLED: &str = "An id is not what people dial. If this is an extension number, ask GET /api/extensions?extensionNumber=… for its id.";

/// List extensions
///
/// Filters are RingCentral's own; repeat a parameter or separate values by commas.
#[utoipa::path(get, path = "/api/extensions", tag = "extensions", operation_id = "listExtensions",
    params(
        ("status" = Option<Vec<ExtensionStatus>>, Query, description = "Only these statuses"),
        ("type" = Option<Vec<ExtensionType>>, Query, description = "Only these types"),
        ("email" = Option<Vec<String>>, Query, description = "Only these email addresses, each of 1 to 254 characters"),
        ("extensionNumber" = Option<String>, Query, pattern = "^[0-9]{1,8}$", description = "Only this short number"),
        ("page" = Option<u32>, Query, minimum = 1, maximum = 1_000_000, description = "From 1"),
        ("perPage" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Default 100"),
    ),
    responses((status = 200, description = "Done", body = ExtensionPageShape), FromRingCentral))]
pub(crate) async fn list(
    State(context): State<Context>,
    Viewer(caller): Viewer,
    mut fields: Fields,
) -> Result<Json<Page>, Problem> {
    let filter = filter(&mut fields, &[]);
    fields.finish()?;
    let page = context.extensions.list(&caller.tenant, &filter).await?;
    Ok(Json(at(page, "/api/extensions", &[])))
}

/// List users
///
/// The extensions of type `User`.
#[utoipa::path(get, path = "/api/users", tag = "extensions", operation_id = "listUsers",
    params(
        ("status" = Option<Vec<ExtensionStatus>>, Query, description = "Only these statuses"),
        ("email" = Option<Vec<String>>, Query, description = "Only these email addresses, each of 1 to 254 characters"),
        ("extensionNumber" = Option<String>, Query, pattern = "^[0-9]{1,8}$", description = "Only this short number"),
        ("page" = Option<u32>, Query, minimum = 1, maximum = 1_000_000, description = "From 1"),
        ("perPage" = Option<u32>, Query, minimum = 1, maximum = 1000, description = "Default 100"),
    ),
    responses((status = 200, description = "Done", body = ExtensionPageShape), FromRingCentral))]
pub(crate) async fn users(
    State(context): State<Context>,
    Viewer(caller): Viewer,
    mut fields: Fields,
) -> Result<Json<Page>, Problem> {
    let filter = filter(&mut fields, &["User"]);
    fields.finish()?;
    let page = context.extensions.list(&caller.tenant, &filter).await?;
    Ok(Json(at(page, "/api/users", &["type"])))
}

/// Create an extension
///
/// Send an `Idempotency-Key`, and a repetition creates nothing twice.
#[utoipa::path(post, path = "/api/extensions", tag = "extensions", operation_id = "createExtension",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, description = "Carries the request out once: visible ASCII characters of your choice, another for each new request")),
    request_body(content = NewExtension, example = json!({
        "contact": { "firstName": "Ida", "lastName": "Cole", "email": "ida.cole@example.com" }
    })),
    responses((status = 201, description = "Done", body = ExtensionShape), FromRingCentral))]
pub(crate) async fn create(
    State(context): State<Context>,
    Operator(caller): Operator,
    attempt: Attempt,
    fields: Fields,
    Body(wanted): Body<NewExtension>,
) -> Result<(StatusCode, Json<Box<RawValue>>), Problem> {
    fields.finish()?;
    let wanted = serde_json::to_value(&wanted).map_err(|error| Problem::field("body", error.to_string()))?;
    let earlier = attempt.earlier().map(Earlier::from);
    let created = context.extensions.create(&caller.tenant, &wanted, earlier).await?;
    Ok((StatusCode::CREATED, Json(created)))
}

/// Read an extension
#[utoipa::path(get, path = "/api/extensions/{id}", tag = "extensions", operation_id = "readExtension",
    params(("id" = String, Path, pattern = "^([0-9]{1,20}|~)$", description = "RingCentral's extension id, or ~ for the service user's own", example = "~")),
    responses((status = 200, description = "Done", body = ExtensionShape), FromRingCentral))]
pub(crate) async fn read(
    State(context): State<Context>,
    Viewer(caller): Viewer,
    Segment(id): Segment,
    fields: Fields,
) -> Result<Json<Box<RawValue>>, Problem> {
    // Only to be looked at: nobody changes the service user by a tilde.
    if id != "~" {
        check_id(&id)?;
    }
    fields.finish()?;
    Ok(Json(context.extensions.read(&caller.tenant, &id).await.map_err(|error| named(&id, error))?))
}

/// Change an extension
///
/// Only the fields in the body are changed.
#[utoipa::path(put, path = "/api/extensions/{id}", tag = "extensions", operation_id = "updateExtension",
    params(("id" = String, Path, pattern = "^[0-9]{1,20}$", description = "RingCentral's extension id", example = "400131429008")),
    request_body(content = ExtensionChanges, example = json!({ "contact": { "lastName": "Cole-Ray" } })),
    responses((status = 200, description = "Done", body = ExtensionShape), FromRingCentral))]
pub(crate) async fn update(
    State(context): State<Context>,
    Operator(caller): Operator,
    Segment(id): Segment,
    fields: Fields,
    Body(changes): Body<ExtensionChanges>,
) -> Result<Json<Box<RawValue>>, Problem> {
    check_id(&id)?;
    fields.finish()?;
    let changes =
        serde_json::to_value(&changes).map_err(|error| Problem::field("body", error.to_string()))?;
    Ok(Json(
        context.extensions.update(&caller.tenant, &id, &changes).await.map_err(|error| named(&id, error))?,
    ))
}

/// Give an extension another short number
#[utoipa::path(put, path = "/api/extensions/{id}/number", tag = "extensions", operation_id = "updateExtensionNumber",
    params(("id" = String, Path, pattern = "^[0-9]{1,20}$", description = "RingCentral's extension id", example = "400131430008")),
    request_body(content = Renumbering, example = json!({ "extensionNumber": "7200" })),
    responses((status = 200, description = "Done", body = ExtensionShape), FromRingCentral))]
pub(crate) async fn renumber(
    State(context): State<Context>,
    Operator(caller): Operator,
    Segment(id): Segment,
    fields: Fields,
    Body(number): Body<Renumbering>,
) -> Result<Json<Box<RawValue>>, Problem> {
    check_id(&id)?;
    fields.finish()?;
    let changes = serde_json::to_value(&number).map_err(|error| Problem::field("body", error.to_string()))?;
    Ok(Json(
        context.extensions.update(&caller.tenant, &id, &changes).await.map_err(|error| named(&id, error))?,
    ))
}

/// Delete an extension
#[utoipa::path(delete, path = "/api/extensions/{id}", tag = "extensions", operation_id = "deleteExtension",
    params(
        ("id" = String, Path, pattern = "^[0-9]{1,20}$", description = "RingCentral's extension id", example = "400131431008"),
        ("savePhoneLines" = Option<bool>, Query, description = "Keep its phone lines (RingCentral's default: false)"),
        ("savePhoneNumbers" = Option<bool>, Query, description = "Keep its numbers (RingCentral's default: true)"),
    ),
    responses((status = 204, description = "Done"), FromRingCentral))]
pub(crate) async fn delete(
    State(context): State<Context>,
    Admin(caller): Admin,
    Segment(id): Segment,
    mut fields: Fields,
) -> Result<StatusCode, Problem> {
    check_id(&id)?;
    let keep: Vec<(String, bool)> = ["savePhoneLines", "savePhoneNumbers"]
        .into_iter()
        .filter_map(|name| {
            Some((name.to_owned(), fields.read(name, "must be true or false", |v| v.parse().ok())?))
        })
        .collect();
    fields.finish()?;
    context.extensions.delete(&caller.tenant, &id, &keep).await.map_err(|error| named(&id, error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// The filter of a list; `fixed` types can't be chosen by the caller.
fn filter(fields: &mut Fields, fixed: &[&str]) -> ExtensionFilter {
    let kind = match fixed.is_empty() {
        true => fields.list_of("type", TYPES),
        false => fixed.iter().map(|kind| (*kind).to_owned()).collect(),
    };
    let number = fields.read("extensionNumber", "must have 1 to 8 digits", |text| {
        let fits = (1..=8).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
        fits.then(|| text.to_owned())
    });
    let email = fields.list("email");
    if email.iter().any(|email| email.is_empty() || email.len() > 254) {
        fields.violation("email", "must have 1 to 254 characters");
    }
    ExtensionFilter {
        status: fields.list_of("status", STATUSES),
        kind,
        email,
        extension_number: number,
        page: fields.number("page", 1..=1_000_000),
        per_page: fields.number("perPage", 1..=1_000),
    }
}

/// What short numbers look like is easily taken for an id, and RingCentral's ids are longer.
fn named(id: &str, error: CallError) -> Problem {
    let numberlike = error.rejected_with() == Some(404) && id.len() <= NUMBER;
    let problem = Problem::from(error);
    if numberlike { problem.hint(DIALLED) } else { problem }
}

/// An id is a number of RingCentral's; anything else never reaches it.
fn check_id(id: &str) -> Result<(), Problem> {
    let number = (1..=20).contains(&id.len()) && id.bytes().all(|c| c.is_ascii_digit());
    if number { Ok(()) } else { Err(Problem::field("id", "must be an extension id (up to 20 digits)")) }
}
