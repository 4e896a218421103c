//! What a deployment sets, each field with the variable it comes from.

use std::{ops::RangeInclusive, time::Duration};

use clock::Millis;
use gate::Policy;
use ringcentral::{RetryPolicy, Settings};
use tenant::TenantId;

/// A variable that is missing or makes no sense.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It must be set.
    #[error("the variable {0} must be set")]
    Missing(&'static str),
    /// It is set to something else than expected.
    #[error("the variable {name} must be {expected}, not {value:?}")]
    Invalid {
        /// Which one.
        name: &'static str,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        value: String,
    },
}

/// The configuration of a deployment.
#[derive(Debug, Clone)]
pub struct Config {
    /// `TRUNKLINE_TABLES`: tables are named `<this>-windows`, `<this>-tokens`, …
    pub tables: String,
    /// `TRUNKLINE_SECRETS`: secrets are named `<this>/auth` and `<this>/tenants/<tenant>`.
    pub secrets: String,
    /// `TRUNKLINE_PUBLIC_URL`: where RingCentral reaches us, without a trailing slash.
    pub public_url: String,
    /// `TRUNKLINE_WEBHOOK_URL`: where RingCentral is told to deliver, if that is not `public_url`; without a trailing slash.
    pub webhook_url: Option<String>,
    /// `TRUNKLINE_TENANTS`: whose subscriptions are renewed, with commas between them; none if missing.
    pub tenants: Vec<TenantId>,
    /// `EVENTS_QUEUE_URL`: deliveries wait here.
    pub events_queue: String,
    /// `EVENTS_DEAD_LETTER_QUEUE_URL`: deliveries that can't be processed end here.
    pub dead_letters: Option<String>,
    /// `EVENT_RETENTION_DAYS`: how long processed events can be read (default 30).
    pub event_retention_days: u32,
    /// `CIRCUIT_BREAKER_THRESHOLD` (default 5 failures in a row) and `CIRCUIT_BREAKER_TIMEOUT` (default 60 s), Gateway v2's names.
    pub circuit: Policy,
    /// `CLOCK_ERROR_MS`: how wrong the clock of a container may be before the tables' stamps tell (default 2000). 0 is right
    /// only where all processes share one machine.
    pub clock_error: Millis,
    /// `RATE_LIMIT_RETRY_ATTEMPTS` (default 3) and `RATE_LIMIT_BACKOFF_MULTIPLIER` (default 1), Gateway v2's names;
    /// `GATE_PATIENCE_MS`: how long an API call waits for its rate slot (default 3000).
    pub calls: Settings,
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::read(|name| std::env::var(name).ok())
    }

    /// Reads variables from anywhere.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let needed = |name: &'static str| variable(name).ok_or(ConfigError::Missing(name));
        Ok(Self {
            tables: needed("TRUNKLINE_TABLES")?,
            secrets: needed("TRUNKLINE_SECRETS")?,
            public_url: needed("TRUNKLINE_PUBLIC_URL")?.trim_end_matches('/').to_owned(),
            webhook_url: variable("TRUNKLINE_WEBHOOK_URL").map(|url| url.trim_end_matches('/').to_owned()),
            tenants: tenants(variable("TRUNKLINE_TENANTS"))?,
            events_queue: variable("EVENTS_QUEUE_URL").unwrap_or_default(),
            dead_letters: variable("EVENTS_DEAD_LETTER_QUEUE_URL"),
            circuit: Policy { threshold: threshold(&variable)?, cool_down: cool_down(&variable)? * 1_000 },
            clock_error: clock_error(&variable)?.into(),
            event_retention_days: retention(&variable)?,
            calls: Self::calls(variable)?,
        })
    }

    /// Looks at every number, so that all that make no sense are named at once.
    ///
    /// # Errors
    /// A [`ConfigError`] for each.
    pub fn check(variable: impl Fn(&str) -> Option<String>) -> Result<(), Vec<ConfigError>> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let numbers = [
            threshold(&variable).map(drop),
            cool_down(&variable).map(drop),
            clock_error(&variable).map(drop),
            retention(&variable).map(drop),
            patience(&variable).map(drop),
            attempts(&variable).map(drop),
            multiplier(&variable).map(drop),
        ];
        let wrong: Vec<_> = numbers.into_iter().filter_map(Result::err).collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// Where RingCentral is told to deliver.
    #[must_use]
    pub fn delivered_to(&self) -> &str {
        self.webhook_url.as_deref().unwrap_or(&self.public_url)
    }

    /// Reads how calls to RingCentral are made.
    ///
    /// # Errors
    /// [`ConfigError`] names the variable.
    pub fn calls(variable: impl Fn(&str) -> Option<String>) -> Result<Settings, ConfigError> {
        Ok(Settings {
            retry: RetryPolicy { attempts: attempts(&variable)?, multiplier: multiplier(&variable)? },
            patience: Duration::from_millis(patience(&variable)?.into()),
            ..Settings::default()
        })
    }
}

