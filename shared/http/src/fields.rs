//! Query parameters, read by name; whatever is left over is an error, because a misspelt filter must not be ignored.

use std::ops::RangeInclusive;

use axum::extract::FromRequestParts;
use http::request::Parts;
use percent_encoding::percent_decode_str;

use crate::{Problem, Violations};

/// The query of a request. Take what the route knows, then [`Fields::finish`].
#[derive(Debug)]
pub struct Fields {
    pairs: Vec<(String, String)>,
    violations: Violations,
}

impl<S: Send + Sync> FromRequestParts<S> for Fields {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
            .map_err(|error| Problem::field("query", format!("is not a query string: {error}")))?;
        let mut violations = Violations::default();
        // The decoder puts a replacement in the place of what is no UTF-8.
        let lossy = query.split('&').filter(|pair| percent_decode_str(pair).decode_utf8().is_err());
        for pair in lossy {
            let name = pair.split('=').next().unwrap_or_default();
            violations.add(percent_decode_str(name).decode_utf8_lossy(), "must be UTF-8");
        }
        for (name, value) in &pairs {
            violations.require(!value.contains(char::is_control), name, "must not have control characters");
        }
        Ok(Self { pairs, violations })
    }
}

impl Fields {
    /// All values of a parameter, repeated or comma-separated, in their order.
    pub fn list(&mut self, name: &str) -> Vec<String> {
        let (taken, rest) = std::mem::take(&mut self.pairs).into_iter().partition(|(given, _)| given == name);
        self.pairs = rest;
        let taken: Vec<(String, String)> = taken;
        taken.iter().flat_map(|(_, values)| values.split(',')).map(str::to_owned).collect()
    }

    /// All values of a parameter, each of which must be one of `allowed`.
    pub fn list_of(&mut self, name: &str, allowed: &[&str]) -> Vec<String> {
        let values = self.list(name);
        if values.iter().any(|value| !allowed.contains(&value.as_str())) {
            self.violations.add(name, format!("must be one of {}", allowed.join(", ")));
        }
        values
    }

    /// The one value of a parameter.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let mut values = self.list(name);
        if values.len() > 1 {
            self.violations.add(name, "takes one value");
        }
        values.pop()
    }

    /// The one value of a parameter, as whatever `read` makes of it.
    pub fn read<T>(&mut self, name: &str, expected: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name)?;
        let value = read(&text);
        if value.is_none() {
            self.violations.add(name, expected);
        }
        value
    }

    /// A whole number within bounds.
    pub fn number(&mut self, name: &str, bounds: RangeInclusive<u32>) -> Option<u32> {
        let expected = format!("must be a whole number from {} to {}", bounds.start(), bounds.end());
        self.read(name, &expected, |text| text.parse().ok().filter(|number| bounds.contains(number)))
    }

    /// Notes a violation of the route's own.
    pub fn violation(&mut self, name: &str, reason: &str) {
        self.violations.add(name, reason);
    }

    /// Passes if everything was known and right.
    ///
    /// # Errors
    /// A problem that names every wrong or unknown parameter.
    pub fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in &self.pairs {
            let reason = match name.strip_suffix("[]") {
                Some(plain) => {
                    format!("is not a parameter of this route; {plain} is repeated without brackets")
                }
                None => "is not a parameter of this route".to_owned(),
            };
            self.violations.add(name.clone(), reason);
        }
        self.violations.finish()
    }
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    async fn fields(query: &str) -> Fields {
        let request = http::Request::get(format!("/?{query}")).body(()).unwrap();
        Fields::from_request_parts(&mut request.into_parts().0, &()).await.unwrap()
    }

    #[tokio::test]
    async fn every_wrong_or_unknown_parameter_is_named() {
        let mut fields = fields("page=0&perpage=5&type=User,Robot").await;
        assert_eq!(fields.number("page", 1..=1000), None);
        fields.list_of("type", &["User", "Department"]);
        let response = fields.finish().unwrap_err().into_response();
        assert_eq!(response.status(), 400);
        let body = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let named: Vec<&str> =
            body["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
        assert_eq!(named, ["page", "type", "perpage"]);
    }

    #[tokio::test]
    async fn values_come_repeated_or_by_comma() {
        let mut fields = fields("status=Enabled&status=Disabled,Frozen").await;
        assert_eq!(fields.list("status"), ["Enabled", "Disabled", "Frozen"]);
        assert!(fields.finish().is_ok());
    }
}
