//! A batch, record by record: what failed goes back to the queue, what can never work goes to the dead letters.

use std::{future::Future, panic::AssertUnwindSafe};

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures::{FutureExt, StreamExt, stream};

/// How many records of a batch are worked on at once.
const AT_ONCE: usize = 10;

/// How a record's way through a batch ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is done and leaves the queue.
    Done,
    /// It failed and comes again.
    Again(String),
}

/// A batch that is worked off in steps: the records that are still on their way, and those that come again.
#[derive(Debug)]
pub struct Batch<R> {
    records: Vec<(String, R)>,
    failures: Vec<String>,
}

impl Batch<SqsMessage> {
    /// All records of a batch.
    #[must_use]
    pub fn of(event: SqsEvent) -> Self {
        let id = |record: &SqsMessage| record.message_id.clone().unwrap_or_default();
        let records = event.records.into_iter().map(|record| (id(&record), record)).collect();
        Self { records, failures: Vec::new() }
    }
}

impl<R> Batch<R> {
    /// The records that are still on their way.
    pub fn records(&self) -> impl Iterator<Item = &R> {
        self.records.iter().map(|(_, record)| record)
    }

    /// Takes every record a step further, or ends its way. One that panics comes again like one that failed, and ends in the
    /// dead letters.
    pub async fn step<T, F, W>(self, work: W) -> Batch<T>
    where
        W: Fn(R) -> F,
        F: Future<Output = Result<T, Verdict>>,
    {
        let worked = stream::iter(self.records).map(|(id, record)| {
            let worked = AssertUnwindSafe(async { work(record).await }).catch_unwind();
            async move { (id, worked.await) }
        });
        // In their order, which is that of what a step between two may know of them.
        let worked: Vec<_> = worked.buffered(AT_ONCE).collect().await;
        let mut batch = Batch { records: Vec::new(), failures: self.failures };
        for (id, outcome) in worked {
            let reason = match outcome {
                Ok(Ok(record)) => {
                    batch.records.push((id, record));
                    continue;
                }
                Ok(Err(Verdict::Done)) => continue,
                Ok(Err(Verdict::Again(reason))) => reason,
                Err(_) => "the handler panicked".to_owned(),
            };
            tracing::warn!(message_id = id, reason, "a record goes back to its queue");
            batch.failures.push(id);
        }
        batch
    }

    /// Gives every record that is still on its way something along.
    #[must_use]
    pub fn with<E>(self, extra: impl IntoIterator<Item = E>) -> Batch<(R, E)> {
        // Whoever gets nothing comes again.
        let mut batch = Batch { records: Vec::new(), failures: self.failures };
        let mut extra = extra.into_iter();
        for (id, record) in self.records {
            match extra.next() {
                Some(extra) => batch.records.push((id, (record, extra))),
                None => batch.failures.push(id),
            }
        }
        batch
    }

    /// The end: what has come so far is done.
    #[must_use]
    pub fn end(self) -> SqsBatchResponse {
        let mut response = SqsBatchResponse::default();
        response.batch_item_failures = self
            .failures
            .into_iter()
            .map(|id| {
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = id;
                failure
            })
            .collect();
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(ids: &[&str]) -> SqsEvent {
        let record = |id: &&str| {
            let mut message = SqsMessage::default();
            message.message_id = Some((*id).to_owned());
            message
        };
        let mut event = SqsEvent::default();
        event.records = ids.iter().map(record).collect();
        event
    }

    #[tokio::test]
    async fn one_bad_record_does_not_touch_the_others() {
        let read = Batch::of(batch(&["a", "b", "c", "d", "e"]))
            .step(async |record| match record.message_id.as_deref() {
                Some("b") => Err(Verdict::Again("later".to_owned())),
                Some("c") => panic!("a poison record"),
                Some("d") => Err(Verdict::Done),
                id => Ok(id.unwrap_or_default().to_owned()),
            })
            .await;
        assert_eq!(read.records().collect::<Vec<_>>(), ["a", "e"]);
        let done = read
            .with([1, 2])
            .step(async |(id, number)| match number {
                2 => panic!("{id}, in the second step"),
                _ => Ok(()),
            })
            .await;
        let mut failed: Vec<_> =
            done.end().batch_item_failures.into_iter().map(|f| f.item_identifier).collect();
        failed.sort();
        assert_eq!(failed, ["b", "c", "e"]);
    }

    #[tokio::test]
    async fn who_gets_nothing_comes_again() {
        let response = Batch::of(batch(&["a", "b"])).with([1]).end();
        assert_eq!(response.batch_item_failures[0].item_identifier, "b");
    }
}
