//! The face of the binary, on which scripts rely.

use std::{path::PathBuf, str::FromStr};

use clap::{Parser, Subcommand};
use loopback::Key;

use crate::{Cost, HttpUrl, NewTenant, Rate, Token};

/// The command line: without a command the gateway runs.
#[derive(Debug, Clone, Parser)]
#[command(name = "trunkline", version, args_conflicts_with_subcommands = true, about = ABOUT, long_about = LONG_ABOUT)]
pub struct CommandLine {
    /// What to do instead of running the gateway.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How the gateway runs.
    #[command(flatten)]
    pub args: Args,
}

const ABOUT: &str =
    "Runs the whole gateway on one machine. Without credentials it talks to a simulated RingCentral.";
const LONG_ABOUT: &str = "\
Runs the whole gateway on one machine. Without credentials it talks to a simulated RingCentral.

Credentials are read from RC_SERVER_URL, RC_APP_CLIENT_ID, RC_APP_CLIENT_SECRET and RC_USER_JWT; from Gateway v2's
RC_BASE_URL, RC_CLIENT_ID, RC_CLIENT_SECRET and RC_JWT; or from config/rc_credentials.json.";

/// What else the binary does.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Runs the gateway, as no command does
    #[command(hide = true)]
    Local(Args),
    /// Looks at this set-up and says what is wrong with it
    ///
    /// Takes the options with which the gateway shall run. Ends with 1 if something would keep it from its work.
    Doctor(Args),
    /// Issues a bearer token of the API
    Token(Token),
    /// Adds a tenant to a gateway of this machine
    Tenant(NewTenant),
    /// Tells what a month costs on AWS, line by line
    Cost(Cost),
}

/// Runs the whole gateway on one machine. Without credentials it talks to a simulated RingCentral.
///
/// Credentials are read from RC_SERVER_URL, RC_APP_CLIENT_ID, RC_APP_CLIENT_SECRET and RC_USER_JWT; from Gateway v2's
/// RC_BASE_URL, RC_CLIENT_ID, RC_CLIENT_SECRET and RC_JWT; or from config/rc_credentials.json.
#[derive(Debug, Clone, Parser)]
#[command(name = "trunkline", version)]
pub struct Args {
    /// The gateway's port on loopback; 0 takes any free one
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// Where everything is kept
    #[arg(long, default_value = ".trunkline")]
    pub data: PathBuf,
    /// Use the AWS at this URL (another gateway's, an emulator), or `real`: the account in the environment
    #[arg(long, value_name = "URL")]
    pub aws: Option<Aws>,
    /// Talk to the RingCentral at this URL
    #[arg(long, value_name = "URL")]
    pub ringcentral: Option<HttpUrl>,
    /// Where RingCentral reaches this gateway; the loopback address if missing
    #[arg(long, value_name = "URL")]
    pub public_url: Option<HttpUrl>,
    /// How often subscriptions are looked at and renewed, in the words of EventBridge; first so long after the start
    #[arg(long, default_value = "rate(1 hour)", value_name = "RATE")]
    pub renewal_schedule: Rate,
    /// The simulator's port on loopback; 0 takes any free one
    #[arg(long, default_value_t = 0)]
    pub simulator_port: u16,
    /// The seed of the simulated account
    #[arg(long, default_value_t = 1)]
    pub simulator_seed: u64,
    /// How much faster the simulated time runs: at 10 a window of 60 s lasts 6 s
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    pub simulator_clock: f64,
}

/// How much faster the simulated time may run.
fn speed(text: &str) -> Result<f64, &'static str> {
    let speed = text.parse().ok().filter(|speed| (0.01..=10_000.0).contains(speed));
    speed.ok_or("must be a number from 0.01 to 10000")
}

/// Which AWS to use instead of the embedded one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aws {
    /// The account in the environment.
    Real,
    /// What answers at a URL.
    At {
        /// The URL, without a trailing slash.
        url: String,
        /// Its access key id, where the URL carries one as its user.
        key: Option<Key>,
    },
}

/// A text that names no AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be `real` or a URL such as http://127.0.0.1:PORT, with a key of letters and digits before an @ if it has one"
)]
pub struct InvalidAws;

impl FromStr for Aws {
    type Err = InvalidAws;

    fn from_str(text: &str) -> Result<Self, InvalidAws> {
        if text == "real" {
            return Ok(Self::Real);
        }
        let (scheme, rest) = text.split_once("://").ok_or(InvalidAws)?;
        let (key, host) = match rest.split_once('@') {
            Some((user, host)) => {
                let key = user.split(':').next().unwrap_or_default().parse().map_err(|_| InvalidAws)?;
                (Some(key), host)
            }
            None => (None, rest),
        };
        let url: HttpUrl = format!("{scheme}://{host}").parse().map_err(|_| InvalidAws)?;
        Ok(Self::At { url: url.into(), key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_face_is_what_scripts_rely_on() {
        let args = Args::parse_from([
            "trunkline",
            "--port",
            "0",
            "--aws",
            "http://127.0.0.1:1/",
            "--simulator-clock",
            "10",
        ]);
        let aws = Aws::At { url: "http://127.0.0.1:1".to_owned(), key: None };
        assert_eq!((args.port, args.aws), (0, Some(aws)));
        assert_eq!(args.renewal_schedule, "rate(60 minutes)".parse().unwrap());
        assert_eq!((args.data, args.simulator_clock), (PathBuf::from(".trunkline"), 10.0));
    }

    #[test]
    fn regression_what_makes_no_sense_is_refused_by_the_name_of_its_option() {
        for (option, value) in [
            ("--ringcentral", "nonsense"),
            ("--public-url", "gateway.example.com"),
            ("--aws", "nonsense"),
            ("--renewal-schedule", "rate(1 hours)"),
            ("--simulator-clock", "0"),
            ("--simulator-clock", "inf"),
        ] {
            let refused = CommandLine::try_parse_from(["trunkline", option, value]).unwrap_err().to_string();
            assert!(refused.contains(option), "{refused}");
        }
    }

    #[test]
    fn regression_cost_is_a_command_like_the_others() {
        let refused = CommandLine::try_parse_from(["trunkline", "costs"]).unwrap_err().to_string();
        assert!(refused.contains("'cost'"), "{refused}");
        let help = CommandLine::try_parse_from(["trunkline", "-h"]).unwrap_err().to_string();
        for command in ["doctor", "token", "tenant", "cost"] {
            assert!(help.contains(&format!("  {command}")), "{help}");
        }
        let line = CommandLine::try_parse_from(["trunkline", "--port", "1"]).unwrap();
        assert!(line.command.is_none() && line.args.port == 1);
        let local = CommandLine::try_parse_from(["trunkline", "local", "--port", "1"]).unwrap();
        assert!(matches!(local.command, Some(Command::Local(args)) if args.port == 1));
    }
}
