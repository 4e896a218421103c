//! Message attributes: typed values beside the body.
//!
//! It owns their rules, their size, and the digest clients check them by. It keeps them exactly as sent.

use super::errors;
use crate::reply::ApiError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most attributes a message may carry.
const MOST: usize = 10;

/// Attributes by name, in the order the digest wants them.
pub(super) type TypedMap = BTreeMap<String, Typed>;

/// One attribute as the wire has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Typed {
    pub(super) data_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) string_value: Option<String>,
    /// Base64, as JSON carries it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) binary_value: Option<String>,
}

enum Payload<'a> {
    Text(&'a str),
    Bytes(Vec<u8>),
}

impl Payload<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl Typed {
    fn payload(&self, name: &str) -> Result<Payload<'_>, ApiError> {
        let kind = self.data_type.split('.').next().unwrap_or_default();
        let payload = match (kind, &self.string_value, &self.binary_value) {
            ("String" | "Number", Some(text), None) => Some(Payload::Text(text)),
            ("Binary", None, Some(encoded)) => STANDARD.decode(encoded).ok().map(Payload::Bytes),
            _ => None,
        };
        match payload {
            Some(Payload::Text(text)) if kind == "Number" && !text.parse().is_ok_and(f64::is_finite) => {
                Err(errors::invalid_value(format!(
                    "Can't cast the value of message attribute '{name}' to a number."
                )))
            }
            Some(payload) if !payload.bytes().is_empty() => Ok(payload),
            _ => Err(errors::invalid_value(format!(
                "The message attribute '{name}' must contain a non-empty value of the type it names; \
                 types are String, Number and Binary."
            ))),
        }
    }
}

/// Attributes that were checked: how many bytes they count, and their digest.
#[derive(Debug, Default)]
pub(super) struct Measured {
    pub(super) size: usize,
    pub(super) md5: Option<String>,
}

/// Checks attributes and measures them.
pub(super) fn measure(attributes: &TypedMap) -> Result<Measured, ApiError> {
    if attributes.is_empty() {
        return Ok(Measured::default());
    }
    if attributes.len() > MOST {
        return Err(errors::invalid_value(format!(
            "Number of message attributes [{}] exceeds the allowed maximum [{MOST}].",
            attributes.len()
        )));
    }
    let (mut size, mut digest) = (0, Md5::new());
    for (name, typed) in attributes {
        check_name(name)?;
        if typed.data_type.len() > 256 {
            return Err(errors::invalid_value(format!(
                "The type of message attribute '{name}' is too long."
            )));
        }
        let payload = typed.payload(name)?;
        let transport = if matches!(payload, Payload::Text(_)) { 1_u8 } else { 2 };
        absorb(&mut digest, name.as_bytes());
        absorb(&mut digest, typed.data_type.as_bytes());
        digest.update([transport]);
        absorb(&mut digest, payload.bytes());
        size += name.len() + typed.data_type.len() + payload.bytes().len();
    }
    Ok(Measured { size, md5: Some(hex::encode(digest.finalize())) })
}

/// The digest of attributes that were checked before.
pub(super) fn digest(attributes: &TypedMap) -> Option<String> {
    measure(attributes).ok().and_then(|measured| measured.md5)
}

/// The digest of a body.
pub(super) fn body_digest(body: &str) -> String {
    hex::encode(Md5::digest(body.as_bytes()))
}

fn absorb(digest: &mut Md5, part: &[u8]) {
    // Every part is preceded by its length, so that parts cannot run into each other.
    digest.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    digest.update(part);
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let lower = name.to_ascii_lowercase();
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    let dotted = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    let reserved = lower.starts_with("aws.") || lower.starts_with("amazon.");
    if plain && !dotted && !reserved && (1..=256).contains(&name.len()) {
        Ok(())
    } else {
        Err(errors::invalid_value(format!("The message attribute name '{name}' is invalid.")))
    }
}
