//! `SendMessage` and `SendMessageBatch`.
//!
//! It owns the way into a queue. The answer follows the commit; then long polls are woken.

use super::message::Draft;
use super::schema::Queue;
use super::settings::LARGEST_MESSAGE;
use super::{Answer, Sqs, batch, errors, queue_of_url};
use crate::reply::ApiError;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Send {
    queue_url: String,
    #[serde(flatten)]
    draft: Draft,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendBatch {
    queue_url: String,
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: String,
    #[serde(flatten)]
    draft: Draft,
}

impl Sqs {
    pub(super) async fn send(&self, request: Send) -> Answer {
        let name = queue_of_url(&request.queue_url)?;
        let message = request.draft.check()?;
        let (now, queue) = (self.clock.now_ms(), name.clone());
        let told = self.store.run(move |db| message.store(db, &Queue::load(db, &queue)?, now)).await?;
        self.wakers.ring(&name);
        Ok(Value::Object(told))
    }

    pub(super) async fn send_batch(&self, request: SendBatch) -> Answer {
        let name = queue_of_url(&request.queue_url)?;
        batch::check_ids(request.entries.iter().map(|entry| entry.id.as_str()))?;
        let drafts: Vec<_> =
            request.entries.into_iter().map(|entry| (entry.id, entry.draft.check())).collect();
        let size = drafts.iter().filter_map(|(_, message)| Some(message.as_ref().ok()?.size)).sum::<usize>();
        if size > LARGEST_MESSAGE {
            return Err(errors::batch_too_long(LARGEST_MESSAGE, size));
        }
        let (now, queue) = (self.clock.now_ms(), name.clone());
        let results = self
            .store
            .run(move |db| {
                let queue = Queue::load(db, &queue)?;
                let store =
                    |message: Result<super::message::Sendable, ApiError>| message?.store(db, &queue, now);
                Ok::<_, ApiError>(drafts.into_iter().map(|(id, message)| (id, store(message))).collect())
            })
            .await?;
        self.wakers.ring(&name);
        Ok(batch::answer(results))
    }
}
