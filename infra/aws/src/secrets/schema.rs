//! The tables of `secrets.db`, and finding a secret in them.
//!
//! It owns the schema and the identity of a secret. A label sits on at most one version of a secret.

use super::errors;
use crate::reply::ApiError;
use crate::{ACCOUNT, REGION};
use rusqlite::{Connection, OptionalExtension as _, Row};

pub(super) const VERSION: i64 = 1;

pub(super) const SCHEMA: &str = "
CREATE TABLE secrets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    suffix TEXT NOT NULL,
    description TEXT,
    kms_key TEXT,
    tags TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    accessed_ms INTEGER,
    deleted_ms INTEGER,
    removal_ms INTEGER
);
CREATE TABLE versions (
    secret INTEGER NOT NULL REFERENCES secrets (id) ON DELETE CASCADE,
    id TEXT NOT NULL,
    text TEXT,
    binary TEXT,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (secret, id)
) WITHOUT ROWID;
CREATE TABLE stages (
    secret INTEGER NOT NULL REFERENCES secrets (id) ON DELETE CASCADE,
    stage TEXT NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (secret, stage)
) WITHOUT ROWID;
";

/// A secret without its values.
#[derive(Debug)]
pub(super) struct Secret {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) suffix: String,
    pub(super) description: Option<String>,
    pub(super) kms_key: Option<String>,
    pub(super) tags: String,
    pub(super) created_ms: i64,
    pub(super) changed_ms: i64,
    pub(super) accessed_ms: Option<i64>,
    pub(super) deleted_ms: Option<i64>,
    pub(super) removal_ms: Option<i64>,
}

const COLUMNS: &str =
    "SELECT id, name, suffix, description, kms_key, tags, created_ms, changed_ms, accessed_ms,
    deleted_ms, removal_ms FROM secrets";

impl Secret {
    /// The secret's ARN: its name and six random characters, so that a new secret has another.
    pub(super) fn arn(&self) -> String {
        format!("{}{}-{}", arn_prefix(), self.name, self.suffix)
    }

    /// The secret a caller means by its name, its ARN, or its ARN without the random end.
    pub(super) fn find(db: &Connection, reference: &str, now: i64) -> Result<Option<Self>, ApiError> {
        let found = match reference.strip_prefix(&arn_prefix()) {
            None => by_name(db, reference)?,
            Some(rest) => {
                let whole = rest
                    .rsplit_once('-')
                    .and_then(|(name, suffix)| Some((by_name(db, name).transpose()?, suffix)));
                match whole {
                    Some((secret, suffix)) => Some(secret?).filter(|secret| secret.suffix == suffix),
                    None => None,
                }
                .map_or_else(|| by_name(db, rest), |secret| Ok(Some(secret)))?
            }
        };
        // The sweep comes now and then; a secret whose time has come is gone already.
        Ok(found.filter(|secret| secret.removal_ms.is_none_or(|removal| removal > now)))
    }

    /// The secret, deleted or not.
    pub(super) fn load(db: &Connection, reference: &str, now: i64) -> Result<Self, ApiError> {
        Self::find(db, reference, now)?.ok_or_else(errors::not_found)
    }

    /// The secret, which must not be marked for deletion.
    pub(super) fn load_live(db: &Connection, reference: &str, now: i64) -> Result<Self, ApiError> {
        let secret = Self::load(db, reference, now)?;
        if secret.deleted_ms.is_some() { Err(errors::marked_deleted()) } else { Ok(secret) }
    }

    /// Every secret, by name.
    pub(super) fn all(db: &Connection) -> rusqlite::Result<Vec<Self>> {
        db.prepare_cached(&format!("{COLUMNS} ORDER BY name"))?.query_map([], Self::read)?.collect()
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            suffix: row.get(2)?,
            description: row.get(3)?,
            kms_key: row.get(4)?,
            tags: row.get(5)?,
            created_ms: row.get(6)?,
            changed_ms: row.get(7)?,
            accessed_ms: row.get(8)?,
            deleted_ms: row.get(9)?,
            removal_ms: row.get(10)?,
        })
    }
}

fn arn_prefix() -> String {
    format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:")
}

fn by_name(db: &Connection, name: &str) -> rusqlite::Result<Option<Secret>> {
    db.prepare_cached(&format!("{COLUMNS} WHERE name = ?1"))?.query_row([name], Secret::read).optional()
}
