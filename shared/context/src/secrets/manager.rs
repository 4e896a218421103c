//! The one request that this process makes of AWS Secrets Manager: `GetSecretValue`.
//!
//! It goes through the runtime that the clients of the AWS SDK are made of, without such a client: that one reads the table of all
//! partitions of AWS before it can be asked for anything, and this request is what a start waits for
//! (docs/adr/0005-tls-that-starts-fast.md). Owns what the request and its answers look like; signing, time limits and whether to
//! try again are the runtime's.

use std::sync::{Arc, LazyLock};

use aws_runtime::{
    auth::{
        SigV4OperationSigningConfig,
        sigv4::{SCHEME_ID, SigV4AuthScheme},
    },
    retries::classifiers::AwsErrorCodeClassifier,
    service_clock_skew::{ServiceClockSkewClassifier, ServiceClockSkewInterceptor},
};
use aws_smithy_runtime::client::{
    orchestrator::operation::Operation,
    retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier},
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        auth::{
            AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
            static_resolver::StaticAuthSchemeOptionResolver,
        },
        identity::SharedIdentityResolver,
        orchestrator::{HttpRequest, HttpResponse, OrchestratorError, SensitiveOutput},
        result::SdkError,
        runtime_components::RuntimeComponentsBuilder,
        runtime_plugin::StaticRuntimePlugin,
    },
};
use aws_smithy_types::{
    body::SdkBody,
    config_bag::Layer,
    error::{ErrorMetadata, metadata::ProvideErrorMetadata},
    retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_types::{SdkConfig, SigningName, region::SigningRegion};
use clock::Millis;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use crate::Service;

/// Its name in signatures and in the header that says what is asked for.
const NAME: &str = "secretsmanager";

type GetSecretValue = Operation<String, Found, Refusal>;

/// Reads secrets. Cheap to clone; what it asks with is built for the first request.
#[derive(Clone)]
pub(crate) struct Manager(Arc<LazyLock<GetSecretValue, Box<dyn FnOnce() -> GetSecretValue + Send>>>);

/// Why a secret was not handed out: what Secrets Manager says of it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refusal(ErrorMetadata);

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

impl Manager {
    /// Secrets Manager, where and as this configuration says.
    pub(crate) fn new(sdk: &SdkConfig) -> Self {
        let sdk = sdk.clone();
        Self(Arc::new(LazyLock::new(Box::new(move || operation(&sdk)))))
    }

    /// A secret; `None` if there is no such secret.
    pub(crate) async fn text(&self, id: &str) -> Result<Option<Found>, BoxError> {
        match self.0.invoke(id.to_owned()).await {
            Ok(text) => Ok(Some(text)),
            Err(SdkError::ServiceError(error)) if error.err().code() == Some("ResourceNotFoundException") => {
                Ok(None)
            }
            Err(error) => Err(error.into_source().unwrap_or_else(Into::into)),
        }
    }
}

fn operation(sdk: &SdkConfig) -> GetSecretValue {
    let mut builder = Operation::builder()
        .service_name(NAME)
        .operation_name("GetSecretValue")
        .endpoint_url(&Service::SecretsManager.address(sdk))
        .standard_retry(&sdk.retry_config().cloned().unwrap_or_else(RetryConfig::standard))
        .timeout_config(sdk.timeout_config().cloned().unwrap_or_else(TimeoutConfig::disabled))
        .retry_classifier(TransientErrorClassifier::<Refusal>::new())
        .retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
        .retry_classifier(HttpStatusCodeClassifier::default())
        .retry_classifier(ServiceClockSkewClassifier::<Refusal>::new())
        .interceptor(ServiceClockSkewInterceptor::new())
        .with_connection_poisoning()
        .runtime_plugin(signed(sdk));
    if let Some(version) = sdk.behavior_version() {
        builder = builder.behavior_version(version);
    }
    if let Some(http) = sdk.http_client() {
        builder = builder.http_client(http);
    }
    builder.serializer(request).deserializer(answer).build()
}

/// With signature version 4, and nothing of the answer in a log.
fn signed(sdk: &SdkConfig) -> StaticRuntimePlugin {
    let mut config = Layer::new(NAME);
    config.store_put(SensitiveOutput);
    config.store_put(AuthSchemeOptionResolverParams::new(()));
    config.store_put(SigV4OperationSigningConfig {
        region: sdk.region().cloned().map(SigningRegion::from),
        name: Some(SigningName::from_static(NAME)),
        ..SigV4OperationSigningConfig::default()
    });
    let schemes = SharedAuthSchemeOptionResolver::new(StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]));
    let mut components = RuntimeComponentsBuilder::new(NAME)
        .with_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()))
        .with_auth_scheme_option_resolver(Some(schemes));
    if let Some(credentials) = sdk.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials));
    }
    StaticRuntimePlugin::new().with_config(config.freeze()).with_runtime_components(components)
}

