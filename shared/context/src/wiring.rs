//! Clients, built once for each process.

use std::{sync::Arc, time::Duration};

use aws_config::{BehaviorVersion, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use clock::{Bounded, SharedClock};
use events::Processor;
use gate::Gate;
use queues::DeliveryQueue;
use ringcentral::{RingCentral, Session};
use tables::{EventTable, RequestTable, Tables, TokenTable, WindowTable};
use trunkline_http::{Access, Idempotency, TokenKeySource, TokenKeysError};

use crate::{Config, ConfigError, Secrets};

/// A process that can't start.
#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// The environment is not right.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The HTTP client could not be built.
    #[error("the HTTP client can't be built")]
    Http(#[from] reqwest::Error),
    /// The secret that bearer tokens are signed with can't be read.
    #[error(transparent)]
    Auth(#[from] TokenKeysError),
}

/// The wiring of one process. Everything it hands out shares its clients.
#[derive(Debug, Clone)]
pub struct Wiring {
    /// The configuration it was built from.
    pub config: Config,
    /// The clock everything is measured with.
    pub clock: SharedClock,
    tables: Tables,
    secrets: Secrets,
    ringcentral: RingCentral,
    sqs: aws_sdk_sqs::Client,
}

impl Wiring {
    /// The wiring of a Lambda function: everything from its environment.
    ///
    /// # Errors
    /// [`WiringError`].
    pub async fn from_env() -> Result<Self, WiringError> {
        let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12()).load().await;
        Self::new(&sdk, Config::from_env()?, clock::system())
    }

    /// The wiring over an AWS, real or embedded.
    ///
    /// # Errors
    /// [`WiringError`] if the HTTP client can't be built.
    pub fn new(sdk: &SdkConfig, config: Config, clock: SharedClock) -> Result<Self, WiringError> {
        // A webhook must be answered within 3 s, an API call within 30 s: nothing may hang on a store.
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_millis(1_200))
            .operation_timeout(Duration::from_millis(2_500))
            .build();
        let retry =
            RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::from_millis(50));
        let sdk = sdk.to_builder().timeout_config(timeouts).retry_config(retry).build();
        let authority = Bounded::new(clock.clone(), config.clock_error);
        let tables = Tables::new(tables::client(&sdk, authority.clone()), &config.tables);
        let secrets = Secrets::new(aws_sdk_secretsmanager::Client::new(&sdk), &config.secrets, clock.clone());
        let http = reqwest::Client::builder()
            .user_agent(concat!("Trunkline/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(3))
            .redirect(reqwest::redirect::Policy::none())
            .proxy(proxy())
            .build()?;
        let gate = Gate::new(Arc::new(WindowTable::new(tables.clone())), authority, config.circuit);
        let tokens = Arc::new(TokenTable::new(tables.clone()));
        let session = Session::new(tokens, clock.clone(), gate.clone(), http.clone(), config.calls.retry);
        let credentials = Arc::new(secrets.clone());
        let ringcentral = RingCentral::new(http, gate, session, credentials, clock.clone(), config.calls);
        Ok(Self { config, clock, tables, secrets, ringcentral, sqs: aws_sdk_sqs::Client::new(&sdk) })
    }

    /// The client of RingCentral.
    #[must_use]
    pub fn ringcentral(&self) -> RingCentral {
        self.ringcentral.clone()
    }

    /// The check of bearer tokens.
    ///
    /// # Errors
    /// [`WiringError::Auth`] if their secret can't be read.
    pub async fn access(&self) -> Result<Access, WiringError> {
        // Read now, so that a process that can't read it does not start, and the first request does not wait for it.
        self.secrets.token_keys().await?;
        Ok(Access::new(Arc::new(self.secrets.clone())))
    }

    /// The idempotency of POST requests.
    #[must_use]
    pub fn idempotency(&self) -> Idempotency {
        Idempotency::new(Arc::new(RequestTable::new(self.tables.clone())), self.clock.clone())
    }

    /// The tables.
    #[must_use]
    pub fn tables(&self) -> Tables {
        self.tables.clone()
    }

    /// Secrets: a tenant's credentials and webhook keys.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        self.secrets.clone()
    }

    /// Processed events and telephony sessions.
    #[must_use]
    pub fn events(&self) -> EventTable {
        EventTable::new(self.tables.clone(), self.config.event_retention_days)
    }

    /// The processing of deliveries.
    #[must_use]
    pub fn processor(&self) -> Processor {
        Processor::new(Arc::new(self.events()), self.clock.clone())
    }

    /// The queue of deliveries.
    #[must_use]
    pub fn deliveries(&self) -> DeliveryQueue {
        DeliveryQueue::new(self.sqs.clone(), &self.config.events_queue, self.config.dead_letters.clone())
    }
}

/// The environment's proxy, but never for this machine: a simulated RingCentral is not behind one.
fn proxy() -> reqwest::Proxy {
    let variables = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let proxy = variables.iter().find_map(|name| std::env::var(name).ok()).filter(|url| !url.is_empty());
    reqwest::Proxy::custom(move |url| match url.host_str() {
        Some("127.0.0.1" | "localhost" | "[::1]") | None => None,
        Some(_) => proxy.clone(),
    })
}

/// The tables of an AWS, for whoever has to create them.
#[must_use]
pub fn tables(sdk: &SdkConfig, prefix: &str) -> Tables {
    Tables::new(aws_sdk_dynamodb::Client::new(sdk), prefix)
}
