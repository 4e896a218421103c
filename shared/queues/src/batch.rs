//! A batch, record by record: what failed goes back to the queue, what can never work goes to the dead letters.

use std::{future::Future, panic::AssertUnwindSafe};

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures::{FutureExt, StreamExt, stream};

/// How many records of a batch are worked on at once.
const AT_ONCE: usize = 8;

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is done and leaves the queue.
    Done,
    /// Somebody else is at it; it comes again, just in case.
    Busy,
    /// It failed and comes again.
    Again(String),
}

/// Works a batch off. A record that panics comes again like one that failed, and ends in the dead letters.
pub async fn work_off<F, W>(batch: SqsEvent, work: W) -> SqsBatchResponse
where
    W: Fn(SqsMessage) -> F,
    F: Future<Output = Verdict>,
{
    let failures = stream::iter(batch.records)
        .map(|record| {
            let id = record.message_id.clone().unwrap_or_default();
            let worked = AssertUnwindSafe(async { work(record).await }).catch_unwind();
            async move {
                let reason = match worked.await {
                    Ok(Verdict::Done) => return None,
                    Ok(Verdict::Busy) => return Some(id),
                    Ok(Verdict::Again(reason)) => reason,
                    Err(_) => "the handler panicked".to_owned(),
                };
                tracing::warn!(message_id = id, reason, "a record goes back to its queue");
                Some(id)
            }
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(std::future::ready)
        .collect::<Vec<_>>()
        .await;
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failures
        .into_iter()
        .map(|id| {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            failure
        })
        .collect();
    response
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
        let response =
            work_off(batch(&["a", "b", "c", "d"]), async |record| match record.message_id.as_deref() {
                Some("b") => Verdict::Again("later".to_owned()),
                Some("c") => panic!("a poison record"),
                _ => Verdict::Done,
            })
            .await;
        let mut failed: Vec<_> =
            response.batch_item_failures.into_iter().map(|f| f.item_identifier).collect();
        failed.sort();
        assert_eq!(failed, ["b", "c"]);
    }
}
