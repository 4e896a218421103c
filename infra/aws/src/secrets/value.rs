//! The value of a secret, which cannot be printed.
//!
//! It owns the two forms a value has. `Debug` shows neither.

use super::errors;
use crate::reply::ApiError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt;

/// The largest value Secrets Manager takes.
const LARGEST: usize = 65_536;

/// A piece of secret text.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(super) struct SecretText(String);

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl ToSql for SecretText {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl FromSql for SecretText {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        String::column_result(value).map(Self)
    }
}

/// What a request or a version holds: text, or bytes in base64.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct SecretValue {
    #[serde(rename = "SecretString")]
    pub(super) text: Option<SecretText>,
    #[serde(rename = "SecretBinary")]
    pub(super) binary: Option<SecretText>,
}

impl SecretValue {
    /// The value if there is one, checked.
    pub(super) fn given(self) -> Result<Option<Self>, ApiError> {
        let size = match (&self.text, &self.binary) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => {
                return Err(errors::invalid_parameter(
                    "You can't specify both a binary value and a string value.",
                ));
            }
            (Some(text), None) => text.0.len(),
            (None, Some(binary)) => STANDARD
                .decode(&binary.0)
                .map_err(|_| errors::invalid_parameter("The SecretBinary is not base64."))?
                .len(),
        };
        if size > LARGEST {
            return Err(errors::invalid_parameter(format!(
                "The secret value has more than {LARGEST} bytes."
            )));
        }
        Ok(Some(self))
    }

    /// The value, which must be there.
    pub(super) fn required(self) -> Result<Self, ApiError> {
        self.given()?
            .ok_or_else(|| errors::invalid_request("You must provide either SecretString or SecretBinary."))
    }

    /// Adds the value to an answer: the one place it leaves through.
    pub(super) fn reveal(self, answer: &mut Value) {
        if let Some(text) = self.text {
            answer["SecretString"] = json!(text.0);
        }
        if let Some(binary) = self.binary {
            answer["SecretBinary"] = json!(binary.0);
        }
    }
}
