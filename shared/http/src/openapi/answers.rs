//! The problems and headers that an operation may answer with.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{
        Components, Content, ContentBuilder, Header, HeaderBuilder, Object, Ref, RefOr, Required, Response,
        example::ExampleBuilder,
        extensions::Extensions,
        path::{Operation, ParameterIn, PathItem},
        schema::{Schema, SchemaType, Type as Kind},
    },
};

use crate::{Type, problem::Document};

const PROBLEM: &str = "application/problem+json";

/// Among the responses of a handler: it asks RingCentral, which brings problems and headers of its own.
#[derive(Debug)]
pub struct FromRingCentral;

impl IntoResponses for FromRingCentral {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [(StatusCode::BAD_GATEWAY.as_str().to_owned(), Response::new("").into())].into()
    }
}

/// Among the responses of a handler: it needs the tenant's credentials, without asking RingCentral.
#[derive(Debug)]
pub struct OfTheTenant;

impl IntoResponses for OfTheTenant {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [(StatusCode::SERVICE_UNAVAILABLE.as_str().to_owned(), Response::new("").into())].into()
    }
}

/// What an operation has that brings problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trait {
    /// Nothing: every operation has this.
    Any,
    /// It reads a token.
    Token,
    /// It needs more than any token.
    Role,
    /// It names a resource in its path.
    Resource,
    /// It takes a body.
    Body,
    /// It honours `Idempotency-Key`.
    Key,
    /// It needs the tenant's credentials.
    Credentials,
    /// It asks RingCentral.
    RingCentral,
    /// It changes something at RingCentral.
    Change,
}

impl Type {
    /// Which traits of an operation bring this problem.
    const fn brought_by(self) -> &'static [Trait] {
        use Trait::{Any, Body, Change, Credentials, Key, Resource, RingCentral, Role, Token};
        match self {
            Self::InvalidRequest | Self::Internal => &[Any],
            Self::Unauthorized => &[Token],
            Self::Forbidden => &[Role],
            Self::NotFound => &[Resource, RingCentral],
            // Never an operation's: the frame tells of it.
            Self::MethodNotAllowed => &[],
            Self::BodyTooLarge => &[Body, Key],
            Self::UnsupportedMediaType => &[Body],
            Self::RequestInFlight | Self::IdempotencyKeyReused => &[Key],
            Self::StoreUnavailable => &[Token, Key, RingCentral],
            Self::OutcomeUnknown => &[Change],
            Self::CredentialsRefused | Self::TenantUnknown => &[Credentials, RingCentral],
            Self::RingcentralRefused
            | Self::RateLimited
            | Self::CircuitOpen
            | Self::RingcentralUnavailable => &[RingCentral],
        }
    }

    /// Whether it may say when to come back.
    const fn has_an_end(self) -> bool {
        matches!(
            self,
            Self::RequestInFlight
                | Self::RateLimited
                | Self::CircuitOpen
                | Self::RingcentralUnavailable
                | Self::OutcomeUnknown
                | Self::CredentialsRefused
                | Self::StoreUnavailable
        )
    }

    /// Whether it always says so.
    const fn always_ends(self) -> bool {
        matches!(self, Self::RequestInFlight | Self::RateLimited | Self::CircuitOpen)
    }

    /// The statuses it comes with: RingCentral's own, where those are the caller's business.
    fn statuses(self, changes: bool) -> Vec<StatusCode> {
        match self {
            Self::RingcentralRefused if changes => vec![
                StatusCode::BAD_REQUEST,
                StatusCode::FORBIDDEN,
                StatusCode::CONFLICT,
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                StatusCode::BAD_GATEWAY,
            ],
            Self::RingcentralRefused => {
                vec![StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN, StatusCode::BAD_GATEWAY]
            }
            other => vec![other.status()],
        }
    }
}

/// Adds to every operation what its handler did not say: problems, their types, headers.
pub fn complete(openapi: &mut utoipa::openapi::OpenApi) {
    let components = openapi.components.get_or_insert_with(Components::new);
    headers(components);
    for kind in
        [Type::Unauthorized, Type::NotFound, Type::MethodNotAllowed, Type::StoreUnavailable, Type::Internal]
    {
        shared(components, kind.status().as_u16(), &[kind]);
    }
    for PathItem { get, post, put, delete, patch, .. } in openapi.paths.paths.values_mut() {
        for (operation, changes) in [(get, false), (post, true), (put, true), (delete, true), (patch, true)] {
            // What has no bearer token at all is not for callers of the API.
            if let Some(operation) = operation
                && operation.security.as_ref().is_none_or(|security| security.len() > 1)
            {
                add(operation, changes, components);
            }
        }
    }
}

