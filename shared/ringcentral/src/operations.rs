//! Every operation of RingCentral's platform: method, path, throttling group, permissions.
//!
//! Owns the facts of RingCentral's OpenAPI description, so that no call ever guesses its group.
//! The tables are generated (`operations/generate.py`); nothing here is edited by hand.

mod account;
mod account_v2;
mod platform;
mod services;
mod team_messaging;
mod video;

use http::Method;

pub use account::*;
pub use account_v2::*;
pub use platform::*;
pub use services::*;
pub use team_messaging::*;
pub use video::*;

/// One operation of RingCentral's REST API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// RingCentral's `operationId`.
    pub id: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path with its parameters in braces.
    pub path: &'static str,
    /// The throttling group: Light, Medium, Heavy, Auth or NoThrottling.
    pub group: &'static str,
    /// The app permission it needs; empty if none.
    pub app_permission: &'static str,
    /// The user permission it needs, alternatives joined by ` OR `; empty if none.
    pub user_permission: &'static str,
}

impl Operation {
    /// The HTTP method as a type.
    #[must_use]
    pub fn http_method(&self) -> Method {
        match self.method {
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "PATCH" => Method::PATCH,
            "DELETE" => Method::DELETE,
            _ => Method::GET,
        }
    }

    /// Repeating it leaves the world as one call would: GET, PUT and DELETE (RFC 9110, 9.2.2).
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        matches!(self.method, "GET" | "PUT" | "DELETE")
    }
}

/// Declares a table: a documented constant for each line, and all of them as a slice.
macro_rules! operations {
    ($($name:ident: $id:literal $method:ident $path:literal $group:ident $app:literal $user:literal;)*) => {
        $(
            #[doc = concat!("`", stringify!($method), " ", $path, "`, group ", stringify!($group), ".")]
            pub const $name: $crate::operations::Operation = $crate::operations::Operation {
                id: $id,
                method: stringify!($method),
                path: $path,
                group: stringify!($group),
                app_permission: $app,
                user_permission: $user,
            };
        )*
        pub(super) const TABLE: &[$crate::operations::Operation] = &[$($name),*];
    };
}
use operations;

/// All operations, in the order of their paths within each family.
pub fn all() -> impl Iterator<Item = &'static Operation> {
    [account::TABLE, account_v2::TABLE, platform::TABLE, services::TABLE, team_messaging::TABLE, video::TABLE]
        .into_iter()
        .flatten()
}

/// The operation of a method and a concrete path; a literal segment wins over a parameter.
#[must_use]
pub fn find(method: &str, path: &str) -> Option<&'static Operation> {
    all()
        .filter(|operation| operation.method == method && matches(operation.path, path))
        .min_by_key(|operation| operation.path.matches('{').count())
}

fn matches(template: &str, path: &str) -> bool {
    let mut actual = path.split('/');
    let fits = template.split('/').all(|wanted| {
        actual
            .next()
            .is_some_and(|segment| wanted == segment || (wanted.starts_with('{') && !segment.is_empty()))
    });
    fits && actual.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole_and_names_known_groups() {
        assert_eq!(all().count(), 520);
        assert!(all().all(|o| ["Light", "Medium", "Heavy", "Auth", "NoThrottling"].contains(&o.group)));
    }

    #[test]
    fn a_concrete_path_finds_its_operation() {
        assert_eq!(find("GET", "/restapi/v1.0/account/~/extension/101"), Some(&READ_EXTENSION));
        assert_eq!(find("GET", "/restapi/v1.0/account/~/call-log"), Some(&READ_COMPANY_CALL_LOG));
        assert_eq!(find("PATCH", "/restapi/v1.0/account/~/call-log"), None);
        assert_eq!(find("GET", "/restapi/v1.0/account/~/extension/101/"), None);
    }
}
