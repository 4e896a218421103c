//! A request as the operations see it: operation, parameters, query, body, caller and the moment it is answered
//! at. It parses and validates what every operation shares and knows nothing about the world.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::operation::Row;

/// Whose request it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owner {
    pub(crate) client_id: String,
    /// Extension id of the user.
    pub(crate) user: u64,
}

/// A parsed request.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) row: &'static Row,
    pub(crate) parameters: Vec<(&'static str, String)>,
    pub(crate) query: Query,
    /// Scheme and authority of every URI in the answer, from the `Host` header.
    pub(crate) base: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Simulated time of the arrival.
    pub(crate) now: Timestamp,
}

impl Call {
    /// A path parameter; empty when the operation has none of that name.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// The body as a JSON object. CMN-103 when it is not one.
    pub(crate) fn json(&self) -> Result<Map<String, Value>, ApiError> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(body)) => Ok(body),
            _ => Err(ApiError::bad_request("CMN-103", "JSON in the request body cannot be parsed")),
        }
    }

    /// The body as a JSON object, where no body at all is an empty one.
    pub(crate) fn json_or_empty(&self) -> Result<Map<String, Value>, ApiError> {
        if self.body.iter().all(u8::is_ascii_whitespace) { Ok(Map::new()) } else { self.json() }
    }

    /// The absolute URI of this request.
    pub(crate) fn uri(&self) -> String {
        self.query.uri(&self.base, &self.path)
    }
}

/// The query, decoded, in the order it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(raw: &str) -> Self {
        Self(serde_urlencoded::from_str(raw).unwrap_or_default())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// All values of a parameter that may be repeated or hold a comma-separated list.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let values = self.0.iter().filter(|(key, _)| key == name).flat_map(|(_, value)| value.split(','));
        values.map(str::trim).filter(|value| !value.is_empty()).collect()
    }

    /// All values of a parameter, each one of `allowed`. CMN-101 otherwise.
    pub(crate) fn choices(&self, name: &str, allowed: &[&str]) -> Result<Vec<&str>, ApiError> {
        let values = self.all(name);
        match values.iter().all(|value| allowed.contains(value)) {
            true => Ok(values),
            false => Err(ApiError::invalid(name)),
        }
    }

    /// A moment: RFC 3339, with or without an offset (none is UTC), or a bare date. CMN-101 otherwise.
    pub(crate) fn moment(&self, name: &str) -> Result<Option<Timestamp>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        // An unescaped `+` of an offset arrives as a blank.
        let text = text.replace(' ', "+");
        let utc = |civil: jiff::civil::DateTime| civil.to_zoned(jiff::tz::TimeZone::UTC).ok();
        let parsed = text.parse::<Timestamp>().ok().or_else(|| {
            text.parse::<jiff::civil::DateTime>().ok().and_then(utc).map(|zoned| zoned.timestamp())
        });
        parsed.map(Some).ok_or_else(|| ApiError::invalid(name))
    }

    /// The same query with one parameter set.
    pub(crate) fn with(&self, name: &str, value: impl ToString) -> Self {
        let mut query = self.clone();
        let value = value.to_string();
        match query.0.iter_mut().find(|(key, _)| key == name) {
            Some(pair) => pair.1 = value,
            None => query.0.push((name.to_owned(), value)),
        }
        query
    }

    pub(crate) fn uri(&self, base: &str, path: &str) -> String {
        match serde_urlencoded::to_string(&self.0) {
            Ok(query) if !query.is_empty() => format!("{base}{path}?{query}"),
            _ => format!("{base}{path}"),
        }
    }
}

/// A successful answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(HeaderName, String)>,
    /// Absent: no content.
    pub(crate) body: Option<Value>,
}

impl Reply {
    /// 200 with JSON.
    pub(crate) fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, headers: Vec::new(), body: Some(body) }
    }

    /// 204.
    pub(crate) fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, headers: Vec::new(), body: None }
    }
}

impl From<ApiError> for Reply {
    fn from(error: ApiError) -> Self {
        Self { status: error.status, headers: Vec::new(), body: Some(error.body()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_may_be_repeated_or_comma_separated() {
        let query = Query::parse("type=User&type=Department,IvrMenu&status=");
        assert_eq!(query.all("type"), ["User", "Department", "IvrMenu"]);
        assert_eq!(query.get("status"), None);
        assert!(query.choices("type", &["User"]).is_err());
    }

    #[test]
    fn moments_come_in_the_forms_clients_send() {
        let query =
            Query::parse("a=2026-01-02T03:04:05.678Z&b=2026-01-02&c=2026-01-02T03:04:05+01:00&d=soon");
        let ms = |name| query.moment(name).map(|found| found.map(|at| at.as_millisecond()));
        assert_eq!(ms("a"), Ok(Some(1_767_323_045_678)));
        assert_eq!(ms("b"), Ok(Some(1_767_312_000_000)));
        assert_eq!(ms("c"), Ok(Some(1_767_319_445_000)));
        assert!(ms("d").is_err());
        assert_eq!(ms("e"), Ok(None));
    }
}
