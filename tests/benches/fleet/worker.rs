//! A container of the fleet: the product's own client, and callers that use it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use clock::Millis;
use gate::Priority;
use rand::RngExt;
use ringcentral::{CallError, Operation, Request, RingCentral, operations};
use serde::{Deserialize, Serialize};
use trunkline::TENANT;

use crate::{
    Failure,
    platform::{now, wiring},
    role::Orders,
};

/// What a container does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Which of the processes it is.
    pub(crate) process: usize,
    /// RingCentral's `operationId` of what it asks for.
    pub(crate) operation: String,
    /// Its callers.
    pub(crate) callers: Vec<Caller>,
    /// How long after the word it begins, real milliseconds.
    pub(crate) after: u64,
    /// It was started in the middle and waits for no word.
    pub(crate) at_once: bool,
}

/// One caller.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Caller {
    pub(crate) priority: Priority,
    /// How often it asks, real milliseconds, give or take a half; 0: as soon as it was served.
    pub(crate) every: u64,
}

/// A caller: its process and its number there.
pub(crate) type Who = (usize, usize);

/// What a container reports, a line each. Instants are real milliseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Line {
    /// Somebody was served, after so many calls of the client.
    Served { who: Who, priority: Priority, asked: Millis, answered: Millis, calls: u32 },
    /// Somebody was still waiting at the end.
    Waiting { who: Who, priority: Priority, asked: Millis },
    /// A call failed in another way than by being told to come back.
    Failed(String),
    /// What another tool was answered.
    Outside { status: u16 },
}

impl Line {
    /// Writes it where the bench reads it.
    pub(crate) fn say(&self) {
        if let Ok(text) = serde_json::to_string(self) {
            println!("{text}");
        }
    }
}

/// Who has been waiting since when, by caller.
type Waiting = Arc<Mutex<Vec<Option<Millis>>>>;

/// Plays the container until the end.
pub(crate) async fn run(plan: Plan) -> Result<(), Failure> {
    let mut orders = Orders::listen();
    let client = wiring().await?.ringcentral();
    let operation = operations::all().find(|operation| operation.id == plan.operation);
    let operation = operation.ok_or("no such operation")?;
    // Token, credentials and connections, at no cost of the bucket.
    client.ping(&TENANT.parse()?).await?;
    println!("ready");
    if !plan.at_once && !orders.go().await {
        return Ok(());
    }
    tokio::time::sleep(Duration::from_millis(plan.after)).await;
    let waiting: Waiting = Arc::new(Mutex::new(vec![None; plan.callers.len()]));
    for (index, caller) in plan.callers.iter().enumerate() {
        let who = (plan.process, index);
        tokio::spawn(call(client.clone(), operation, *caller, who, waiting.clone()));
    }
    orders.end().await;
    let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    for (index, (caller, since)) in plan.callers.iter().zip(waiting.iter()).enumerate() {
        if let Some(asked) = *since {
            Line::Waiting { who: (plan.process, index), priority: caller.priority, asked }.say();
        }
    }
    Ok(())
}

/// A call that costs little.
pub(crate) fn request(operation: &'static Operation) -> Request {
    let request = Request::of(operation);
    if operation.path.ends_with("}") { request } else { request.query("perPage", "1") }
}

async fn call(
    client: RingCentral,
    operation: &'static Operation,
    caller: Caller,
    who: Who,
    waiting: Waiting,
) -> Result<(), Failure> {
    let tenant = TENANT.parse()?;
    let request = request(operation).priority(caller.priority);
    let wait = |since: Option<Millis>| {
        waiting.lock().unwrap_or_else(PoisonError::into_inner)[who.1] = since;
    };
    loop {
        if caller.every > 0 {
            let every = rand::rng().random_range(caller.every / 2..=caller.every * 3 / 2);
            tokio::time::sleep(Duration::from_millis(every)).await;
        }
        let (asked, mut calls) = (now(), 0);
        wait(Some(asked));
        loop {
            calls += 1;
            let again = match client.call(&tenant, &request).await {
                Ok(_) => break,
                Err(
                    CallError::RateLimited { wait, .. }
                    | CallError::Throttled { wait, .. }
                    | CallError::CircuitOpen { wait, .. },
                ) => wait,
                Err(error) => {
                    Line::Failed(words(&error)).say();
                    100
                }
            };
            // Back at the very instant that was named.
            tokio::time::sleep(Duration::from_millis(u64::try_from(again).unwrap_or(0).max(1))).await;
        }
        Line::Served { who, priority: caller.priority, asked, answered: now(), calls }.say();
        wait(None);
    }
}

/// An error with its causes.
fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
