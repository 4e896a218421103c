//! The AWS of one machine: the embedded one or another, with the tables, queues and secrets a deployment would have.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::types::QueueAttributeName;
use context::{Config, Wire, WireError};
use embedded_aws::{ACCESS_KEY_FILE, Clock, EmbeddedAws, Options, StartError};
use loopback::Key;
use rand::RngExt;
use serde_json::{Value, json};
use std::path::Path;
use trunkline_http::TokenKeys;

use crate::{
    Args, Aws, RingCentralAccess,
    cloud_key::{self, KeyError},
    event_source::VISIBILITY_SECONDS,
    tenants,
};

/// Names of tables, queues and secrets begin with this.
pub const PREFIX: &str = "trunkline";
/// The tenant of one machine.
pub const TENANT: &str = "default";
/// A delivery that failed this often goes to the dead letters.
const RECEIVES: u32 = 5;

/// An AWS that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// The embedded one can't start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Its key can't be found.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The one that `--aws` names can't be used.
    #[error(
        "--aws {place} can't be used; is it the URL in another gateway's <data>/aws-endpoint, or `real` with an account in the environment?"
    )]
    Named {
        /// What was given.
        place: String,
        /// What happened.
        #[source]
        cause: Box<CloudError>,
    },
    /// A command needs what a gateway has left, and there is nothing.
    #[error("{0}")]
    NoData(String),
    /// The way to it can't be built.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A table, queue or secret can't be made.
    #[error("the AWS does not take our {0}")]
    Prepare(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
}

pub(crate) fn prepare<E: std::error::Error + Send + Sync + 'static>(
    what: &'static str,
) -> impl Fn(E) -> CloudError {
    move |error| CloudError::Prepare(what, Box::new(error))
}

fn named(place: &str) -> impl FnOnce(CloudError) -> CloudError {
    move |cause| CloudError::Named { place: place.to_owned(), cause: Box::new(cause) }
}

/// An AWS, ready to be used.
#[derive(Debug)]
pub struct Cloud {
    /// How the SDK reaches it.
    pub sdk: SdkConfig,
    /// Its URL, if it is not the real one.
    pub url: Option<String>,
    /// The access key id it asks for, if it is an embedded one.
    pub access_key: Option<Key>,
    /// The queue of deliveries.
    pub events_queue: String,
    /// The queue of what can't be processed.
    pub dead_letters: String,
    /// The embedded one, kept running by this.
    pub embedded: Option<EmbeddedAws>,
}