fn add(operation: &mut Operation, changes: bool, components: &mut Components) {
    without_null(operation);
    let traits = traits(operation, changes);
    let has = |wanted: &Trait| traits.contains(wanted);
    for response in operation.responses.responses.values_mut() {
        let RefOr::T(response) = response else { continue };
        response.headers.insert("X-Request-Id".to_owned(), header_ref("X-Request-Id"));
        if has(&Trait::RingCentral) {
            for name in ["RateLimit", "RateLimit-Policy"] {
                response.headers.insert(name.to_owned(), header_ref(name));
            }
        }
        if has(&Trait::Key) {
            response.headers.insert("Idempotency-Replayed".to_owned(), header_ref("Idempotency-Replayed"));
        }
    }
    let mut problems: BTreeMap<u16, BTreeSet<Type>> = BTreeMap::new();
    for kind in Type::ALL.iter().filter(|kind| kind.brought_by().iter().any(has)) {
        for status in kind.statuses(changes) {
            problems.entry(status.as_u16()).or_default().insert(*kind);
        }
    }
    for (status, kinds) in problems {
        let kinds: Vec<Type> = kinds.into_iter().collect();
        let answers = &mut operation.responses.responses;
        match answers.get_mut(&status.to_string()) {
            // The handler answers so itself, with a body of its own.
            Some(RefOr::T(own)) if !own.content.is_empty() => join(own, status, &kinds),
            _ => drop(answers.insert(status.to_string(), shared(components, status, &kinds))),
        }
    }
}

/// Parameters are text, and a body is there or is not: there is no null among them.
fn without_null(operation: &mut Operation) {
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        for content in body.content.values_mut() {
            let RefOr::T(content) = content else { continue };
            if let Some(RefOr::T(Schema::OneOf(choice))) = &content.schema
                && let Some(named) = choice.items.iter().find(|item| matches!(item, RefOr::Ref(_)))
            {
                content.schema = Some(named.clone());
                body.required = Some(Required::False);
            }
        }
    }
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        if let Some(RefOr::T(schema)) = &mut parameter.schema {
            let kind = match schema {
                Schema::Object(object) => &mut object.schema_type,
                Schema::Array(array) => &mut array.schema_type,
                _ => continue,
            };
            if let SchemaType::Array(kinds) = kind
                && let Some(kind_of) = kinds.iter().find(|kind| **kind != Kind::Null)
            {
                *kind = SchemaType::Type(kind_of.clone());
            }
        }
    }
}

fn traits(operation: &Operation, changes: bool) -> Vec<Trait> {
    let parameter = |fits: &dyn Fn(&ParameterIn, &str) -> bool| {
        let parameters = operation.parameters.iter().flatten();
        parameters.into_iter().any(|parameter| match parameter {
            RefOr::T(parameter) => fits(&parameter.parameter_in, &parameter.name),
            _ => false,
        })
    };
    let role = operation.extensions.as_ref().and_then(|extensions| extensions.get("x-role"));
    let marked = |status: StatusCode| match operation.responses.responses.get(status.as_str()) {
        Some(RefOr::T(response)) => response.content.is_empty(),
        _ => false,
    };
    let ringcentral = marked(StatusCode::BAD_GATEWAY);
    [
        (Trait::Any, true),
        (Trait::Token, true),
        (Trait::Role, role.is_some_and(|role| role != "viewer")),
        (Trait::Resource, parameter(&|place, _| *place == ParameterIn::Path)),
        (Trait::Body, operation.request_body.is_some()),
        (Trait::Key, parameter(&|_, name| name == "Idempotency-Key")),
        (Trait::Credentials, marked(StatusCode::SERVICE_UNAVAILABLE)),
        (Trait::RingCentral, ringcentral),
        (Trait::Change, ringcentral && changes),
    ]
    .into_iter()
    .filter_map(|(one, has)| has.then_some(one))
    .collect()
}

