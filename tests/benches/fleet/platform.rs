//! What the fleet stands on: an AWS and a RingCentral in processes of their own, and what they count.

use std::time::Duration;

use aws_config::BehaviorVersion;
use clap::Parser as _;
use clock::Millis;
use context::{Config, Wiring};
use gate::Window;
use ringcentral::{Operation, RingCentral};
use serde_json::{Value, json};
use trunkline::{Args, Cloud, PREFIX, RingCentralAccess, TENANT};

use crate::{Failure, options::Options, process::Process, role::Role, scenario::Bucket, worker};

/// The operations of DynamoDB that cost a write, and those that cost a read.
const WRITES: [&str; 5] = ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"];
const READS: [&str; 4] = ["GetItem", "Query", "BatchGetItem", "TransactGetItems"];

/// The AWS and the RingCentral of one scenario.
pub(crate) struct Platform {
    _aws: Process,
    _simulator: Process,
    /// Of each of the two: where it is, and the same with the key of its control pages.
    aws_url: [String; 2],
    simulator_url: [String; 2],
    /// The access key id of the AWS.
    key: String,
    http: reqwest::Client,
    client: RingCentral,
    patience: Duration,
    clock_error: u32,
}

/// What was counted up to an instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) at: Millis,
    /// Requests of the bucket that RingCentral has accepted, and rejected; a planned 429 counts as accepted.
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
    /// Answers with 429, planned ones included.
    pub(crate) throttled: u64,
    /// The most arrivals in any window, rejected ones included.
    pub(crate) largest: u64,
    pub(crate) writes: u64,
    pub(crate) reads: u64,
}

impl Platform {
    /// Starts both and stores what a deployment has.
    pub(crate) async fn start(options: &Options) -> Result<Self, Failure> {
        let simulator = Role::Simulator { clock: options.clock };
        let (aws, simulator) =
            tokio::try_join!(Process::start(&Role::Aws, &[]), Process::start(&simulator, &[]))?;
        let (aws_url, simulator_url) = (addresses(&aws.greeting)?, addresses(&simulator.greeting)?);
        let cloud = Cloud::open(&Args::try_parse_from(["trunkline", "--aws", &aws_url[1]])?).await?;
        cloud.secrets(Some(&RingCentralAccess::demo(simulator_url[0].clone()))).await?;
        let key = cloud.access_key.as_ref().map(|key| key.expose().to_owned()).unwrap_or_default();
        let wiring = Wiring::new(&cloud.sdk, cloud.config("http://127.0.0.1".to_owned())?, clock::system())?;
        let http = reqwest::Client::builder().no_proxy().build()?;
        let client = wiring.ringcentral();
        Ok(Self {
            _aws: aws,
            _simulator: simulator,
            aws_url,
            simulator_url,
            key,
            http,
            client,
            patience: options.real(options.patience),
            clock_error: options.clock_error,
        })
    }