fn tenants(list: Option<String>) -> Result<Vec<TenantId>, ConfigError> {
    let Some(list) = list else { return Ok(Vec::new()) };
    let tenants: Result<Vec<_>, _> = list.split(',').map(|tenant| tenant.trim().parse()).collect();
    tenants.map_err(|_| ConfigError::Invalid {
        name: "TRUNKLINE_TENANTS",
        expected: "ids of tenants with commas between them",
        value: list,
    })
}

/// Where variables come from.
trait Variables: Fn(&str) -> Option<String> {}
impl<F: Fn(&str) -> Option<String>> Variables for F {}

fn threshold(variable: &impl Variables) -> Result<u32, ConfigError> {
    number(variable, "CIRCUIT_BREAKER_THRESHOLD", 5, 1..=u32::MAX, "a whole number from 1")
}

fn cool_down(variable: &impl Variables) -> Result<i64, ConfigError> {
    number(variable, "CIRCUIT_BREAKER_TIMEOUT", 60, 0..=86_400, "a number of seconds, up to 86400")
}

fn clock_error(variable: &impl Variables) -> Result<u32, ConfigError> {
    number(variable, "CLOCK_ERROR_MS", 2_000, 0..=u32::MAX, "a number of milliseconds")
}

fn retention(variable: &impl Variables) -> Result<u32, ConfigError> {
    number(variable, "EVENT_RETENTION_DAYS", 30, 1..=36_500, "a number of days, 1 to 36500")
}

fn patience(variable: &impl Variables) -> Result<u32, ConfigError> {
    number(variable, "GATE_PATIENCE_MS", 3_000, 0..=u32::MAX, "a number of milliseconds")
}

fn attempts(variable: &impl Variables) -> Result<u32, ConfigError> {
    number(variable, "RATE_LIMIT_RETRY_ATTEMPTS", 3, 1..=u32::MAX, "a whole number from 1")
}

fn multiplier(variable: &impl Variables) -> Result<f64, ConfigError> {
    number(variable, "RATE_LIMIT_BACKOFF_MULTIPLIER", 1.0, 0.0..=1_000.0, "a number, 0 to 1000")
}

fn number<T: std::str::FromStr + PartialOrd>(
    variable: &impl Variables,
    name: &'static str,
    default: T,
    range: RangeInclusive<T>,
    expected: &'static str,
) -> Result<T, ConfigError> {
    let Some(value) = variable(name) else { return Ok(default) };
    match value.trim().parse() {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => Err(ConfigError::Invalid { name, expected, value }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(changes: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let standard =
            [("TRUNKLINE_TABLES", "t"), ("TRUNKLINE_SECRETS", "t"), ("TRUNKLINE_PUBLIC_URL", "https://x/")];
        Config::read(|name| {
            let of =
                |pairs: &[(&str, &str)]| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
            of(changes).or_else(|| of(&standard))
        })
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        assert!(
            read(&[])
                .is_ok_and(|config| config.public_url == "https://x" && config.calls.retry.attempts == 3)
        );
        let missing = read(&[("TRUNKLINE_TABLES", " ")]).unwrap_err();
        assert_eq!(missing.to_string(), "the variable TRUNKLINE_TABLES must be set");
        let invalid = read(&[("RATE_LIMIT_RETRY_ATTEMPTS", "many")]).unwrap_err();
        assert!(invalid.to_string().contains("RATE_LIMIT_RETRY_ATTEMPTS"), "{invalid}");
    }

    #[test]
    fn regression_a_number_out_of_its_range_is_refused_by_name() {
        for (name, value) in [
            ("CIRCUIT_BREAKER_THRESHOLD", "0"),
            ("CIRCUIT_BREAKER_TIMEOUT", "-1"),
            ("RATE_LIMIT_RETRY_ATTEMPTS", "0"),
            ("RATE_LIMIT_BACKOFF_MULTIPLIER", "NaN"),
            ("EVENT_RETENTION_DAYS", "0"),
        ] {
            let refused = read(&[(name, value)]).unwrap_err();
            assert!(refused.to_string().contains(name), "{refused}");
            let of = |variable: &str| (variable == name).then(|| value.to_owned());
            assert_eq!(Config::check(of).unwrap_err().len(), 1);
        }
    }

    #[test]
    fn ringcentral_delivers_to_the_public_url_unless_another_is_told() {
        assert_eq!(read(&[]).unwrap().delivered_to(), "https://x");
        // As CloudFormation gives the URL of a function.
        let url = ("TRUNKLINE_WEBHOOK_URL", "https://abc.lambda-url.us-east-1.on.aws/");
        assert_eq!(read(&[url]).unwrap().delivered_to(), "https://abc.lambda-url.us-east-1.on.aws");
    }

    #[test]
    fn tenants_are_told_one_after_the_other() {
        let tenants = |list: &str| read(&[("TRUNKLINE_TENANTS", list)]).map(|config| config.tenants);
        assert_eq!(tenants("acme, globex").unwrap().len(), 2);
        assert_eq!(tenants(" ").unwrap(), []);
        let invalid = tenants("acme,,globex").unwrap_err();
        assert!(invalid.to_string().contains("TRUNKLINE_TENANTS"), "{invalid}");
    }
}