/// A problem answer that operations share, by what it may be of.
fn shared(components: &mut Components, status: u16, kinds: &[Type]) -> RefOr<Response> {
    let mut name = kinds.iter().map(|kind| format!("{kind:?}")).collect::<Vec<_>>().join("Or");
    // The one type that comes with several.
    if kinds == [Type::RingcentralRefused] {
        name.push_str(&status.to_string());
    }
    let problem = || {
        let mut response = Response::new("");
        response.headers.insert("X-Request-Id".to_owned(), header_ref("X-Request-Id"));
        join(&mut response, status, kinds);
        response.into()
    };
    components.responses.entry(name.clone()).or_insert_with(problem);
    RefOr::Ref(Ref::from_response_name(name))
}

/// Adds problems to an answer: their names, their document, their headers.
fn join(response: &mut Response, status: u16, kinds: &[Type]) {
    let told = kinds.iter().map(|kind| format!("`{}`: {}", kind.name(), kind.title()));
    let before = (!response.description.is_empty()).then(|| response.description.clone());
    response.description = before.into_iter().chain(told).collect::<Vec<_>>().join("  \n");
    response.content.insert(PROBLEM.to_owned(), RefOr::T(document(status, kinds)));
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    let extensions = response.extensions.get_or_insert_with(Extensions::default);
    extensions.insert("x-problems".to_owned(), names.into());
    let brings =
        |wanted: &[Trait]| kinds.iter().any(|kind| kind.brought_by().iter().any(|one| wanted.contains(one)));
    if kinds.iter().all(|kind| kind.always_ends()) {
        response.headers.insert("Retry-After".to_owned(), header_ref("Retry-After-Always"));
    } else if kinds.iter().any(|kind| kind.has_an_end()) {
        response.headers.insert("Retry-After".to_owned(), header_ref("Retry-After"));
    }
    let mut headers = Vec::new();
    if kinds.contains(&Type::Unauthorized) {
        headers.push("WWW-Authenticate");
    }
    if brings(&[Trait::RingCentral, Trait::Change]) {
        headers.extend(["RateLimit", "RateLimit-Policy"]);
    }
    if kinds.contains(&Type::MethodNotAllowed) {
        headers.push("Allow");
    }
    for name in headers {
        response.headers.insert(name.to_owned(), header_ref(name));
    }
}

/// The document, with one of each type to look at.
fn document(status: u16, kinds: &[Type]) -> Content {
    let examples = kinds.iter().map(|kind| {
        let mut example = serde_json::to_value(Document::of(*kind)).unwrap_or_default();
        example["status"] = status.into();
        (kind.name(), ExampleBuilder::new().value(Some(example)).build())
    });
    ContentBuilder::new()
        .schema(Some(Ref::from_schema_name(Document::name())))
        .examples_from_iter(examples)
        .build()
}

fn header_ref(name: &str) -> RefOr<Header> {
    RefOr::Ref(Ref::new(format!("#/components/headers/{name}")))
}

fn headers(components: &mut Components) {
    let told: [(&str, bool, Kind, &str); 8] = [
        (
            "X-Request-Id",
            true,
            Kind::String,
            "The id of this request, the caller's own if it sent one; it is in every log line.",
        ),
        (
            "Retry-After",
            false,
            Kind::Integer,
            "In how many seconds to come back; missing where nobody knows.",
        ),
        ("Retry-After-Always", true, Kind::Integer, "In how many seconds to come back."),
        (
            "RateLimit",
            false,
            Kind::String,
            "What is left of RingCentral's budget: `\"medium\";r=12;t=0`. Only if the request used it.",
        ),
        (
            "RateLimit-Policy",
            false,
            Kind::String,
            "The window of that budget: `\"medium\";q=40;w=60`. Only if the request used it.",
        ),
        (
            "Idempotency-Replayed",
            false,
            Kind::String,
            "`true` if the answer was given before, to the same `Idempotency-Key`.",
        ),
        ("Allow", true, Kind::String, "The methods that this path has."),
        ("WWW-Authenticate", true, Kind::String, "How to bring a token."),
    ];
    for (name, always, kind, text) in told {
        let mut header =
            HeaderBuilder::new().schema(Some(Object::with_type(kind))).description(Some(text)).build();
        // The crate's type has no field for it.
        header.extensions = always.then(|| {
            let mut required = Extensions::default();
            required.insert("required".to_owned(), true.into());
            required
        });
        components.headers.insert(name.to_owned(), header.into());
    }
}
