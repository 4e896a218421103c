//! The one HTTP endpoint: reads `X-Amz-Target`, asks the fault board, hands the request to its service.
//!
//! It owns routing, counting and faults on the wire. It knows no operation of any service.

mod connection;
mod control;

pub(crate) use connection::{Door, Lifeline};

use crate::dynamodb::{self, DynamoDb};
use crate::faults::{Fault, Faults};
use crate::folder::Folder;
use crate::reply::{self, ApiError, Service};
use crate::secrets::Secrets;
use crate::sqs::Sqs;
use crate::stats::Counters;
use crate::{Clock, sqs};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use http::{Method, StatusCode};
use loopback::{Guard, Refusal};
use std::sync::Arc;

/// The largest body any service takes is DynamoDB's.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// Everything a request can reach. Field order is drop order: the folder's lock goes last.
pub(crate) struct Cloud {
    pub(crate) dynamodb: DynamoDb,
    pub(crate) sqs: Sqs,
    pub(crate) secrets: Secrets,
    pub(crate) faults: Arc<Faults>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) clock: Clock,
    pub(crate) guard: Guard,
    pub(crate) folder: Folder,
}

/// The routes of the endpoint.
pub(crate) fn router(cloud: Arc<Cloud>) -> Router {
    let guarded = middleware::from_fn_with_state(Arc::clone(&cloud), guarded);
    let at_home = middleware::from_fn(at_home);
    Router::new()
        .route("/_aws/faults", get(control::show_faults).post(control::change_faults))
        .route("/_aws/stats", get(control::show_stats))
        .fallback(serve)
        .layer(guarded)
        // Who has no key yet may ask where it lies.
        .route("/_aws/", get(control::show_key_file).layer(at_home))
        .with_state(cloud)
}

/// Lets in who has the key.
async fn guarded(State(cloud): State<Arc<Cloud>>, request: Request, next: Next) -> Response {
    match cloud.guard.check(request.headers(), request.uri()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refuse(refusal, &request),
    }
}

/// Lets in who is on this machine.
async fn at_home(request: Request, next: Next) -> Response {
    match Guard::at_home(request.headers(), request.uri()) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refuse(refusal, &request),
    }
}

/// As AWS refuses who is unknown to it.
fn refuse(refusal: Refusal, request: &Request) -> Response {
    let (service, _) = target(request.headers()).and_then(address).unwrap_or((Service::DynamoDb, ""));
    let error = match refusal {
        Refusal::Foreign => ApiError::denied("AccessDeniedException", refusal.to_string()),
        Refusal::Stranger => ApiError::bad(
            "UnrecognizedClientException",
            "The security token included in the request is invalid. The access key id of this AWS lies in its data folder, in the \
             file aws-access-key.",
        ),
    };
    error.into_response(service)
}

/// The target a request names.
fn target(headers: &http::HeaderMap) -> Option<&str> {
    headers.get("x-amz-target")?.to_str().ok()
}

/// The service and operation a target names.
fn address(target: &str) -> Option<(Service, &str)> {
    const PREFIXES: [(&str, Service); 4] = [
        ("DynamoDB_20120810.", Service::DynamoDb),
        ("DynamoDBStreams_20120810.", Service::DynamoDb),
        ("AmazonSQS.", Service::Sqs),
        ("secretsmanager.", Service::Secrets),
    ];
    PREFIXES.iter().find_map(|(prefix, service)| Some((*service, target.strip_prefix(prefix)?)))
}

async fn serve(
    State(cloud): State<Arc<Cloud>>,
    ConnectInfo(lifeline): ConnectInfo<Lifeline>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let target = target(&head.headers).unwrap_or_default();
    let (service, operation) = address(target).unwrap_or((Service::DynamoDb, ""));
    cloud.counters.count(if target.is_empty() { "none" } else { target });

    let verdict = cloud.faults.judge(target);
    if let Some(delay) = verdict.delay {
        cloud.clock.sleep(delay).await;
    }
    match verdict.fault {
        Some(Fault::Error) => return failure(service).into_response(service),
        Some(Fault::Throttle) => return throttled(service).into_response(service),
        Some(Fault::Drop) => return severed(&lifeline),
        Some(Fault::LoseAnswer | Fault::Pass) | None => {}
    }

    let response = if head.method != Method::POST || operation.is_empty() {
        reply::unknown_operation(target).into_response(service)
    } else {
        match axum::body::to_bytes(body, LARGEST_BODY).await {
            Ok(body) => carry_out(&cloud, service, operation, body).await,
            Err(_) => ApiError::bad("SerializationException", "The request body is too large or incomplete.")
                .into_response(service),
        }
    };
    if verdict.fault == Some(Fault::LoseAnswer) { severed(&lifeline) } else { response }
}

async fn carry_out(cloud: &Cloud, service: Service, operation: &str, body: Bytes) -> Response {
    let done = match service {
        Service::DynamoDb if dynamodb::knows(operation) => {
            return cloud.dynamodb.handle(operation.to_owned(), body).await;
        }
        Service::DynamoDb => Err(reply::unknown_operation(operation)),
        Service::Sqs => cloud.sqs.handle(operation, &body).await,
        Service::Secrets => cloud.secrets.handle(operation, &body).await,
    };
    match done {
        Ok(body) => reply::ok(service, &body),
        Err(error) => {
            tracing::debug!(operation, code = error.code, "the embedded AWS refused a request");
            error.into_response(service)
        }
    }
}

fn failure(service: Service) -> ApiError {
    let code = match service {
        Service::DynamoDb => "InternalServerError",
        Service::Sqs => "InternalFailure",
        Service::Secrets => "InternalServiceError",
    };
    ApiError::internal(code, "An internal error occurred (planned).")
}

fn throttled(service: Service) -> ApiError {
    match service {
        Service::DynamoDb => {
            ApiError::bad("ProvisionedThroughputExceededException", "Rate exceeded (planned).")
        }
        Service::Sqs => sqs::throttled(),
        Service::Secrets => ApiError::bad("ThrottlingException", "Rate exceeded (planned)."),
    }
}

/// A response nobody will get: its connection is cut before a byte of it is written.
fn severed(lifeline: &Lifeline) -> Response {
    lifeline.cut();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}
