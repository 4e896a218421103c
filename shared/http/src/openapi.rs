//! What every function's part of the OpenAPI description has in common.

use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::{
        Components, ContentBuilder, Ref, ResponseBuilder,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::problem::Document;

/// The frame that the functions' routes are merged into.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Trunkline",
        description = "A RingCentral call-center gateway. Errors are RFC 9457 problem documents; resources have RingCentral's own shapes.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/", description = "This gateway")),
    components(schemas(Document, crate::FieldError)),
    modifiers(&Security),
    security(("bearer" = []))
)]
pub struct Frame;

struct Security;

impl Modify for Security {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_with(Components::new);
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// The problem answers that every secured route may give, added to each operation.
pub fn add_problems(openapi: &mut utoipa::openapi::OpenApi) {
    let problem = || {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Document::name()))).build();
        ResponseBuilder::new()
            .description("A problem document")
            .content("application/problem+json", content)
            .build()
    };
    for item in openapi.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch];
        for operation in operations.into_iter().flatten() {
            for class in ["4XX", "5XX"] {
                operation.responses.responses.entry(class.to_owned()).or_insert_with(|| problem().into());
            }
        }
    }
}
