//! The dispatcher: takes deliveries from the queue and applies each event once.
//!
//! Owns what happens to a delivery that fails: it comes again, or it goes to the dead letters with a reason if it can
//! never work. It must never let one record decide about another.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use clock::Millis;
use context::{Service, Wiring, WiringError};
use events::{ProcessError, Processor};
use queues::{DeliveryQueue, Verdict};
use telemetry::Invocation;

/// What this function may touch.
#[derive(Debug, Clone)]
pub struct Context {
    processor: Processor,
    queue: DeliveryQueue,
}

impl Context {
    /// Takes its ports from the wiring.
    #[must_use]
    pub fn new(wiring: &Wiring) -> Self {
        Self { processor: wiring.processor(), queue: wiring.deliveries() }
    }
}

/// The function as Lambda starts it, with the connection that the first batch needs.
///
/// # Errors
/// [`WiringError`] if the environment is not right.
pub async fn function() -> Result<Context, WiringError> {
    let wiring = Wiring::from_env()?;
    wiring.open(Service::DynamoDb).await;
    Ok(Context::new(&wiring))
}

/// Works a batch off; `deadline` (milliseconds since the epoch) is when the invocation ends.
pub async fn dispatch(
    context: &Context,
    batch: SqsEvent,
    deadline: Millis,
    request_id: String,
) -> SqsBatchResponse {
    let records = batch.records.len();
    let invocation = Invocation {
        function: "dispatch",
        request_id,
        operation: "SQS events".to_owned(),
        status: 200,
        ..Invocation::default()
    };
    let work = queues::work_off(batch, |record| process(context, record, deadline));
    telemetry::observe(invocation, work, |response, invocation| {
        invocation.batch = Some((records, response.batch_item_failures.len()));
    })
    .await
}

async fn process(context: &Context, record: SqsMessage, deadline: Millis) -> Verdict {
    let incoming = match queues::read(&record) {
        Ok(incoming) => incoming,
        Err(error) => return bury(context, &record, &error.to_string()).await,
    };
    match context.processor.process(&incoming, deadline).await {
        Ok(_) => Verdict::Done,
        // A duplicate while its twin is in work: were it dropped and the twin's container died, the event would be lost.
        Err(ProcessError::Busy { .. }) => Verdict::Busy,
        Err(error) if error.is_permanent() => bury(context, &record, &error.to_string()).await,
        Err(error) => {
            telemetry::failed(&error);
            Verdict::Again(error.to_string())
        }
    }
}

/// A delivery that can never work leaves the queue only once it lies with the dead letters.
async fn bury(context: &Context, record: &SqsMessage, reason: &str) -> Verdict {
    match context.queue.bury(record, reason).await {
        Ok(()) => Verdict::Done,
        Err(error) => {
            telemetry::failed(&error);
            Verdict::Again(error.to_string())
        }
    }
}
