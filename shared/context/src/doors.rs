//! Connections to AWS that a function makes while it starts, because Lambda gives it more of a processor then than afterwards.
//!
//! Owns where a service is. It must never ask a service for anything, or keep a function from starting: a connection that was not
//! made is made by whoever needs it first.

use std::time::Duration;

use aws_types::{SdkConfig, service_config::ServiceConfigKey};

use crate::Wire;

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
    /// Its name in the configuration of a service (`AWS_ENDPOINT_URL_…`) and in addresses.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::DynamoDb => ("DynamoDB", "dynamodb"),
            Self::SecretsManager => ("Secrets Manager", "secretsmanager"),
            Self::Sqs => ("SQS", "sqs"),
        }
    }

    /// Where the SDK's clients send their requests, but for a partition or a mode that nobody has named here.
    pub(crate) fn address(self, sdk: &SdkConfig) -> String {
        let (id, host) = self.names();
        let own =
            sdk.service_config().zip(endpoint_of(id)).and_then(|(services, key)| services.load_config(key));
        own.or_else(|| sdk.endpoint_url().map(str::to_owned)).unwrap_or_else(|| {
            let region = sdk.region().map_or("us-east-1", AsRef::as_ref);
            let china = if region.starts_with("cn-") { ".cn" } else { "" };
            format!("https://{host}.{region}.amazonaws.com{china}/")
        })
    }
}

/// What asks for the endpoint of one service.
fn endpoint_of(service: &str) -> Option<ServiceConfigKey<'_>> {
    let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url");
    key.build().ok()
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
        self.wire.connect(&service.address(&self.sdk), PATIENCE).await;
    }
}

#[cfg(test)]
mod tests {
    use aws_types::{region::Region, service_config::LoadServiceConfig};

    use super::*;

    /// Every service is somewhere else.
    #[derive(Debug)]
    struct Elsewhere;

    impl LoadServiceConfig for Elsewhere {
        fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
            Some(format!("http://{}/{}", key.env(), key.service_id()))
        }
    }

    fn address(region: &'static str, endpoint: Option<&str>) -> String {
        let mut sdk = SdkConfig::builder().region(Region::new(region));
        sdk.set_endpoint_url(endpoint.map(str::to_owned));
        Service::SecretsManager.address(&sdk.build())
    }

    #[test]
    fn a_service_is_where_the_sdk_looks_for_it() {
        assert_eq!(address("eu-central-1", None), "https://secretsmanager.eu-central-1.amazonaws.com/");
        assert_eq!(address("cn-north-1", None), "https://secretsmanager.cn-north-1.amazonaws.com.cn/");
        assert_eq!(address("us-east-1", Some("http://127.0.0.1:1")), "http://127.0.0.1:1");
    }
    #[test]
    fn one_service_may_be_somewhere_else() {
        let sdk = SdkConfig::builder().endpoint_url("http://127.0.0.1:1").service_config(Elsewhere).build();
        assert_eq!(Service::Sqs.address(&sdk), "http://AWS_ENDPOINT_URL/SQS");
    }
}
