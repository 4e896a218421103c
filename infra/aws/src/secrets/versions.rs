//! `GetSecretValue` and `PutSecretValue`: versions in and out.
//!
//! It owns the versions of a secret. A version never changes: the same token with the same value is a repeat,
//! with another value an error.

use super::schema::Secret;
use super::stages::{self, CURRENT};
use super::value::SecretValue;
use super::{Answer, Secrets, errors, seconds};
use crate::reply::ApiError;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

/// Versions without a label are deprecated; Secrets Manager keeps about this many, and none younger than a day is removed.
const DEPRECATED_KEPT: i64 = 100;
const DAY_MS: i64 = 86_400_000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetValue {
    secret_id: String,
    version_id: Option<String>,
    version_stage: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutValue {
    secret_id: String,
    client_request_token: Option<String>,
    version_stages: Option<Vec<String>>,
    #[serde(flatten)]
    value: SecretValue,
}

impl Secrets {
    pub(super) async fn get_value(&self, request: GetValue) -> Answer {
        let now = self.clock.now_ms();
        self.store
            .run(move |db| {
                let secret = Secret::load_live(db, &request.secret_id, now)?;
                let version = choose(db, &secret, request.version_id, request.version_stage.as_deref())?;
                let (value, created) = load(db, &secret, &version)?
                    .ok_or_else(|| errors::no_value(&format!("VersionId: {version}")))?;
                // AWS shows the day of the last access, and a read should cost no write on most calls.
                if secret.accessed_ms.is_none_or(|accessed| accessed / DAY_MS != now / DAY_MS) {
                    db.execute(
                        "UPDATE secrets SET accessed_ms = ?2 WHERE id = ?1",
                        params![secret.id, now - now % DAY_MS],
                    )?;
                }
                let stages = stages::by_version(db, &secret)?.remove(&version).unwrap_or_default();
                let mut answer = json!({
                    "ARN": secret.arn(),
                    "Name": secret.name,
                    "VersionId": version,
                    "VersionStages": stages,
                    "CreatedDate": seconds(created),
                });
                value.reveal(&mut answer);
                Ok(answer)
            })
            .await
    }

    pub(super) async fn put_value(&self, request: PutValue) -> Answer {
        let value = request.value.required()?;
        let version = token(request.client_request_token)?;
        let stages = request.version_stages.unwrap_or_else(|| vec![CURRENT.to_owned()]);
        stages::check(&stages)?;
        let now = self.clock.now_ms();
        self.store
            .run(move |db| {
                let secret = Secret::load_live(db, &request.secret_id, now)?;
                add(db, &secret, &version, &value, &stages, now)?;
                let held = stages::by_version(db, &secret)?.remove(&version).unwrap_or_default();
                Ok(json!({"ARN": secret.arn(), "Name": secret.name, "VersionId": version, "VersionStages": held}))
            })
            .await
    }
}

/// Adds a version with its labels. The first one of a secret is current whatever its labels.
pub(super) fn add(
    db: &Connection,
    secret: &Secret,
    version: &str,
    value: &SecretValue,
    stages: &[String],
    now: i64,
) -> Result<(), ApiError> {
    match load(db, secret, version)? {
        Some((known, _)) if known == *value => return Ok(()),
        Some(_) => {
            return Err(errors::exists(format!(
                "You can't modify an existing version: a version with the ClientRequestToken {version} already exists."
            )));
        }
        None => {}
    }
    db.execute(
        "INSERT INTO versions (secret, id, text, binary, created_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![secret.id, version, value.text, value.binary, now],
    )?;
    if stages::version_at(db, secret, CURRENT)?.is_none() {
        stages::attach(db, secret, CURRENT, version)?;
    }
    for stage in stages {
        stages::attach(db, secret, stage, version)?;
    }
    stages::touch(db, secret, now)?;
    prune(db, secret, now)
}

/// The version id: the caller's token, or one of our own.
pub(super) fn token(given: Option<String>) -> Result<String, ApiError> {
    match given {
        None => Ok(Uuid::new_v4().to_string()),
        Some(token) if (32..=64).contains(&token.len()) => Ok(token),
        Some(_) => Err(errors::invalid_parameter("ClientRequestToken must have 32 to 64 characters.")),
    }
}

/// The value of a version and when it came.
pub(super) fn load(
    db: &Connection,
    secret: &Secret,
    version: &str,
) -> Result<Option<(SecretValue, i64)>, ApiError> {
    Ok(db
        .prepare_cached("SELECT text, binary, created_ms FROM versions WHERE secret = ?1 AND id = ?2")?
        .query_row(params![secret.id, version], |row| {
            Ok((SecretValue { text: row.get(0)?, binary: row.get(1)? }, row.get(2)?))
        })
        .optional()?)
}

/// The version a reader means: by id, by label, by both if they agree, or the current one.
fn choose(
    db: &Connection,
    secret: &Secret,
    version: Option<String>,
    stage: Option<&str>,
) -> Result<String, ApiError> {
    let label = stage.or(version.is_none().then_some(CURRENT));
    let labelled = match label {
        Some(label) => Some(
            stages::version_at(db, secret, label)?
                .ok_or_else(|| errors::no_value(&format!("staging label: {label}")))?,
        ),
        None => None,
    };
    match (version, labelled) {
        (Some(version), Some(labelled)) if version != labelled => Err(errors::invalid_request(
            "You provided a VersionStage that is not associated to the provided VersionId.",
        )),
        (Some(version), _) | (None, Some(version)) => Ok(version),
        (None, None) => Err(errors::no_value("staging label: AWSCURRENT")),
    }
}

fn prune(db: &Connection, secret: &Secret, now: i64) -> Result<(), ApiError> {
    db.execute(
        "DELETE FROM versions WHERE secret = ?1 AND id IN (
             SELECT id FROM versions
             WHERE secret = ?1 AND id NOT IN (SELECT version FROM stages WHERE secret = ?1)
             ORDER BY created_ms DESC LIMIT -1 OFFSET ?2
         ) AND created_ms < ?3",
        params![secret.id, DEPRECATED_KEPT, now - DAY_MS],
    )?;
    Ok(())
}
