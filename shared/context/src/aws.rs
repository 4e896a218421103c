//! How a Lambda function reaches AWS: region and credentials are in its environment, and nowhere else.
//!
//! The SDK's own search looks through profiles, containers and metadata services that no function has. Owns which variables are
//! read; it must never read a file or ask the network.

use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::{
    SdkConfig,
    region::Region,
    service_config::{LoadServiceConfig, ServiceConfigKey},
};

use crate::{ConfigError, Wire};

/// Reads `AWS_REGION`, the credentials and `AWS_ENDPOINT_URL`.
pub(crate) fn from_env(wire: Wire) -> Result<SdkConfig, ConfigError> {
    read(wire, |name| std::env::var(name).ok())
}

/// A variable that is set to something.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

fn read(wire: Wire, variable: impl Fn(&str) -> Option<String>) -> Result<SdkConfig, ConfigError> {
    let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let needed = |name: &'static str| variable(name).ok_or(ConfigError::Missing(name));
    let (id, secret) = (needed("AWS_ACCESS_KEY_ID")?, needed("AWS_SECRET_ACCESS_KEY")?);
    // They outlive the process: Lambda ends it before they do.
    let credentials = Credentials::new(id, secret, variable("AWS_SESSION_TOKEN"), None, "environment");
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(needed("AWS_REGION")?))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .service_config(Services)
        .http_client(wire);
    config.set_endpoint_url(variable("AWS_ENDPOINT_URL"));
    Ok(config.build())
}

/// Variables of one service, such as `AWS_ENDPOINT_URL_SQS`.
#[derive(Debug)]
struct Services;

impl LoadServiceConfig for Services {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_ascii_uppercase().replace(' ', "_");
        variable(&format!("{}_{service}", key.env()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Result<SdkConfig, ConfigError> {
        let of =
            |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        read(Wire::loopback().unwrap(), of)
    }

    #[test]
    fn what_lambda_gives_is_enough_and_what_is_missing_is_named() {
        let given = [
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ];
        let config = from(&given).unwrap();
        assert_eq!(config.region().map(AsRef::as_ref), Some("eu-central-1"));
        assert_eq!(config.endpoint_url(), Some("http://127.0.0.1:1"));
        for (missing, _) in &given[..3] {
            let rest: Vec<_> = given.into_iter().filter(|(name, _)| name != missing).collect();
            assert!(from(&rest).unwrap_err().to_string().contains(missing));
        }
    }
}
