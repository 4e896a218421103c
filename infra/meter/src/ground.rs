//! What functions stand on while they are measured: an embedded AWS, a simulated RingCentral, and payloads to work on.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use context::Wiring;
use embedded_aws::{EmbeddedAws, Options};
use events::SigningKeySource;
use secrecy::ExposeSecret;
use serde_json::Value;
use simulator::{Config, Limit, Limits, Simulator};
use tenant::TenantId;
use tokio::{net::TcpListener, task::JoinSet};
use trunkline::{Cloud, PREFIX, RingCentralAccess, TENANT};
use trunkline_http::{Claims, Role, TokenKeySource};

use crate::{
    error::{MeterError, ground, io},
    tls::Doors,
};

/// The ground of one run.
pub(crate) struct Ground {
    cloud: Cloud,
    simulator: Simulator,
    endpoint: String,
    authority: Option<PathBuf>,
    bearer: String,
    verification: String,
    _doors: Option<Doors>,
    _running: JoinSet<()>,
}

/// How often AWS and RingCentral were asked for what.
pub(crate) type Counts = BTreeMap<String, u64>;

impl Ground {
    /// Starts everything. With `doors` it is reached by TLS, as in a deployment.
    pub(crate) async fn lay(doors: Option<Doors>) -> Result<Self, MeterError> {
        // More than any run asks for: it is the functions that are measured, not their patience.
        let many = Limit::per_minute(100_000);
        let limits = Limits { enabled: true, light: many, medium: many, heavy: many, auth: many };
        let simulator = Simulator::new(Config { limits, calls: 50, messages: 20, ..Config::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(io("no port"))?;
        let ringcentral = listener.local_addr().map_err(io("no port"))?;
        let mut running = JoinSet::new();
        let platform = simulator.clone();
        running.spawn(async move {
            // Its end is seen by whoever asks it.
            let _ = platform.serve(listener).await;
        });
        let embedded = EmbeddedAws::start(Options::default()).await.map_err(ground("the embedded AWS"))?;
        let cloud = Cloud::over(embedded).await.map_err(ground("the embedded AWS"))?;
        let plain = cloud.url.clone().unwrap_or_default();
        let (mut doors, mut endpoint, mut platform_url) =
            (doors, plain.clone(), format!("http://{ringcentral}"));
        if let Some(doors) = &mut doors {
            let aws: SocketAddr =
                plain.trim_start_matches("http://").parse().map_err(ground("its address"))?;
            endpoint = doors.before(aws).await.map_err(io("no port"))?;
            platform_url = doors.before(ringcentral).await.map_err(io("no port"))?;
        }
        let access = RingCentralAccess::demo(platform_url);
        cloud.secrets(Some(&access)).await.map_err(ground("secrets"))?;
        let config = cloud.config("http://127.0.0.1".to_owned()).map_err(ground("the configuration"))?;
        let wiring = Wiring::new(&cloud.sdk, config, clock::system()).map_err(ground("the wiring"))?;
        let (bearer, verification) = (bearer(&wiring).await?, verification(&wiring).await?);
        let authority = doors.as_ref().map(|doors| doors.authority.clone());
        Ok(Self {
            cloud,
            simulator,
            endpoint,
            authority,
            bearer,
            verification,
            _doors: doors,
            _running: running,
        })
    }

    /// The environment of a function, as the template gives it.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("AWS_ENDPOINT_URL", self.endpoint.clone()),
            ("AWS_REGION", embedded_aws::REGION.to_owned()),
            (
                "AWS_ACCESS_KEY_ID",
                self.cloud.access_key.as_ref().map_or("local", |key| key.expose()).to_owned(),
            ),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ("TRUNKLINE_TABLES", PREFIX.to_owned()),
            ("TRUNKLINE_SECRETS", PREFIX.to_owned()),
            ("TRUNKLINE_TENANTS", TENANT.to_owned()),
            ("TRUNKLINE_PUBLIC_URL", "https://gateway.example.com".to_owned()),
            ("EVENTS_QUEUE_URL", self.cloud.events_queue.clone()),
            ("EVENTS_DEAD_LETTER_QUEUE_URL", self.cloud.dead_letters.clone()),
        ];
        variables.extend(self.authority.iter().map(|file| ("SSL_CERT_FILE", file.display().to_string())));
        variables
    }

    /// A payload of `events/`, with tokens that hold. Events have an identity of their own for each `turn`.
    pub(crate) fn payload(&self, file: &Path, turn: u32) -> Result<String, MeterError> {
        let text = std::fs::read_to_string(file).map_err(io(file.display().to_string()))?;
        let text = text.replace("DEV_TOKEN", &self.bearer).replace("VERIFICATION_TOKEN", &self.verification);
        Ok(renewed(&text, turn))
    }

    /// What was counted so far, by operation.
    pub(crate) fn counts(&self) -> Counts {
        let aws = self.cloud.embedded.as_ref().map(EmbeddedAws::stats).unwrap_or_default();
        let aws = aws.targets().map(|(target, count)| (target.to_owned(), count));
        let ringcentral = self.simulator.stats().requests.into_iter();
        aws.chain(ringcentral.map(|(operation, count)| (format!("RingCentral.{operation}"), count))).collect()
    }
}

/// Other events: the first eight digits of each one's id become the turn's number.
fn renewed(text: &str, turn: u32) -> String {
    let mark = r#"{\"uuid\":\""#;
    let mut parts = text.split(mark);
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        whole.push_str(&format!("{mark}{turn:08x}{}", part.get(8..).unwrap_or_default()));
    }
    whole
}

fn tenant() -> Result<TenantId, MeterError> {
    TENANT.parse().map_err(ground("the tenant"))
}

async fn bearer(wiring: &Wiring) -> Result<String, MeterError> {
    let claims = Claims::new("meter", tenant()?, Role::Admin, 4_000_000_000);
    let keys = wiring.secrets().token_keys().await.map_err(ground("the secret of bearer tokens"))?;
    Ok(keys.issue(&claims).map_err(ground("a token"))?.expose_secret().to_owned())
}

/// The token of the subscription that the payloads deliver to.
async fn verification(wiring: &Wiring) -> Result<String, MeterError> {
    let file = Path::new("events/receive/delivery.json");
    let text = std::fs::read_to_string(file).map_err(io(file.display().to_string()))?;
    let payload: Value = serde_json::from_str(&text).map_err(ground("the delivery"))?;
    let key = payload["pathParameters"]["subscription"].as_str().unwrap_or_default();
    let key = key.parse().map_err(|()| MeterError::Ground("the delivery", "names no subscription".into()))?;
    let tenant = tenant()?;
    let keys = wiring.secrets().signing_keys(&tenant).await.map_err(ground("the tenant's keys"))?;
    Ok(keys.token(&tenant, &key).expose_secret().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_turn_has_events_of_its_own() {
        let text = r#"{"body": "{\"uuid\":\"5b1f6a0e-2c3d\",\"event\":\"x\"}"} {\"uuid\":\"e1a2b3c4-0001\""#;
        assert_eq!(
            renewed(text, 7),
            r#"{"body": "{\"uuid\":\"00000007-2c3d\",\"event\":\"x\"}"} {\"uuid\":\"00000007-0001\""#
        );
    }
}
