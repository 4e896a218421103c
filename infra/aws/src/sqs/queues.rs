//! Queues themselves: create, find, describe, change, empty, delete, tag.
//!
//! It owns a queue's row and its answers. Messages belong to the other modules, save that they go with their queue.

use super::schema::Queue;
use super::settings::Settings;
use super::{Answer, Sqs, arn_of, errors, queue_of_url};
use crate::reply::ApiError;
use rusqlite::{Connection, params};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Create {
    #[serde(default)]
    queue_name: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default, rename = "tags")]
    tags: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ByName {
    #[serde(default)]
    queue_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ByUrl {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    queue_name_prefix: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SetAttributes {
    queue_url: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    queue_url: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    tag_keys: Vec<String>,
}

impl Sqs {
    pub(super) async fn create_queue(&self, request: Create) -> Answer {
        check_name(&request.queue_name)?;
        let asked = Settings::checked(request.attributes)?;
        let url = self.url_of(&request.queue_name);
        let now = self.clock.now_ms();
        let create = move |db: &Connection| {
            if let Some(existing) = Queue::find(db, &request.queue_name)? {
                return if existing.settings.agrees_with(&asked) {
                    Ok(())
                } else {
                    Err(errors::queue_exists())
                };
            }
            let settings = Settings::default().changed(asked);
            check_target(db, &settings)?;
            db.execute(
                "INSERT INTO queues (name, settings, tags, created_ms, modified_ms) VALUES (?1, ?2, ?3, ?4, ?4)",
                params![request.queue_name, settings.to_json(), json!(request.tags).to_string(), now],
            )?;
            Ok(())
        };
        self.store.run(create).await?;
        Ok(json!({"QueueUrl": url}))
    }

    pub(super) async fn queue_url(&self, request: ByName) -> Answer {
        let name = request.queue_name;
        let queue = self.store.run(move |db| Queue::load(db, &name)).await?;
        Ok(json!({"QueueUrl": self.url_of(&queue.name)}))
    }

    pub(super) async fn list_queues(&self, request: List) -> Answer {
        let queues = self.store.run(|db| Ok::<_, ApiError>(Queue::all(db)?)).await?;
        let prefix = request.queue_name_prefix.unwrap_or_default();
        let names = queues.into_iter().map(|queue| queue.name).filter(|name| name.starts_with(&prefix));
        Ok(self.page("QueueUrls", names.collect(), request.max_results, request.next_token.as_deref()))
    }

    pub(super) async fn list_sources(&self, request: ByUrl) -> Answer {
        let target = queue_of_url(&request.queue_url)?;
        let sources = self.store.run(move |db| sources_of(db, &Queue::load(db, &target)?.name)).await?;
        Ok(self.page("queueUrls", sources, request.max_results, request.next_token.as_deref()))
    }

    /// A page of queues; the token is the last name of the page before.
    fn page(&self, key: &str, names: Vec<String>, most: Option<usize>, token: Option<&str>) -> Value {
        let mut rest =
            names.into_iter().filter(|name| token.is_none_or(|token| name.as_str() > token)).peekable();
        let most = most.unwrap_or(1_000).clamp(1, 1_000);
        let page: Vec<String> = rest.by_ref().take(most).collect();
        let mut answer = json!({key: page.iter().map(|name| self.url_of(name)).collect::<Vec<_>>()});
        if let (Some(_), Some(last)) = (rest.peek(), page.last()) {
            answer["NextToken"] = json!(last);
        }
        answer
    }

    pub(super) async fn queue_attributes(&self, request: ByUrl) -> Answer {
        let name = queue_of_url(&request.queue_url)?;
        let now = self.clock.now_ms();
        let all = self.store.run(move |db| describe(db, &Queue::load(db, &name)?, now)).await?;
        let wanted = request.attribute_names;
        if let Some(unknown) = wanted.iter().find(|name| *name != "All" && !is_attribute(name, &all)) {
            return Err(errors::invalid_attribute_name(unknown));
        }
        let everything = wanted.iter().any(|name| name == "All");
        let chosen: BTreeMap<_, _> =
            all.into_iter().filter(|(name, _)| everything || wanted.contains(name)).collect();
        Ok(if chosen.is_empty() { json!({}) } else { json!({"Attributes": chosen}) })
    }

    pub(super) async fn set_queue_attributes(&self, request: SetAttributes) -> Answer {
        let name = queue_of_url(&request.queue_url)?;
        let changes = Settings::checked(request.attributes)?;
        let (now, queue) = (self.clock.now_ms(), name.clone());
        let set = move |db: &Connection| {
            let queue = Queue::load(db, &queue)?;
            let settings = queue.settings.changed(changes);
            check_target(db, &settings)?;
            db.execute(
                "UPDATE queues SET settings = ?2, modified_ms = ?3 WHERE id = ?1",
                params![queue.id, settings.to_json(), now],
            )?;
            Ok::<_, ApiError>(())
        };
        self.store.run(set).await?;
        self.wakers.ring(&name);
        Ok(json!({}))
    }

    pub(super) async fn purge_queue(&self, request: ByUrl) -> Answer {
        let name = queue_of_url(&request.queue_url)?;
        let purge = move |db: &Connection| {
            db.execute("DELETE FROM messages WHERE queue = ?1", [Queue::load(db, &name)?.id])?;
            Ok::<_, ApiError>(())
        };
        self.store.run(purge).await?;
        Ok(json!({}))
    }

    pub(super) async fn delete_queue(&self, request: ByUrl) -> Answer {
        let name = queue_of_url(&request.queue_url)?;
        let queue = name.clone();
        let delete = move |db: &Connection| {
            db.execute("DELETE FROM queues WHERE id = ?1", [Queue::load(db, &queue)?.id])?;
            Ok::<_, ApiError>(())
        };
        self.store.run(delete).await?;
        // Long polls learn at once that their queue is gone.
        self.wakers.ring(&name);
        Ok(json!({}))
    }

    pub(super) async fn list_tags(&self, request: Tag) -> Answer {
        let tags = self.change_tags(&request.queue_url, |_| {}).await?;
        Ok(if tags.is_empty() { json!({}) } else { json!({"Tags": tags}) })
    }

    pub(super) async fn tag(&self, request: Tag) -> Answer {
        self.change_tags(&request.queue_url, move |tags| tags.extend(request.tags)).await?;
        Ok(json!({}))
    }

    pub(super) async fn untag(&self, request: Tag) -> Answer {
        self.change_tags(&request.queue_url, move |tags| {
            tags.retain(|key, _| !request.tag_keys.contains(key))
        })
        .await?;
        Ok(json!({}))
    }

    async fn change_tags(
        &self,
        url: &str,
        change: impl FnOnce(&mut BTreeMap<String, String>) + Send + 'static,
    ) -> Result<BTreeMap<String, String>, ApiError> {
        let name = queue_of_url(url)?;
        let apply = move |db: &Connection| {
            let id = Queue::load(db, &name)?.id;
            let stored: String =
                db.query_row("SELECT tags FROM queues WHERE id = ?1", [id], |row| row.get(0))?;
            let mut tags = serde_json::from_str(&stored).unwrap_or_default();
            change(&mut tags);
            db.execute("UPDATE queues SET tags = ?2 WHERE id = ?1", params![id, json!(tags).to_string()])?;
            Ok(tags)
        };
        self.store.run(apply).await
    }
}

/// The queues that send what they cannot process to `target`.
pub(super) fn sources_of(db: &Connection, target: &str) -> Result<Vec<String>, ApiError> {
    let aims = |queue: &Queue| queue.settings.redrive().is_some_and(|redrive| redrive.target == target);
    Ok(Queue::all(db)?.into_iter().filter(aims).map(|queue| queue.name).collect())
}

fn check_name(name: &str) -> Result<(), ApiError> {
    if name.ends_with(".fifo") {
        return Err(errors::unsupported("The embedded AWS has standard queues only, no FIFO queues."));
    }
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if plain && (1..=80).contains(&name.len()) {
        Ok(())
    } else {
        let reason = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
        Err(errors::out_of_range("QueueName", name, reason))
    }
}

fn check_target(db: &Connection, settings: &Settings) -> Result<(), ApiError> {
    match settings.redrive() {
        Some(redrive) if Queue::find(db, &redrive.target)?.is_none() => {
            Err(errors::out_of_range("RedrivePolicy", redrive.target, "Dead letter target does not exist"))
        }
        _ => Ok(()),
    }
}

fn describe(db: &Connection, queue: &Queue, now: i64) -> Result<BTreeMap<String, String>, ApiError> {
    let (visible, in_flight, delayed): (i64, i64, i64) = db
        .prepare_cached(
            "SELECT count(*) FILTER (WHERE visible_ms <= ?2),
                 count(*) FILTER (WHERE visible_ms > ?2 AND receives_here > 0),
                 count(*) FILTER (WHERE visible_ms > ?2 AND receives_here = 0)
             FROM messages WHERE queue = ?1 AND sent_ms > ?3",
        )?
        .query_row(params![queue.id, now, queue.expired_until(now)], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    let mut all = queue.settings.to_map();
    all.extend(
        [
            ("QueueArn", arn_of(&queue.name)),
            ("ApproximateNumberOfMessages", visible.to_string()),
            ("ApproximateNumberOfMessagesNotVisible", in_flight.to_string()),
            ("ApproximateNumberOfMessagesDelayed", delayed.to_string()),
            ("CreatedTimestamp", (queue.created_ms / 1_000).to_string()),
            ("LastModifiedTimestamp", (queue.modified_ms / 1_000).to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    Ok(all)
}

/// Whether SQS knows the attribute, set on this queue or not.
fn is_attribute(name: &str, set: &BTreeMap<String, String>) -> bool {
    set.contains_key(name) || Settings::checked(BTreeMap::from([(name.to_owned(), String::new())])).is_ok()
}
