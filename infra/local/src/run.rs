//! Start, announce, serve, stop.

use std::{io::Write, net::Ipv4Addr, path::Path};

use context::WiringError;
use ringcentral::RingCentral;
use secrecy::ExposeSecret;
use simulator::Simulator;
use tokio::net::TcpListener;
use trunkline_http::{Claims, Role, TokenKeySource, TokenKeys};

use crate::{
    Args, Aws, Cloud, CloudError, CredentialsError, Gateway, RingCentralAccess, Schedule, TENANT, settings,
    stop::Stop, tenants::SIMULATED_USERS,
};

/// A gateway that can't run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A port is taken, or a file can't be written.
    #[error("{0}")]
    Io(String, #[source] std::io::Error),
    /// Variables of the environment make no sense.
    #[error("{0}")]
    Settings(String),
    /// The AWS can't be used.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The credentials are not right.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The functions can't be wired.
    #[error(transparent)]
    Wiring(#[from] WiringError),
    /// It was told to end in the middle of requests.
    #[error(
        "ended at once; what was under way may have been sent to RingCentral without its outcome being known"
    )]
    Forced,
    /// The development token can't be issued.
    #[error("the development token can't be issued: {0}")]
    Token(String),
}

fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> RunError {
    let what = what.into();
    move |error| RunError::Io(what, error)
}

/// Runs the gateway until it is interrupted.
///
/// # Errors
/// [`RunError`].
pub async fn run(args: Args) -> Result<(), RunError> {
    let variables: Vec<(String, String)> = settings::variables();
    let wrong = settings::wrong(&variables);
    if !wrong.is_empty() {
        return Err(RunError::Settings(wrong.join("; ")));
    }
    loopback::private_folder(&args.data).map_err(io(format!("{} can't be made", args.data.display())))?;
    let listener = listen(args.port, "--port").await?;
    let port = listener.local_addr().map_err(io("the port can't be read"))?.port();
    let here = format!("http://127.0.0.1:{port}");
    let cloud = Cloud::open(&args).await?;
    let (access, simulator) = ringcentral(&args).await?;
    let own_credentials = access.as_ref().is_some_and(|access| !access.is_demo());
    cloud.secrets(access.as_ref()).await?;
    let public_url = args.public_url.clone().map_or_else(|| here.clone(), String::from);
    let gateway = Gateway::new(&cloud, public_url, clock::system()).await?;
    let keys = gateway.wiring.secrets().token_keys().await.map_err(WiringError::from)?;
    write_secret(&args.data.join("dev-token"), token(&keys)?.expose_secret())?;
    if let Some(url) = &cloud.url {
        write_secret(&args.data.join("aws-endpoint"), url)?;
    }
    if let Some(key) = &cloud.access_key {
        write_secret(&args.data.join(embedded_aws::ACCESS_KEY_FILE), key.expose())?;
    }
    let endpoint = args.data.join("simulator-endpoint");
    match &simulator {
        Some(simulator) => write_secret(&endpoint, &simulator.admin_url())?,
        // What an earlier start has left leads nowhere.
        None => drop(std::fs::remove_file(&endpoint)),
    }
    let events = tokio::spawn(gateway.events.run());
    let schedule = Schedule::new(gateway.renewal, clock::system(), args.renewal_schedule);
    let renewals = tokio::spawn(schedule.run());
    announce(&args, &here, &cloud, access.as_ref(), simulator.as_ref());
    if own_credentials {
        // Whoever waits for a RingCentral that hangs can use what needs none.
        tokio::spawn(try_out(gateway.wiring.ringcentral()));
    }
    let (stop, handlers) = (Stop::listen(gateway.handlers.clone()), gateway.handlers);
    let serving = async {
        let served = axum::serve(listener, gateway.router).with_graceful_shutdown(stop.clone().asked()).await;
        // Whose callers have hung up finish too.
        handlers.close();
        handlers.wait().await;
        served.map_err(io("the gateway can't serve"))
    };
    let served = tokio::select! {
        served = serving => served,
        // As a kill would: what was acknowledged is stored.
        () = stop.clone().forced() => return Err(RunError::Forced),
    };
    events.abort();
    renewals.abort();
    if let Some(embedded) = cloud.embedded {
        embedded.shutdown().await;
    }
    served
}

async fn listen(port: u16, option: &str) -> Result<TcpListener, RunError> {
    let taken = io(format!("port {port} on 127.0.0.1 can't be used; choose another with {option}"));
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(taken)
}

