//! One call as data: operation, path parameters, query, body.

use gate::Priority;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::Value;

use crate::Operation;

/// What stays as it is in a path segment: RFC 3986's unreserved characters, `~` among them.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A call to be made. Every `{parameter}` of the path must be given; `accountId` defaults to `~`.
#[derive(Debug, Clone)]
pub struct Request {
    pub(crate) operation: &'static Operation,
    pub(crate) parameters: Vec<(&'static str, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Option<Value>,
    pub(crate) priority: Priority,
}

impl Request {
    /// A call of this operation with neither parameters nor a body.
    #[must_use]
    pub fn of(operation: &'static Operation) -> Self {
        Self {
            operation,
            parameters: Vec::new(),
            query: Vec::new(),
            body: None,
            priority: Priority::Interactive,
        }
    }

    /// Sets a path parameter; the value is percent-encoded.
    #[must_use]
    pub fn parameter(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.parameters.push((name, value.into()));
        self
    }

    /// Adds a query parameter; repeated names are sent repeated.
    #[must_use]
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Sets who goes first; interactive if never set.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Sets the JSON body.
    ///
    /// # Errors
    /// If the value has no JSON form (a map with keys that are not strings).
    pub fn json(mut self, body: &impl Serialize) -> Result<Self, serde_json::Error> {
        self.body = Some(serde_json::to_value(body)?);
        Ok(self)
    }

    /// Sets the JSON body to a value that is one already.
    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// The operation to be called.
    #[must_use]
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// The name of a parameter that is `.` or `..`: no encoding keeps those from being read as steps within the path.
    pub(crate) fn dots(&self) -> Option<&'static str> {
        let dots = |value: &str| matches!(value, "." | "..");
        self.parameters.iter().find(|(_, value)| dots(value)).map(|(name, _)| *name)
    }

    /// The concrete path. A missing parameter is sent as `~`, RingCentral's "the caller's own".
    #[must_use]
    pub fn path(&self) -> String {
        let segments = self.operation.path.split('/').map(|segment| {
            let Some(name) = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) else {
                return segment.to_owned();
            };
            let value = self.parameters.iter().find(|(given, _)| *given == name);
            utf8_percent_encode(value.map_or("~", |(_, value)| value), SEGMENT).to_string()
        });
        segments.collect::<Vec<_>>().join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::{LIST_EXTENSIONS, READ_EXTENSION};

    #[test]
    fn parameters_fill_the_path_and_can_not_leave_their_segment() {
        let request = Request::of(&READ_EXTENSION).parameter("extensionId", "../../x?y");
        assert_eq!(request.path(), "/restapi/v1.0/account/~/extension/..%2F..%2Fx%3Fy");
        assert_eq!(request.dots(), None);
        assert_eq!(Request::of(&LIST_EXTENSIONS).path(), "/restapi/v1.0/account/~/extension");
    }

    #[test]
    fn regression_dots_are_no_parameter() {
        for dots in [".", ".."] {
            let request = Request::of(&READ_EXTENSION).parameter("extensionId", dots);
            assert_eq!(request.dots(), Some("extensionId"));
        }
    }
}
