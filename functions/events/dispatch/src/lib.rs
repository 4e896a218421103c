//! The dispatcher: takes deliveries from the queue and applies each event once.
//!
//! A batch is read, its events are announced together, and then each is applied. Owns what happens to a delivery that
//! fails: it comes again, or it goes to the dead letters with a reason if it can never work. It must never let one record
//! decide about another.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use context::{Service, Wiring, WiringError};
use events::{Entry, Event, EventStoreError, Processor};
use queues::{Batch, DeliveryQueue, Verdict};
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

/// Works a batch off.
pub async fn dispatch(context: &Context, batch: SqsEvent, request_id: String) -> SqsBatchResponse {
    let records = batch.records.len();
    let invocation = Invocation {
        function: "dispatch",
        request_id,
        operation: "SQS events".to_owned(),
        status: 200,
        ..Invocation::default()
    };
    telemetry::observe(invocation, work_off(context, batch), |response, invocation| {
        invocation.batch = Some((records, response.batch_item_failures.len()));
    })
    .await
}

async fn work_off(context: &Context, batch: SqsEvent) -> SqsBatchResponse {
    let read = Batch::of(batch).step(|record| read(context, record)).await;
    let events: Vec<_> = read.records().map(|(_, event)| event).collect();
    if let Some(first) = events.first()
        && events.iter().all(|event| event.tenant == first.tenant)
    {
        telemetry::tenant(first.tenant.as_str());
    }
    let announced = context.processor.announce(&events).await;
    read.with(announced).step(|(read, announced)| apply(context, read, announced)).await.end()
}

/// A record, and the event it brings.
type Read = (SqsMessage, Event);

async fn read(context: &Context, record: SqsMessage) -> Result<Read, Verdict> {
    let unreadable = match queues::read(&record) {
        Ok(incoming) => match context.processor.read(incoming) {
            Ok(event) => return Ok((record, event)),
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    };
    Err(bury(context, &record, &unreadable).await)
}

async fn apply(
    context: &Context,
    (record, event): Read,
    announced: Result<Entry, EventStoreError>,
) -> Result<(), Verdict> {
    let applied = async { context.processor.apply(&event, announced?).await };
    match applied.await {
        Ok(_) => Ok(()),
        Err(error @ EventStoreError::TooLarge) => Err(bury(context, &record, &error.to_string()).await),
        Err(error) => {
            telemetry::failed(&error);
            Err(Verdict::Again(error.to_string()))
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