impl Cloud {
    /// Starts or finds the AWS the arguments ask for and makes what is missing in it.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn open(args: &Args) -> Result<Self, CloudError> {
        match &args.aws {
            Some(Aws::Real) => {
                let search = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(Wire::new()?);
                Self::prepared(search.load().await, None, None, None).await.map_err(named("real"))
            }
            Some(Aws::At { url, key }) => {
                let key = match key {
                    Some(key) => Some(key.clone()),
                    None => cloud_key::find(url).await?,
                };
                Self::prepared(reached(url, key.as_ref())?, Some(url.clone()), key, None)
                    .await
                    .map_err(named(url))
            }
            None => {
                let options = Options { data: Some(args.data.clone()), clock: Clock::real(), port: 0 };
                let embedded = EmbeddedAws::start(options).await?;
                Self::over(embedded).await
            }
        }
    }

    /// Takes an embedded AWS that is running.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn over(embedded: EmbeddedAws) -> Result<Self, CloudError> {
        let (url, key) = (embedded.url().to_owned(), embedded.access_key().clone());
        Self::prepared(reached(&url, Some(&key))?, Some(url), Some(key), Some(embedded)).await
    }

    async fn prepared(
        sdk: SdkConfig,
        url: Option<String>,
        access_key: Option<Key>,
        embedded: Option<EmbeddedAws>,
    ) -> Result<Self, CloudError> {
        context::tables(&sdk, PREFIX).create().await.map_err(prepare("tables"))?;
        let (events_queue, dead_letters) = queues(&sdk).await?;
        Ok(Self { sdk, url, access_key, events_queue, dead_letters, embedded })
    }

    /// The configuration of a gateway over this AWS.
    ///
    /// # Errors
    /// [`context::ConfigError`] names a variable of the environment that makes no sense.
    pub fn config(&self, public_url: String) -> Result<Config, context::ConfigError> {
        let given = |name: &str| match name {
            "TRUNKLINE_TABLES" | "TRUNKLINE_SECRETS" => Some(PREFIX.to_owned()),
            "TRUNKLINE_TENANTS" => Some(TENANT.to_owned()),
            "TRUNKLINE_PUBLIC_URL" => Some(public_url.clone()),
            "EVENTS_QUEUE_URL" => Some(self.events_queue.clone()),
            "EVENTS_DEAD_LETTER_QUEUE_URL" => Some(self.dead_letters.clone()),
            // One machine has one clock.
            "CLOCK_ERROR_MS" if self.url.is_some() => {
                Some(std::env::var(name).unwrap_or_else(|_| "0".to_owned()))
            }
            name => std::env::var(name).ok(),
        };
        Config::read(given)
    }

    /// Stores the secrets a gateway needs: what exists stays, but for RingCentral's credentials if new ones are given.
    ///
    /// # Errors
    /// [`CloudError::Prepare`].
    pub async fn secrets(&self, ringcentral: Option<&RingCentralAccess>) -> Result<(), CloudError> {
        let client = aws_sdk_secretsmanager::Client::new(&self.sdk);
        store(&client, "auth", |known| known.unwrap_or_else(|| json!({ "hs256": random() }))).await?;
        tenants::keep(&client, TENANT, ringcentral).await?;
        match ringcentral {
            Some(access) => tenants::follow(&client, access).await,
            None => Ok(()),
        }
    }

    /// Every tenant that has a secret, `default` first.
    ///
    /// # Errors
    /// [`CloudError::Prepare`].
    pub async fn tenants(&self) -> Result<Vec<String>, CloudError> {
        tenants::all(&aws_sdk_secretsmanager::Client::new(&self.sdk)).await
    }

    /// The keys of bearer tokens.
    ///
    /// # Errors
    /// [`CloudError::Prepare`] if there are none, or they can't be read.
    pub(crate) async fn token_keys(&self) -> Result<TokenKeys, CloudError> {
        let client = aws_sdk_secretsmanager::Client::new(&self.sdk);
        let keys = read(&client, "auth").await?.unwrap_or_default();
        // What serde says could quote the key.
        serde_json::from_value(keys)
            .map_err(|_| CloudError::NoData("there is no signing key of at least 32 bytes yet".to_owned()))
    }

    /// The AWS of a data folder, for a command beside the gateway: that of the process that has the folder, or one opened for this
    /// command.
    ///
    /// # Errors
    /// [`CloudError`].
    pub async fn of_folder(data: &Path) -> Result<Self, CloudError> {
        let shared = || {
            let url = std::fs::read_to_string(data.join("aws-endpoint")).ok()?;
            let key = Key::read(&data.join(ACCESS_KEY_FILE)).ok();
            Some((url.trim().to_owned(), key))
        };
        let reach = async |(url, key): (String, Option<Key>)| {
            Self::prepared(reached(&url, key.as_ref())?, Some(url), key, None).await
        };
        if data.join("secrets.db").exists() {
            let options = Options { data: Some(data.to_owned()), clock: Clock::real(), port: 0 };
            return match (EmbeddedAws::start(options).await, shared()) {
                (Ok(embedded), _) => Self::over(embedded).await,
                (Err(StartError::InUse { .. }), Some(shared)) => reach(shared).await,
                (Err(error), _) => Err(error.into()),
            };
        }
        match shared() {
            Some(shared) => reach(shared).await,
            None => Err(CloudError::NoData(format!(
                "{} is the data folder of no gateway: start `trunkline` with it once, or name another with --data",
                data.display()
            ))),
        }
    }

    /// Gives the folder up, if this process has it.
    pub(crate) async fn close(self) {
        if let Some(embedded) = self.embedded {
            embedded.shutdown().await;
        }
    }
}

