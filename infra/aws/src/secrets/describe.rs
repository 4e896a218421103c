//! `DescribeSecret`, `ListSecrets` and `ListSecretVersionIds`: everything but the values.
//!
//! It owns what may be told of a secret to somebody who may not read it. It must never load a value.

use super::schema::Secret;
use super::{Answer, Secrets, errors, seconds, stages};
use crate::reply::ApiError;
use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Describe {
    secret_id: String,
    #[serde(default)]
    include_deprecated: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    max_results: Option<usize>,
    next_token: Option<String>,
    #[serde(default)]
    include_planned_deletion: bool,
    #[serde(default)]
    filters: Vec<Filter>,
    sort_order: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    key: String,
    #[serde(default)]
    values: Vec<String>,
}

impl Secrets {
    pub(super) async fn describe(&self, request: Describe) -> Answer {
        let now = self.clock.now_ms();
        self.store
            .run(move |db| {
                let secret = Secret::load(db, &request.secret_id, now)?;
                portrait(db, &secret, "VersionIdsToStages")
            })
            .await
    }

    pub(super) async fn list(&self, request: List) -> Answer {
        for filter in &request.filters {
            if !matches!(filter.key.as_str(), "name" | "description" | "all") {
                return Err(errors::invalid_parameter(format!(
                    "The embedded AWS filters secrets by name, description or all, not by {}.",
                    filter.key
                )));
            }
        }
        let now = self.clock.now_ms();
        self.store
            .run(move |db| {
                let mut secrets = Secret::all(db)?;
                secrets.retain(|secret| {
                    let gone = secret.removal_ms.is_some_and(|removal| removal <= now);
                    let shown = request.include_planned_deletion || secret.deleted_ms.is_none();
                    !gone && shown && request.filters.iter().all(|filter| filter.accepts(secret))
                });
                if request.sort_order.as_deref() == Some("desc") {
                    secrets.reverse();
                }
                let first = match &request.next_token {
                    None => 0,
                    Some(token) => secrets
                        .iter()
                        .position(|secret| secret.name == *token)
                        .ok_or_else(|| errors::invalid_parameter("The NextToken is no longer good."))?,
                };
                let most = request.max_results.unwrap_or(100).clamp(1, 100);
                let next = secrets.get(first + most).map(|secret| secret.name.clone());
                let page = secrets.iter().skip(first).take(most);
                let list = page.map(|secret| portrait(db, secret, "SecretVersionsToStages"));
                let mut answer = json!({"SecretList": list.collect::<Result<Vec<_>, ApiError>>()?});
                if let Some(next) = next {
                    answer["NextToken"] = json!(next);
                }
                Ok(answer)
            })
            .await
    }

    pub(super) async fn list_versions(&self, request: Describe) -> Answer {
        let now = self.clock.now_ms();
        self.store
            .run(move |db| {
                let secret = Secret::load(db, &request.secret_id, now)?;
                let labels = stages::by_version(db, &secret)?;
                let mut statement = db.prepare_cached(
                    "SELECT id, created_ms FROM versions WHERE secret = ?1 ORDER BY created_ms DESC, id",
                )?;
                let rows = statement
                    .query_map([secret.id], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?
                    .collect::<rusqlite::Result<Vec<_>>>()?;
                let versions: Vec<Value> = rows
                    .into_iter()
                    .filter(|(id, _)| request.include_deprecated || labels.contains_key(id))
                    .map(|(id, created)| {
                        json!({"VersionStages": labels.get(&id), "CreatedDate": seconds(created), "VersionId": id})
                    })
                    .collect();
                Ok::<_, ApiError>(json!({"ARN": secret.arn(), "Name": secret.name, "Versions": versions}))
            })
            .await
    }
}

impl Filter {
    /// A value matches from its beginning; `!` in front turns it around.
    fn accepts(&self, secret: &Secret) -> bool {
        let description = secret.description.as_deref().unwrap_or_default();
        let texts: &[&str] = match self.key.as_str() {
            "name" => &[&secret.name],
            "description" => &[description],
            _ => &[&secret.name, description],
        };
        self.values.iter().any(|value| match value.strip_prefix('!') {
            Some(value) => !texts.iter().any(|text| text.starts_with(value)),
            None => texts.iter().any(|text| text.starts_with(value.as_str())),
        })
    }
}

/// All there is to know of a secret without knowing it.
fn portrait(db: &Connection, secret: &Secret, versions_key: &str) -> Answer {
    let tags: Value = serde_json::from_str(&secret.tags).unwrap_or_else(|_| json!([]));
    let mut answer = json!({
        "ARN": secret.arn(),
        "Name": secret.name,
        "Tags": tags,
        "CreatedDate": seconds(secret.created_ms),
        "LastChangedDate": seconds(secret.changed_ms),
        versions_key: stages::by_version(db, secret)?,
    });
    let optional = [
        ("Description", secret.description.clone().map(Value::from)),
        ("KmsKeyId", secret.kms_key.clone().map(Value::from)),
        ("LastAccessedDate", secret.accessed_ms.map(seconds)),
        ("DeletedDate", secret.deleted_ms.map(seconds)),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            answer[name] = value;
        }
    }
    Ok(answer)
}
