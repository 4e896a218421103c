//! `trunkline doctor`: looks at what a newcomer gets wrong and says what to do about it.
//!
//! Owns the examination of one set-up, before anything is started or while it runs. It must never change anything, and never show
//! a credential.

mod platform;
mod reach;

use std::{fmt, net::Ipv4Addr, path::Path};

use embedded_aws::StartError;
use tokio::net::TcpListener;

use crate::{Args, Aws, RingCentralAccess, cloud_key, settings};

/// How something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Fine,
    /// Not as it should be: the gateway would not start, or not do its work.
    Wrong,
    /// It could not be looked at, or works with less than it could.
    Open,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// How it was found.
    pub verdict: Verdict,
    /// What was seen.
    pub seen: String,
    /// What to do about it.
    pub advice: Option<String>,
}

impl Finding {
    fn fine(what: &'static str, seen: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Fine, seen: seen.into(), advice: None }
    }

    fn wrong(what: &'static str, seen: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Wrong, seen: seen.into(), advice: Some(advice.into()) }
    }

    fn open(what: &'static str, seen: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Open, seen: seen.into(), advice: None }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Fine => "ok",
            Verdict::Wrong => "WRONG",
            Verdict::Open => "-",
        };
        write!(f, "{verdict:<6} {:<14} {}", self.what, self.seen)?;
        if let Some(advice) = &self.advice {
            write!(f, "\n       {:<14} -> {advice}", "")?;
        }
        Ok(())
    }
}

/// Looks at everything, in the order in which a start would meet it.
pub async fn doctor(args: &Args) -> Vec<Finding> {
    let mut findings = vec![environment()];
    let (held, folder) = folder(args);
    let (runs, port) = port(args, held).await;
    match (held, runs) {
        (true, true) => {
            findings.push(Finding::open("data folder", format!("{}; it is at work", folder.seen)))
        }
        _ => findings.push(folder),
    }
    findings.push(port);
    findings.extend(aws(args).await);
    let found = RingCentralAccess::find(|name| std::env::var(name).ok(), Path::new("."));
    match (found, &args.ringcentral) {
        (Err(error), _) => findings.push(Finding::wrong(
            "credentials",
            error.to_string(),
            "set RC_APP_CLIENT_ID, RC_APP_CLIENT_SECRET and RC_USER_JWT together, or none of them for the simulated RingCentral",
        )),
        (Ok(None), None) => {
            findings.push(Finding::fine("credentials", "none: RingCentral is simulated"));
            findings.extend(simulator_port(args).await);
        }
        (Ok(access), url) => {
            let demo = || RingCentralAccess::demo(String::new());
            let access = access.unwrap_or_else(demo);
            let server_url = url.as_ref().map_or(access.server_url, ToString::to_string);
            findings.extend(platform::examine(&RingCentralAccess { server_url, ..access }).await);
        }
    }
    findings.push(reach::public_url(args).await);
    findings
}

fn environment() -> Finding {
    match settings::wrong(&settings::variables()) {
        wrong if wrong.is_empty() => Finding::fine("environment", "every variable that is set makes sense"),
        wrong => Finding::wrong("environment", wrong.join("; "), "correct or unset what is named"),
    }
}

/// Whether a process has the data folder, and how it was found.
fn folder(args: &Args) -> (bool, Finding) {
    const WHAT: &str = "data folder";
    let path = args.data.display();
    let elsewhere = "choose a folder of your own with --data";
    let free = |finding| (false, finding);
    // The nearest folder that is there is where the others would be made.
    let there = args.data.ancestors().find(|folder| folder.exists() || folder.as_os_str().is_empty());
    let there = there.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !there.is_dir() {
        return free(Finding::wrong(WHAT, format!("{} is a file", there.display()), elsewhere));
    }
    if let Err(error) = tempfile::tempfile_in(there) {
        return free(Finding::wrong(WHAT, format!("{path} can't be written: {error}"), elsewhere));
    }
    match embedded_aws::look_at(&args.data) {
        Err(StartError::InUse { holder, .. }) if args.aws.is_none() => {
            let who = holder.map_or_else(|| "another process".to_owned(), |pid| format!("the process {pid}"));
            let advice = format!(
                "stop it, choose another folder with --data, or share its AWS: --data OTHER --aws \"$(cat {path}/aws-endpoint)\""
            );
            (true, Finding::wrong(WHAT, format!("{path} is in use by {who}"), advice))
        }
        Err(StartError::Folder { source, .. }) => {
            free(Finding::wrong(WHAT, format!("{path} can't be used: {source}"), elsewhere))
        }
        _ => free(Finding::fine(WHAT, format!("{path} can be written and is free"))),
    }
}

/// Whether a gateway answers at the port that may be that of the data folder, and how the port was found.
async fn port(args: &Args, held: bool) -> (bool, Finding) {
    const WHAT: &str = "port";
    let port = args.port;
    let error = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(_) => return (false, Finding::fine(WHAT, format!("{port} is free"))),
        Err(error) => error,
    };
    let other = format!(
        "choose another with --port, or stop what listens there (`ss -ltnp 'sport = :{port}'` names it)"
    );
    if error.kind() != std::io::ErrorKind::AddrInUse {
        return (false, Finding::wrong(WHAT, format!("{port} can't be used: {error}"), other));
    }
    match (reach::is_gateway(&format!("http://127.0.0.1:{port}")).await, held) {
        (true, true) => (true, Finding::open(WHAT, format!("{port}: a gateway answers there"))),
        (true, false) => (
            false,
            Finding::wrong(WHAT, format!("{port}: a gateway with another data folder answers there"), other),
        ),
        (false, _) => (false, Finding::wrong(WHAT, format!("{port} is taken by another program"), other)),
    }
}

async fn simulator_port(args: &Args) -> Option<Finding> {
    let port = args.simulator_port;
    if port == 0 || args.aws.is_some() {
        return None;
    }
    let other = "choose another with --simulator-port, or leave it out: any free one will do";
    Some(match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(_) => Finding::fine("simulator port", format!("{port} is free")),
        Err(error) => Finding::wrong("simulator port", format!("{port} can't be used: {error}"), other),
    })
}

async fn aws(args: &Args) -> Option<Finding> {
    const WHAT: &str = "aws";
    let Some(Aws::At { url, key }) = &args.aws else { return None };
    if key.is_some() {
        return Some(Finding::open(WHAT, format!("{url}, with the key that was given")));
    }
    Some(match cloud_key::find(url).await {
        Ok(Some(_)) => Finding::fine(WHAT, format!("{url} is another gateway's, and its key can be read")),
        Ok(None) => Finding::open(WHAT, format!("{url} answers, and is not another gateway's")),
        Err(error) => {
            let cause = telemetry::chain(&error);
            Finding::wrong(
                WHAT,
                cause,
                "--aws \"$(cat OTHER/aws-endpoint)\" with the data folder of a gateway that runs",
            )
        }
    })
}
