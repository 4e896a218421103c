//! The life of a secret: create, update, delete, restore.
//!
//! It owns a secret's row. Deletion keeps the secret through its recovery window unless it is forced.

use super::schema::Secret;
use super::stages::{self, CURRENT};
use super::value::SecretValue;
use super::versions;
use super::{Answer, Secrets, errors, seconds};
use crate::reply::ApiError;
use rusqlite::{Connection, params};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

const DAY_MS: i64 = 86_400_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    name: String,
    client_request_token: Option<String>,
    description: Option<String>,
    kms_key_id: Option<String>,
    #[serde(default)]
    tags: Vec<Value>,
    #[serde(flatten)]
    value: SecretValue,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Update {
    secret_id: String,
    client_request_token: Option<String>,
    description: Option<String>,
    kms_key_id: Option<String>,
    #[serde(flatten)]
    value: SecretValue,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Delete {
    secret_id: String,
    recovery_window_in_days: Option<i64>,
    #[serde(default)]
    force_delete_without_recovery: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Restore {
    secret_id: String,
}

impl Secrets {
    pub(super) async fn create(&self, request: Create) -> Answer {
        check_name(&request.name)?;
        let value = request.value.given()?;
        let version = versions::token(request.client_request_token)?;
        let (description, key, tags) =
            (request.description, request.kms_key_id, Value::Array(request.tags).to_string());
        let (now, name) = (self.clock.now_ms(), request.name);
        let create = move |db: &Connection| {
            if let Some(existing) = Secret::find(db, &name, now)? {
                return repeated(db, existing, &version, value.as_ref());
            }
            // One whose recovery window has passed, and that the sweep has not met yet.
            db.execute("DELETE FROM secrets WHERE name = ?1", [&name])?;
            db.execute(
                "INSERT INTO secrets (name, suffix, description, kms_key, tags, created_ms, changed_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
                params![name, suffix(), description, key, tags, now],
            )?;
            let secret = Secret::load(db, &name, now)?;
            if let Some(value) = &value {
                versions::add(db, &secret, &version, value, &[CURRENT.to_owned()], now)?;
            }
            Ok(identity(&secret, value.is_some().then_some(version.as_str())))
        };
        self.store.run(create).await
    }

    pub(super) async fn update(&self, request: Update) -> Answer {
        let value = request.value.given()?;
        let version = versions::token(request.client_request_token)?;
        let now = self.clock.now_ms();
        let update = move |db: &Connection| {
            let secret = Secret::load_live(db, &request.secret_id, now)?;
            db.execute(
                "UPDATE secrets SET description = ifnull(?2, description), kms_key = ifnull(?3, kms_key)
                 WHERE id = ?1",
                params![secret.id, request.description, request.kms_key_id],
            )?;
            if let Some(value) = &value {
                versions::add(db, &secret, &version, value, &[CURRENT.to_owned()], now)?;
            }
            stages::touch(db, &secret, now)?;
            Ok::<_, ApiError>(identity(&secret, value.is_some().then_some(version.as_str())))
        };
        self.store.run(update).await
    }

    pub(super) async fn delete(&self, request: Delete) -> Answer {
        let window = request.recovery_window_in_days;
        if request.force_delete_without_recovery && window.is_some() {
            return Err(errors::invalid_parameter(
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
            ));
        }
        let days = window.unwrap_or(30);
        if !(7..=30).contains(&days) {
            return Err(errors::invalid_parameter(
                "RecoveryWindowInDays must be between 7 and 30 days (inclusive).",
            ));
        }
        let now = self.clock.now_ms();
        let delete = move |db: &Connection| {
            let secret = Secret::load(db, &request.secret_id, now)?;
            let mut answer = identity(&secret, None);
            if request.force_delete_without_recovery {
                db.execute("DELETE FROM secrets WHERE id = ?1", [secret.id])?;
                answer["DeletionDate"] = seconds(now);
                return Ok(answer);
            }
            if secret.deleted_ms.is_some() {
                return Err(errors::marked_deleted());
            }
            let removal = now.saturating_add(days * DAY_MS);
            db.execute(
                "UPDATE secrets SET deleted_ms = ?2, removal_ms = ?3 WHERE id = ?1",
                params![secret.id, now, removal],
            )?;
            answer["DeletionDate"] = seconds(removal);
            Ok(answer)
        };
        self.store.run(delete).await
    }

    pub(super) async fn restore(&self, request: Restore) -> Answer {
        let now = self.clock.now_ms();
        let restore = move |db: &Connection| {
            let secret = Secret::load(db, &request.secret_id, now)?;
            db.execute("UPDATE secrets SET deleted_ms = NULL, removal_ms = NULL WHERE id = ?1", [secret.id])?;
            Ok::<_, ApiError>(identity(&secret, None))
        };
        self.store.run(restore).await
    }
}

/// A second create is the first one heard twice if token and value are the same.
fn repeated(db: &Connection, existing: Secret, version: &str, value: Option<&SecretValue>) -> Answer {
    if existing.deleted_ms.is_some() {
        return Err(errors::invalid_request(
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        ));
    }
    match (versions::load(db, &existing, version)?, value) {
        (Some((known, _)), Some(value)) if known == *value => Ok(identity(&existing, Some(version))),
        _ => Err(errors::name_taken(&existing.name)),
    }
}

fn identity(secret: &Secret, version: Option<&str>) -> Value {
    let mut answer = json!({"ARN": secret.arn(), "Name": secret.name});
    if let Some(version) = version {
        answer["VersionId"] = json!(version);
    }
    answer
}

fn suffix() -> String {
    Uuid::new_v4().simple().to_string().chars().take(6).collect()
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@-".contains(&byte);
    if (1..=512).contains(&name.len()) && name.bytes().all(plain) {
        Ok(())
    } else {
        Err(errors::invalid_parameter(
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        ))
    }
}