    /// What a container finds in its environment.
    pub(crate) fn environment(&self) -> [(&'static str, String); 9] {
        [
            ("AWS_ENDPOINT_URL", self.aws_url[0].clone()),
            ("AWS_REGION", embedded_aws::REGION.to_owned()),
            ("AWS_ACCESS_KEY_ID", self.key.clone()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ("TRUNKLINE_TABLES", PREFIX.to_owned()),
            ("TRUNKLINE_SECRETS", PREFIX.to_owned()),
            ("TRUNKLINE_PUBLIC_URL", "http://127.0.0.1".to_owned()),
            ("CLOCK_ERROR_MS", self.clock_error.to_string()),
            ("GATE_PATIENCE_MS", self.patience.as_millis().to_string()),
        ]
    }

    /// Where RingCentral is.
    pub(crate) fn simulator_url(&self) -> &str {
        &self.simulator_url[0]
    }

    /// Lets the fleet learn what RingCentral announces, by one request.
    pub(crate) async fn teach(&self, operation: &'static Operation) -> Result<(), Failure> {
        self.client.call(&TENANT.parse()?, &worker::request(operation)).await?;
        Ok(())
    }

    /// The stored window of a group.
    pub(crate) async fn window(&self, group: &str) -> Result<Window, Failure> {
        let windows = self.client.limits(&TENANT.parse()?).await?;
        let found = windows.into_iter().find(|(one, _)| one.as_str() == group);
        Ok(found.ok_or("no such group")?.1)
    }

    /// What has been counted so far.
    pub(crate) async fn counts(&self, bucket: Bucket) -> Result<Counts, Failure> {
        let (aws, simulator) = tokio::try_join!(
            self.get(format!("{}/_aws/stats", self.aws_url[1])),
            self.get(format!("{}/_sim/stats", self.simulator_url[1])),
        )?;
        let buckets = simulator["buckets"].as_array().map(Vec::as_slice).unwrap_or_default();
        let of = |name: &str| {
            let found = buckets.iter().find(|one| one["group"] == bucket.group);
            found.and_then(|one| one[name].as_u64()).unwrap_or(0)
        };
        let dynamodb = |operations: &[&str]| {
            let count =
                |name: &&str| aws["requests"][format!("DynamoDB_20120810.{name}")].as_u64().unwrap_or(0);
            operations.iter().map(count).sum()
        };
        Ok(Counts {
            at: now(),
            accepted: of("accepted"),
            rejected: of("rejected"),
            throttled: simulator["throttled"].as_u64().unwrap_or(0),
            largest: of("arrivals_largest_in_window"),
            writes: dynamodb(&WRITES),
            reads: dynamodb(&READS),
        })
    }

    /// Makes requests take longer, as the options say: all to the AWS, and those of the bucket to RingCentral.
    pub(crate) async fn slow_down(&self, bucket: Bucket, options: &Options) -> Result<(), Failure> {
        let latency = json!({ "latency_ms": { "*": options.store_latency } });
        self.post(format!("{}/_aws/faults", self.aws_url[1]), latency).await?;
        if options.answer_latency == 0 {
            return Ok(());
        }
        let operation = json!({ "operation": bucket.operation.id });
        let slow = json!({ "kind": "slow", "delay_ms": options.answer_latency, "match": operation });
        self.post(format!("{}/_sim/faults", self.simulator_url[1]), slow).await
    }

    /// Changes a limit of RingCentral's.
    pub(crate) async fn set_limit(&self, group: &str, limit: u32) -> Result<(), Failure> {
        self.post(format!("{}/_sim/limits", self.simulator_url[1]), json!({ group: { "limit": limit } }))
            .await
    }

    /// Has RingCentral answer the next request of this operation with a 429; returns when that has happened.
    pub(crate) async fn penalise(&self, bucket: Bucket) -> Result<Millis, Failure> {
        let before = self.counts(bucket).await?.throttled;
        let fault = json!({ "kind": "force_429", "count": 1, "match": { "operation": bucket.operation.id } });
        self.post(format!("{}/_sim/faults", self.simulator_url[1]), fault).await?;
        loop {
            let counts = self.counts(bucket).await?;
            if counts.throttled > before {
                return Ok(counts.at);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn get(&self, url: String) -> Result<Value, Failure> {
        Ok(self.http.get(url).send().await?.error_for_status()?.json().await?)
    }

    async fn post(&self, url: String, body: Value) -> Result<(), Failure> {
        self.http.post(url).json(&body).send().await?.error_for_status()?;
        Ok(())
    }
}

/// What a process announced: its URL, and the same with the key as the user.
fn addresses(greeting: &str) -> Result<[String; 2], Failure> {
    let (url, key) = greeting.split_once(' ').ok_or("a greeting without a key")?;
    Ok([url.to_owned(), url.replacen("://", &format!("://{key}@"), 1)])
}

/// The wiring of a container: everything from its environment, as a Lambda function has it.
pub(crate) async fn wiring() -> Result<Wiring, Failure> {
    let http = context::Wire::loopback()?;
    let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http).load().await;
    Ok(Wiring::new(&sdk, Config::from_env()?, clock::system())?)
}

/// Milliseconds since the epoch, the same for every process of this machine.
pub(crate) fn now() -> Millis {
    clock::Clock::now(&clock::System)
}
