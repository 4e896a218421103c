//! What one reservation costs: a permit and its settlement against a bare conditional write of an item as large, in turn,
//! through the same endpoint.

use std::{collections::HashMap, sync::Arc, time::Duration};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use gate::{Bucket, Gate, Group, Notice, Patience, Policy, Priority};
use serde::{Deserialize, Serialize};
use tables::WindowTable;
use tokio::time::Instant;
use trunkline::PREFIX;

use crate::{
    Failure,
    options::Options,
    platform::{Platform, wiring},
    process::Process,
    role::{Orders, Role},
    scenario::LIGHT,
};

/// Its name among the scenarios.
pub(crate) const NAME: &str = "reservation";
pub(crate) const ABOUT: &str = "what a permit costs, against a bare conditional write";
/// Requests of a bucket, so that no window is ever full and the windows are on average less than half so.
const ROUNDS: u32 = 40;

/// How much is measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Buckets of the group Light, each for itself.
    pub(crate) buckets: usize,
}

/// Medians, in microseconds.
#[derive(Debug, Serialize, Deserialize)]
struct Medians {
    permit: f64,
    bare: f64,
    samples: usize,
    item: usize,
}

/// Measures it in a process of its own and prints it.
pub(crate) async fn measure(options: &Options) -> Result<(), Failure> {
    let platform = Platform::start(options).await?;
    platform.slow_down(LIGHT, options).await?;
    let process = Process::start(&Role::Cost(Plan { buckets: 50 }), &platform.environment()).await?;
    let medians: Medians = serde_json::from_str(&process.greeting)?;
    process.finish().await?;
    let Medians { permit, bare, samples, item } = medians;
    println!("{NAME}: p50 of pass and settle {permit:.0} µs, of a bare conditional UpdateItem {bare:.0} µs");
    println!(
        "{NAME}: ratio {:.2} ({samples} of each in turn, items of {item} bytes on average)",
        permit / bare
    );
    Ok(())
}

/// Plays the container.
pub(crate) async fn run(plan: Plan) -> Result<(), Failure> {
    let wiring = wiring().await?;
    let defaults = aws_config::defaults(aws_config::BehaviorVersion::v2026_01_12());
    let sdk = defaults.http_client(context::Wire::loopback()?).load().await;
    let bare = Bare { client: Client::new(&sdk), table: format!("{PREFIX}-windows") };
    let store = Arc::new(WindowTable::new(wiring.tables()));
    let gate = Gate::new(store, clock::Bounded::new(wiring.clock.clone(), 0), Policy::default());
    let (mut permits, mut updates, mut bytes) = (Vec::new(), Vec::new(), 0);
    for round in 0..ROUNDS {
        for index in 0..plan.buckets {
            let identity = format!("cost-{index}");
            let bucket = Bucket { identity: identity.clone(), group: Group::named("light") };
            let limit = bucket.group.default_limit();
            let notice = Notice {
                announced: Some((limit, 60_000)),
                remaining: limit.checked_sub(round + 1),
                ..Notice::default()
            };
            let begun = Instant::now();
            let permit = gate.pass(&bucket, Priority::Interactive, Patience(3_000)).await?;
            gate.settle(permit, notice).await?;
            permits.push(begun.elapsed());

            let size = serde_json::to_string(&gate.last_seen(&bucket))?.len();
            let begun = Instant::now();
            bare.update(&format!("bare-{index}"), round, size).await?;
            updates.push(begun.elapsed());
            bytes += size;
        }
    }
    let samples = permits.len();
    let medians =
        Medians { permit: median(permits), bare: median(updates), samples, item: bytes / samples.max(1) };
    println!("{}", serde_json::to_string(&medians)?);
    Orders::listen().end().await;
    Ok(())
}

/// Items that nobody knows anything about.
struct Bare {
    client: Client,
    table: String,
}

impl Bare {
    /// Writes the next version of an item, if it still has the one before.
    async fn update(&self, key: &str, version: u32, size: usize) -> Result<(), Failure> {
        let number = |number: u32| AttributeValue::N(number.to_string());
        let condition = if version == 0 { "attribute_not_exists(pk)" } else { "#version = :known" };
        let mut values = HashMap::from([
            (":next".to_owned(), number(version + 1)),
            (":body".to_owned(), AttributeValue::S("x".repeat(size))),
        ]);
        if version > 0 {
            values.insert(":known".to_owned(), number(version));
        }
        let request = self.client.update_item().table_name(&self.table);
        let request = request.key("pk", AttributeValue::S(key.to_owned()));
        let request = request.update_expression("SET #version = :next, body = :body");
        let request =
            request.condition_expression(condition).expression_attribute_names("#version", "version");
        request.set_expression_attribute_values(Some(values)).send().await?;
        Ok(())
    }
}

fn median(mut all: Vec<Duration>) -> f64 {
    all.sort_unstable();
    all.get(all.len() / 2).map_or(f64::NAN, |one| one.as_secs_f64() * 1e6)
}
