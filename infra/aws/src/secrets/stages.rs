//! Staging labels: which version is current, which was before, which is pending.
//!
//! It owns where labels sit and how they move. Taking `AWSCURRENT` from a version leaves it `AWSPREVIOUS`.

use super::schema::Secret;
use super::{Answer, Secrets, errors};
use crate::reply::ApiError;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

pub(super) const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MoveStage {
    secret_id: String,
    version_stage: String,
    move_to_version_id: Option<String>,
    remove_from_version_id: Option<String>,
}

impl Secrets {
    pub(super) async fn move_stage(&self, request: MoveStage) -> Answer {
        let now = self.clock.now_ms();
        let secret = self
            .store
            .run(move |db| {
                let secret = Secret::load_live(db, &request.secret_id, now)?;
                shift(db, &secret, &request)?;
                touch(db, &secret, now)?;
                Ok::<_, ApiError>(secret)
            })
            .await?;
        Ok(json!({"ARN": secret.arn(), "Name": secret.name}))
    }
}

/// Moves or removes a label as asked, if the caller knows where it is.
fn shift(db: &Connection, secret: &Secret, request: &MoveStage) -> Result<(), ApiError> {
    let stage = request.version_stage.as_str();
    check(std::slice::from_ref(&request.version_stage))?;
    let holder = version_at(db, secret, stage)?;
    let (to, from) = (request.move_to_version_id.as_deref(), request.remove_from_version_id.as_deref());
    if let (Some(from), false) = (from, from == holder.as_deref()) {
        return Err(errors::invalid_parameter(format!(
            "The parameter RemoveFromVersionId can't be {from}: the staging label {stage} is not attached to it."
        )));
    }
    match to {
        Some(to) => {
            if !has_version(db, secret, to)? {
                return Err(errors::no_value(&format!("VersionId: {to}")));
            }
            if let (Some(holder), None) = (holder.as_deref().filter(|holder| *holder != to), from) {
                return Err(errors::invalid_parameter(format!(
                    "The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached \
                     to version {holder}, so you must explicitly reference that version in RemoveFromVersionId."
                )));
            }
            attach(db, secret, stage, to)
        }
        None if stage == CURRENT => Err(errors::invalid_parameter(
            "You can't remove the staging label AWSCURRENT without moving it to another version.",
        )),
        None if from.is_none() => {
            Err(errors::invalid_parameter("You must specify MoveToVersionId or RemoveFromVersionId."))
        }
        None => {
            db.execute("DELETE FROM stages WHERE secret = ?1 AND stage = ?2", params![secret.id, stage])?;
            Ok(())
        }
    }
}

/// Puts a label on a version, taking it from whichever had it.
pub(super) fn attach(db: &Connection, secret: &Secret, stage: &str, version: &str) -> Result<(), ApiError> {
    if stage == CURRENT {
        if let Some(before) = version_at(db, secret, CURRENT)?.filter(|before| before != version) {
            put(db, secret, PREVIOUS, &before)?;
        }
        // A version that becomes current again is not the one before itself.
        db.execute(
            "DELETE FROM stages WHERE secret = ?1 AND stage = ?2 AND version = ?3",
            params![secret.id, PREVIOUS, version],
        )?;
    }
    put(db, secret, stage, version)
}

fn put(db: &Connection, secret: &Secret, stage: &str, version: &str) -> Result<(), ApiError> {
    db.prepare_cached(
        "INSERT INTO stages (secret, stage, version) VALUES (?1, ?2, ?3)
         ON CONFLICT (secret, stage) DO UPDATE SET version = excluded.version",
    )?
    .execute(params![secret.id, stage, version])?;
    Ok(())
}

/// The version a label sits on.
pub(super) fn version_at(db: &Connection, secret: &Secret, stage: &str) -> Result<Option<String>, ApiError> {
    Ok(db
        .prepare_cached("SELECT version FROM stages WHERE secret = ?1 AND stage = ?2")?
        .query_row(params![secret.id, stage], |row| row.get(0))
        .optional()?)
}

/// The labels of every version that has one.
pub(super) fn by_version(
    db: &Connection,
    secret: &Secret,
) -> Result<BTreeMap<String, Vec<String>>, ApiError> {
    let mut labels: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut statement =
        db.prepare_cached("SELECT version, stage FROM stages WHERE secret = ?1 ORDER BY stage")?;
    let rows =
        statement.query_map([secret.id], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    for row in rows {
        let (version, stage) = row?;
        labels.entry(version).or_default().push(stage);
    }
    Ok(labels)
}

/// Checks labels from the wire.
pub(super) fn check(stages: &[String]) -> Result<(), ApiError> {
    let fits = |stage: &String| (1..=256).contains(&stage.len());
    if (1..=20).contains(&stages.len()) && stages.iter().all(fits) {
        Ok(())
    } else {
        Err(errors::invalid_parameter("Staging labels are 1 to 20 texts of 1 to 256 characters."))
    }
}

/// Remembers that the secret changed.
pub(super) fn touch(db: &Connection, secret: &Secret, now: i64) -> Result<(), ApiError> {
    db.execute("UPDATE secrets SET changed_ms = ?2 WHERE id = ?1", params![secret.id, now])?;
    Ok(())
}

fn has_version(db: &Connection, secret: &Secret, version: &str) -> Result<bool, ApiError> {
    Ok(db
        .prepare_cached("SELECT count(*) FROM versions WHERE secret = ?1 AND id = ?2")?
        .query_row(params![secret.id, version], |row| row.get::<_, i64>(0))?
        > 0)
}