fn request(id: String) -> Result<HttpRequest, BoxError> {
    let body = json!({ "SecretId": id }).to_string();
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST")?;
    request.set_uri("/")?;
    let headers = request.headers_mut();
    headers.insert("content-type", "application/x-amz-json-1.1");
    headers.insert("x-amz-target", "secretsmanager.GetSecretValue");
    Ok(request)
}

/// A secret as it is stored now.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Found {
    /// A secret may be binary instead; no secret of ours is.
    #[serde(rename = "SecretString")]
    pub(crate) text: SecretString,
    /// When this version was made, in seconds since the epoch.
    #[serde(rename = "CreatedDate", default)]
    created: Option<f64>,
}

impl Found {
    /// Grows with every version that is stored: when it was made, milliseconds since the epoch; 0 if that was not said.
    pub(crate) fn version(&self) -> Millis {
        #[allow(clippy::cast_possible_truncation, reason = "an instant")]
        self.created.map_or(0, |seconds| (seconds * 1_000.0) as Millis)
    }
}

#[derive(Deserialize)]
struct Refused {
    /// `ResourceNotFoundException`, perhaps behind a namespace and `#`.
    #[serde(rename = "__type")]
    kind: String,
    #[serde(alias = "Message", default)]
    message: String,
}

fn answer(response: &HttpResponse) -> Result<Found, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        let found: Result<Found, _> = serde_json::from_slice(body);
        return found.map_err(OrchestratorError::other);
    }
    // A gateway on the way answers as it likes: then the status says what there is to say.
    let metadata = match serde_json::from_slice::<Refused>(body) {
        Ok(Refused { kind, message }) => {
            let code = kind.rsplit('#').next().unwrap_or_default();
            ErrorMetadata::builder().code(code).message(message).build()
        }
        Err(_) => ErrorMetadata::builder().message(format!("status {}", response.status())).build(),
    };
    Err(OrchestratorError::operation(Refusal(metadata)))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
    use aws_smithy_runtime_api::client::{
        behavior_version::BehaviorVersion,
        http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
        runtime_components::RuntimeComponents,
    };
    use aws_types::region::Region;
    use secrecy::ExposeSecret;

    use super::*;

    /// An AWS that gives these answers in turn, and keeps what it was sent.
    #[derive(Debug, Clone, Default)]
    struct Scripted(Arc<Mutex<Script>>);

    #[derive(Debug, Default)]
    struct Script {
        /// When it is, on AWS's clock.
        date: Option<&'static str>,
        answers: Vec<(u16, String)>,
        requests: Vec<HttpRequest>,
    }

    impl HttpClient for Scripted {
        fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
            SharedHttpConnector::new(self.clone())
        }
    }

    impl HttpConnector for Scripted {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let mut script = self.0.lock().unwrap();
            script.requests.push(request);
            let (status, body) = script.answers.remove(0);
            let status = status.try_into().unwrap();
            let mut response = HttpResponse::new(status, SdkBody::from(body));
            if let Some(date) = script.date {
                response.headers_mut().insert("date", date);
            }
            HttpConnectorFuture::ready(Ok(response))
        }
    }

    /// What comes of asking for a secret, and the requests that were sent.
    async fn asking(answers: &[(u16, &str)]) -> (Result<Option<String>, String>, Vec<HttpRequest>) {
        asking_at(None, answers).await
    }

    /// The same of an AWS whose clock is known.
    async fn asking_at(
        date: Option<&'static str>,
        answers: &[(u16, &str)],
    ) -> (Result<Option<String>, String>, Vec<HttpRequest>) {
        let scripted = Scripted::default();
        scripted.0.lock().unwrap().date = date;
        scripted.0.lock().unwrap().answers =
            answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
        let credentials = Credentials::new("AKID", "wJalrXUtnFEMI", Some("session".to_owned()), None, "test");
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .retry_config(
                RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Default::default()),
            )
            .http_client(scripted.clone())
            .build();
        let text = Manager::new(&sdk).text("trunkline/auth").await;
        let text = text.map(|found| found.map(|found| found.text.expose_secret().to_owned()));
        let requests = std::mem::take(&mut scripted.0.lock().unwrap().requests);
        (text.map_err(|error| error.to_string()), requests)
    }

    #[tokio::test]
    async fn a_secret_is_asked_for_with_a_signature() {
        let (text, requests) = asking(&[(200, r#"{"Name": "trunkline/auth", "SecretString": "{}"}"#)]).await;
        assert_eq!(text, Ok(Some("{}".to_owned())));
        let [request] = requests.as_slice() else { panic!("{requests:?}") };
        assert_eq!(
            (request.method(), request.uri()),
            ("POST", "https://secretsmanager.eu-central-1.amazonaws.com/")
        );
        assert_eq!(request.body().bytes(), Some(br#"{"SecretId":"trunkline/auth"}"#.as_slice()));
        let header = |name: &str| request.headers().get(name).unwrap();
        assert_eq!(header("x-amz-target"), "secretsmanager.GetSecretValue");
        assert_eq!(header("x-amz-security-token"), "session");
        let (date, signed) = (&header("x-amz-date")[..8], header("authorization"));
        assert!(
            signed.starts_with(&format!(
                "AWS4-HMAC-SHA256 Credential=AKID/{date}/eu-central-1/secretsmanager/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature="
            )),
            "{signed}"
        );
    }

    #[tokio::test]
    async fn what_is_not_there_is_no_error_and_what_is_refused_says_why() {
        let unknown = r#"{"__type": "com.amazonaws.secretsmanager#ResourceNotFoundException"}"#;
        assert_eq!(asking(&[(400, unknown)]).await.0, Ok(None));
        let denied = r#"{"__type": "AccessDeniedException", "Message": "not authorized to perform"}"#;
        let (text, requests) = asking(&[(400, denied)]).await;
        assert_eq!(requests.len(), 1, "nobody is let in by asking again");
        let said = text.unwrap_err();
        assert!(said.contains("AccessDeniedException") && said.contains("not authorized"), "{said}");
        let (text, _) = asking(&[(200, "{}")]).await;
        assert!(text.unwrap_err().contains("SecretString"), "a secret without a text");
    }

    #[tokio::test]
    async fn what_passes_is_tried_again() {
        let busy = r#"{"__type": "ThrottlingException", "message": "Rate exceeded"}"#;
        for passing in [(400, busy), (500, r#"{"__type": "InternalServiceError"}"#), (503, "<html>")] {
            let (text, requests) = asking(&[passing, (200, r#"{"SecretString": "kept"}"#)]).await;
            assert_eq!((text, requests.len()), (Ok(Some("kept".to_owned())), 2), "{passing:?}");
        }
        let (text, requests) = asking(&[(503, "<html>"), (503, "<html>")]).await;
        assert_eq!(requests.len(), 2);
        assert!(text.unwrap_err().contains("503"));
    }

    #[tokio::test]
    async fn a_clock_that_is_wrong_is_put_right_by_what_aws_says() {
        let skewed = r#"{"__type": "InvalidSignatureException", "message": "Signature expired"}"#;
        let date = Some("Tue, 01 Jan 2036 00:00:00 GMT");
        let (text, requests) = asking_at(date, &[(400, skewed), (200, r#"{"SecretString": "kept"}"#)]).await;
        assert_eq!(text, Ok(Some("kept".to_owned())));
        let signed_at = requests.last().unwrap().headers().get("x-amz-date").unwrap();
        assert!(signed_at.starts_with("20360101T0000"), "{signed_at}");
    }

    #[test]
    fn nothing_of_a_secret_can_be_printed() {
        let found = answer(&HttpResponse::new(
            200.try_into().unwrap(),
            SdkBody::from(r#"{"SecretString": "hunter2"}"#),
        ));
        assert!(found.is_ok() && !format!("{found:?}").contains("hunter2"));
    }
}