/// The simulated RingCentral of this process.
#[derive(Debug)]
struct Simulated {
    url: String,
    key: simulator::Key,
}

impl Simulated {
    /// Its URL with the key of the admin endpoints, as curl takes it.
    fn admin_url(&self) -> String {
        self.url.replacen("://", &format!("://admin:{}@", self.key.expose()), 1)
    }
}

/// Which RingCentral, and who we are there. `None`: whatever the shared AWS says already.
async fn ringcentral(args: &Args) -> Result<(Option<RingCentralAccess>, Option<Simulated>), RunError> {
    let found = RingCentralAccess::find(|name| std::env::var(name).ok(), Path::new("."))?;
    match (&args.ringcentral, found) {
        (Some(url), found) => {
            let url = url.to_string();
            let access = found.unwrap_or_else(|| RingCentralAccess::demo(url.clone()));
            Ok((Some(RingCentralAccess { server_url: url, ..access }), None))
        }
        (None, Some(access)) => Ok((Some(access), None)),
        (None, None) if matches!(args.aws, Some(Aws::At { .. } | Aws::Real)) => Ok((None, None)),
        (None, None) => {
            let listener = listen(args.simulator_port, "--simulator-port").await?;
            let url = format!("http://{}", listener.local_addr().map_err(io("the port can't be read"))?);
            let simulator = Simulator::new(simulator::Config {
                seed: args.simulator_seed,
                clock: simulator::Clock::scaled(args.simulator_clock),
                kept_in: Some(args.data.join("simulator.json")),
                more_credentials: (2..=SIMULATED_USERS)
                    .map(simulator::Credentials::demo_user)
                    .chain([simulator::Credentials::demo_rotated()])
                    .collect(),
                ..simulator::Config::default()
            });
            let simulated = Simulated { url: url.clone(), key: simulator.admin_key().clone() };
            tokio::spawn(async move { simulator.serve(listener).await });
            Ok((Some(RingCentralAccess::demo(url)), Some(simulated)))
        }
    }
}

/// An admin token of the one tenant, for ten years: it opens nothing but this machine's gateway.
fn token(keys: &TokenKeys) -> Result<secrecy::SecretString, RunError> {
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    let tenant =
        TENANT.parse().map_err(|error: tenant::InvalidTenantId| RunError::Token(error.to_string()))?;
    let claims = Claims::new("developer", tenant, Role::Admin, now + 315_360_000);
    keys.issue(&claims).map_err(|error| RunError::Token(error.to_string()))
}

/// Writes a file that only its owner can read.
fn write_secret(path: &Path, text: &str) -> Result<(), RunError> {
    loopback::write_private(path, text).map_err(io(format!("{} can't be written", path.display())))
}

/// Tells whether RingCentral takes the credentials, before somebody's first request does.
async fn try_out(ringcentral: RingCentral) {
    let Ok(tenant) = TENANT.parse() else { return };
    let told = match ringcentral.ping(&tenant).await {
        Ok(()) => "accepts the credentials".to_owned(),
        Err(error) => format!("{} (trunkline doctor says what to do)", telemetry::chain(&error)),
    };
    let _ = std::io::stdout().write_all(format!("  {:<12} {told}\n", "ringcentral").as_bytes());
}

fn announce(
    args: &Args,
    here: &str,
    cloud: &Cloud,
    access: Option<&RingCentralAccess>,
    simulator: Option<&Simulated>,
) {
    let mut text = format!("Trunkline is ready at {here} (docs: {here}/docs)\n");
    let mut line = |name: &str, value: &str| text.push_str(&format!("  {name:<12} {value}\n"));
    line("token", &args.data.join("dev-token").display().to_string());
    line("aws", cloud.url.as_deref().unwrap_or("the account in the environment"));
    match (simulator, access) {
        (Some(Simulated { url, .. }), _) => {
            let file = args.data.join("simulator-endpoint");
            line(
                "ringcentral",
                &format!("simulated at {url} (levers: curl \"$(cat {})/_sim/\")", file.display()),
            );
        }
        (None, Some(access)) => line("ringcentral", &access.server_url),
        (None, None) => line("ringcentral", "as stored in the shared AWS"),
    }
    let token = format!("$(cat {})", args.data.join("dev-token").display());
    line("try", &format!("curl -H \"Authorization: Bearer {token}\" \"{here}/api/extensions?perPage=2\""));
    // Whoever closed our output does not want to read this.
    let _ = std::io::stdout().write_all(text.as_bytes());
}
