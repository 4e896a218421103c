//! Connections to AWS that a function makes while it starts, because Lambda gives it more of a processor then than afterwards.
//!
//! Owns where a service is. It must never ask a service for anything, or keep a function from starting: a connection that was not
//! made is made by whoever needs it first.

use std::time::Duration;

use aws_types::SdkConfig;

use crate::{Wire, aws};

/// How long a start may wait for a connection.
const PATIENCE: Duration = Duration::from_secs(1);

/// A service that functions connect to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Where the tables are.
    DynamoDb,
    /// Where secrets are.
    SecretsManager,
    /// Where deliveries wait.
    Sqs,
}

impl Service {
    /// Its name in variables (`AWS_ENDPOINT_URL_…`) and in addresses.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::DynamoDb => ("DYNAMODB", "dynamodb"),
            Self::SecretsManager => ("SECRETS_MANAGER", "secretsmanager"),
            Self::Sqs => ("SQS", "sqs"),
        }
    }
}

/// The way to the services of a region.
#[derive(Debug, Clone)]
pub(crate) struct Doors {
    wire: Wire,
    sdk: SdkConfig,
}

impl Doors {
    pub(crate) fn new(wire: Wire, sdk: SdkConfig) -> Self {
        Self { wire, sdk }
    }

    pub(crate) async fn open(&self, service: Service) {
        self.wire.connect(&self.address(service), PATIENCE).await;
    }

    /// Where the SDK will send its requests, but for a partition or a mode that nobody has named here.
    fn address(&self, service: Service) -> String {
        let (variable, host) = service.names();
        let told = aws::variable(&format!("AWS_ENDPOINT_URL_{variable}"));
        let told = told.or_else(|| self.sdk.endpoint_url().map(str::to_owned));
        told.unwrap_or_else(|| {
            let region = self.sdk.region().map_or("us-east-1", AsRef::as_ref);
            let china = if region.starts_with("cn-") { ".cn" } else { "" };
            format!("https://{host}.{region}.amazonaws.com{china}/")
        })
    }
}

#[cfg(test)]
mod tests {
    use aws_types::region::Region;

    use super::*;

    fn address(region: &'static str, endpoint: Option<&str>) -> String {
        let mut sdk = SdkConfig::builder().region(Region::new(region));
        sdk.set_endpoint_url(endpoint.map(str::to_owned));
        Doors::new(Wire::loopback().unwrap(), sdk.build()).address(Service::SecretsManager)
    }

    #[test]
    fn a_service_is_where_the_sdk_looks_for_it() {
        assert_eq!(address("eu-central-1", None), "https://secretsmanager.eu-central-1.amazonaws.com/");
        assert_eq!(address("cn-north-1", None), "https://secretsmanager.cn-north-1.amazonaws.com.cn/");
        assert_eq!(address("us-east-1", Some("http://127.0.0.1:1")), "http://127.0.0.1:1");
    }
}
