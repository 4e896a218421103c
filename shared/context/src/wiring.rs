//! Clients, built once for each process.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::SdkConfig;
use clock::{Bounded, SharedClock};
use events::Processor;
use gate::Gate;
use queues::DeliveryQueue;
use ringcentral::{HttpEndpoint, RingCentral, Session};
use tables::{EventTable, RequestTable, Tables, TokenTable, WindowTable};
use trunkline_http::{Access, Idempotency, TokenKeySource, TokenKeysError};

use crate::{Config, ConfigError, Secrets, Service, Wire, WireError, aws, doors::Doors, tls::TlsError, wire};

/// A process that can't start.
#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// The environment is not right.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The HTTP client could not be built.
    #[error(transparent)]
    Http(#[from] WireError),
    /// The secret that bearer tokens are signed with can't be read.
    #[error(transparent)]
    Auth(#[from] TokenKeysError),
}

impl From<TlsError> for WiringError {
    fn from(error: TlsError) -> Self {
        Self::Http(error.into())
    }
}

impl From<reqwest::Error> for WiringError {
    fn from(error: reqwest::Error) -> Self {
        Self::Http(error.into())
    }
}

/// The wiring of one process. Everything it hands out shares its clients.
///
/// What nobody asks for is not built, and a function that never asks for it does not even contain it: an eighth of the receiver
/// would be code that it can't reach.
#[derive(Debug, Clone)]
pub struct Wiring {
    /// The configuration it was built from.
    pub config: Config,
    /// The clock everything is measured with.
    pub clock: SharedClock,
    authority: Bounded,
    sdk: SdkConfig,
    http: reqwest::Client,
    secrets: Secrets,
    built: Arc<Built>,
    doors: Option<Doors>,
}

#[derive(Debug, Default)]
struct Built {
    tables: OnceLock<Tables>,
    ringcentral: OnceLock<RingCentral>,
    deliveries: OnceLock<DeliveryQueue>,
}

impl Wiring {
    /// The wiring of a Lambda function: everything from its environment.
    ///
    /// # Errors
    /// [`WiringError`].
    pub fn from_env() -> Result<Self, WiringError> {
        let wire = Wire::new()?;
        let sdk = aws::from_env(wire.clone())?;
        let wiring = Self::new(&sdk, Config::from_env()?, clock::system())?;
        Ok(Self { doors: Some(Doors::new(wire, sdk)), ..wiring })
    }

    /// Reads the secret of bearer tokens, so that a process that can't read it does not start and the first request does not wait
    /// for it; connects to the tables if they are needed; and builds a function while the answers are on their way.
    ///
    /// # Errors
    /// [`WiringError::Auth`] if the secret can't be read.
    pub async fn start<T>(&self, tables: bool, build: impl FnOnce(&Self) -> T) -> Result<T, WiringError> {
        let connect = async {
            if tables {
                self.open(Service::DynamoDb).await;
            }
        };
        let build = async {
            // The others get as far as they come without an answer.
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
            build(self)
        };
        let (secret, (), built) = tokio::join!(self.secrets.token_keys(), connect, build);
        secret?;
        Ok(built)
    }

    /// Connects to a service, so that the first request that matters finds a connection. Only a Lambda function does: on one
    /// machine there is nothing to gain.
    pub async fn open(&self, service: Service) {
        if let Some(doors) = &self.doors {
            doors.open(service).await;
        }
    }

    /// The wiring over an AWS, real or embedded.
    ///
    /// # Errors
    /// [`WiringError`] if the HTTP client can't be built.
    pub fn new(sdk: &SdkConfig, config: Config, clock: SharedClock) -> Result<Self, WiringError> {
        // A webhook must be answered within 3 s, an API call within 30 s: nothing may hang on a store.
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(Duration::from_millis(1_200))
            .operation_timeout(Duration::from_millis(2_500))
            .build();
        let retry =
            RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::from_millis(50));
        let sdk = sdk.to_builder().timeout_config(timeouts).retry_config(retry).build();
        let authority = Bounded::new(clock.clone(), config.clock_error);
        let secrets = Secrets::new(&sdk, &config.secrets, clock.clone());
        let http = wire::client(Duration::from_secs(3))?
            .user_agent(concat!("Trunkline/", env!("CARGO_PKG_VERSION")))
            .proxy(proxy())
            .build()?;
        Ok(Self { config, clock, authority, sdk, http, secrets, built: Arc::default(), doors: None })
    }

    /// The client of RingCentral.
    #[must_use]
    pub fn ringcentral(&self) -> RingCentral {
        self.built.ringcentral.get_or_init(|| self.build_ringcentral()).clone()
    }

    fn build_ringcentral(&self) -> RingCentral {
        let authority = || self.authority.clone();
        let gate = Gate::new(Arc::new(WindowTable::new(self.tables())), authority(), self.config.circuit);
        let tokens = Arc::new(TokenTable::new(self.tables()));
        let endpoint = Arc::new(HttpEndpoint::new(self.http.clone(), self.clock.clone()));
        let session = Session::new(tokens, authority(), gate.clone(), endpoint, self.config.calls.retry);
        let credentials = Arc::new(self.secrets.clone());
        RingCentral::new(self.http.clone(), gate, session, credentials, self.clock.clone(), self.config.calls)
    }

    /// The check of bearer tokens.
    #[must_use]
    pub fn access(&self) -> Access {
        Access::new(Arc::new(self.secrets.clone()))
    }

    /// The idempotency of POST requests.
    #[must_use]
    pub fn idempotency(&self) -> Idempotency {
        Idempotency::new(Arc::new(RequestTable::new(self.tables())), self.clock.clone())
    }

    /// The tables.
    #[must_use]
    pub fn tables(&self) -> Tables {
        let build = || {
            let (sdk, authority) = (self.sdk.clone(), self.authority.clone());
            Tables::new(move || tables::client(&sdk, authority), &self.config.tables)
        };
        self.built.tables.get_or_init(build).clone()
    }

    /// Secrets: a tenant's credentials and webhook keys.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        self.secrets.clone()
    }

    /// Processed events and telephony sessions.
    #[must_use]
    pub fn events(&self) -> EventTable {
        EventTable::new(self.tables(), self.clock.clone(), self.config.event_retention_days)
    }

    /// The processing of deliveries.
    #[must_use]
    pub fn processor(&self) -> Processor {
        Processor::new(Arc::new(self.events()), self.clock.clone())
    }

    /// The queue of deliveries.
    #[must_use]
    pub fn deliveries(&self) -> DeliveryQueue {
        let build = || {
            let sdk = self.sdk.clone();
            let client = move || aws_sdk_sqs::Client::new(&sdk);
            DeliveryQueue::new(client, &self.config.events_queue, self.config.dead_letters.clone())
        };
        self.built.deliveries.get_or_init(build).clone()
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
    let sdk = sdk.clone();
    Tables::new(move || aws_sdk_dynamodb::Client::new(&sdk), prefix)
}
