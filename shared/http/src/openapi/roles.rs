//! The role of an operation, from its handler's signature: what is described is what is checked.

use axum::{extract::State, handler::Handler};
use utoipa::openapi::{
    extensions::Extensions,
    path::{Operation, Paths},
    security::SecurityRequirement,
};

use crate::{Admin, Open, Operator, Role, Viewer};

/// What lets a caller in: an argument of a handler that names the role it needs.
#[diagnostic::on_unimplemented(
    message = "a handler names who may call it right after its `State`: `Viewer`, `Operator`, `Admin` or `Open`"
)]
pub trait Needs {
    /// The role; none if it is for everybody.
    const ROLE: Option<Role>;
}

macro_rules! needs {
    ($($extractor:ident: $role:expr,)*) => {$(
        impl Needs for $extractor {
            const ROLE: Option<Role> = $role;
        }
    )*};
}

needs! {
    Open: None,
    Viewer: Some(Role::Viewer),
    Operator: Some(Role::Operator),
    Admin: Some(Role::Admin),
}

/// The arguments of a handler that names its role.
pub trait Declared {
    /// The role; none if the route is for everybody.
    const ROLE: Option<Role>;
}

macro_rules! declared {
    ($(($($rest:ident),*),)*) => {$(
        impl<M, C, R: Needs, $($rest),*> Declared for (M, State<C>, R, $($rest,)*) {
            const ROLE: Option<Role> = R::ROLE;
        }
    )*};
}

declared! {
    (), (A), (A, B), (A, B, D), (A, B, D, E), (A, B, D, E, F), (A, B, D, E, F, G),
}

/// The role that a handler needs.
pub fn role_of<T: Declared, S, H: Handler<T, S>>(_: H) -> Option<Role> {
    T::ROLE
}

/// Writes the role into the description of a handler's operations, as `utoipa_axum::routes` made it.
#[must_use]
pub fn with_role<A, B>((schemas, mut paths, router): (A, Paths, B), role: Option<Role>) -> (A, Paths, B) {
    for item in paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete, &mut item.patch];
        operations.into_iter().flatten().for_each(|operation| describe(operation, role));
    }
    (schemas, paths, router)
}

fn describe(operation: &mut Operation, role: Option<Role>) {
    let Some(role) = role else {
        let bearer = SecurityRequirement::new("bearer", [""; 0]);
        operation.security = Some(vec![SecurityRequirement::default(), bearer]);
        return;
    };
    let sentence = format!("Needs the role `{role}`.");
    operation.description = Some(match operation.description.take().filter(|text| !text.is_empty()) {
        Some(text) => format!("{text}\n\n{sentence}"),
        None => sentence,
    });
    let extensions = operation.extensions.get_or_insert_with(Extensions::default);
    extensions.insert("x-role".to_owned(), role.as_str().into());
}
