//! Sets of words: closed where a caller chooses, open where RingCentral does.

use utoipa::{
    ToSchema,
    openapi::{
        Components, OpenApi, RefOr,
        extensions::Extensions,
        schema::{Object, ObjectBuilder, Schema, Type},
    },
};

/// Adds a set that only parameters name: what the crate collects by itself is what bodies name.
#[must_use]
pub fn with_set<T: ToSchema>(mut openapi: OpenApi) -> OpenApi {
    let components = openapi.components.get_or_insert_with(Components::new);
    components.schemas.insert(T::name().into_owned(), T::schema());
    openapi
}

/// One of these words and no other.
pub fn one_of(words: &[&str]) -> RefOr<Schema> {
    string().enum_values(Some(words.iter().copied())).build().into()
}

/// One of these words, or one that came later: a client must be ready for it.
pub fn open_set(words: &[&str]) -> RefOr<Schema> {
    let known = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let extensions = Extensions::from_iter([("x-extensible-enum", words)]);
    let text = format!("One of {known}, or one that came later.");
    string().description(Some(text)).extensions(Some(extensions)).build().into()
}

fn string() -> ObjectBuilder {
    Object::builder().schema_type(Type::String)
}

/// Makes a type of the description from words that the code has anyway.
///
/// ```text
/// words!(ExtensionStatus: one_of STATUSES, KnownStatus: open_set STATUSES);
/// ```
#[macro_export]
macro_rules! words {
    ($($name:ident: $kind:ident $words:expr),+ $(,)?) => {$(
        pub(crate) struct $name;

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::openapi::$kind($words)
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )+};
}