/// What is known of a secret.
pub(crate) async fn read(
    client: &aws_sdk_secretsmanager::Client,
    name: &str,
) -> Result<Option<Value>, CloudError> {
    match client.get_secret_value().secret_id(format!("{PREFIX}/{name}")).send().await {
        Ok(output) => Ok(serde_json::from_str(output.secret_string().unwrap_or_default()).ok()),
        Err(error) => match error.into_service_error() {
            error if error.is_resource_not_found_exception() => Ok(None),
            error => Err(prepare("secrets")(error)),
        },
    }
}

/// Makes a secret of what is known of it, and writes it only if that changes it.
pub(crate) async fn store(
    client: &aws_sdk_secretsmanager::Client,
    name: &str,
    make: impl Fn(Option<Value>) -> Value,
) -> Result<(), CloudError> {
    let id = format!("{PREFIX}/{name}");
    let known = read(client, name).await?;
    let wanted = make(known.clone());
    if known.as_ref() == Some(&wanted) {
        return Ok(());
    }
    let text = wanted.to_string();
    if known.is_some() {
        return client
            .put_secret_value()
            .secret_id(&id)
            .secret_string(text)
            .send()
            .await
            .map(drop)
            .map_err(prepare("secrets"));
    }
    match client.create_secret().name(&id).secret_string(text).send().await {
        Ok(_) => Ok(()),
        // Another process that starts at the same moment was first.
        Err(error) => match error.into_service_error() {
            error if error.is_resource_exists_exception() => Ok(()),
            error => Err(prepare("secrets")(error)),
        },
    }
}

async fn queues(sdk: &SdkConfig) -> Result<(String, String), CloudError> {
    let client = aws_sdk_sqs::Client::new(sdk);
    let dead = client.create_queue().queue_name(format!("{PREFIX}-events-dlq")).send().await;
    let dead = dead.map_err(prepare("queues"))?.queue_url.unwrap_or_default();
    let arn = client
        .get_queue_attributes()
        .queue_url(&dead)
        .attribute_names(QueueAttributeName::QueueArn)
        .send()
        .await;
    let attributes = arn.map_err(prepare("queues"))?.attributes.unwrap_or_default();
    let arn = attributes.get(&QueueAttributeName::QueueArn).cloned().unwrap_or_default();
    let redrive = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": RECEIVES }).to_string();
    let queue = client
        .create_queue()
        .queue_name(format!("{PREFIX}-events"))
        .attributes(QueueAttributeName::VisibilityTimeout, VISIBILITY_SECONDS.to_string())
        .attributes(QueueAttributeName::RedrivePolicy, redrive)
        .send()
        .await;
    Ok((queue.map_err(prepare("queues"))?.queue_url.unwrap_or_default(), dead))
}

/// The SDK for an AWS on loopback. One that has no key of its own takes any.
fn reached(url: &str, key: Option<&Key>) -> Result<SdkConfig, WireError> {
    let key = key.map_or("local", Key::expose);
    let credentials = aws_sdk_sqs::config::Credentials::new(key, "local", None, None, "one machine");
    let provider = aws_sdk_sqs::config::SharedCredentialsProvider::new(credentials);
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(embedded_aws::REGION))
        .credentials_provider(provider)
        .endpoint_url(url)
        // No proxy of the environment between two ports of one machine.
        .http_client(Wire::loopback()?);
    Ok(config.build())
}

/// A secret that no other was before.
pub(crate) fn random() -> String {
    hex::encode(rand::rng().random::<[u8; 32]>())
}
