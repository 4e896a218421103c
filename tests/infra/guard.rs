//! An AWS that allows what a role allows: a door before the embedded one that asks the role's statements first.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{intrinsics::secret_arn, statement::Statement};

/// An action on a resource.
pub(crate) type Ask = (String, String);

pub(crate) struct Guard {
    pub(crate) url: String,
    door: Arc<Door>,
    running: JoinHandle<()>,
}

struct Door {
    aws: String,
    statements: Vec<Statement>,
    http: reqwest::Client,
    allowed: Mutex<BTreeSet<Ask>>,
    denied: Mutex<BTreeSet<Ask>>,
}

impl Guard {
    pub(crate) async fn start(aws: &str, statements: Vec<Statement>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let (allowed, denied) = (Mutex::default(), Mutex::default());
        let door = Arc::new(Door { aws: aws.to_owned(), statements, http, allowed, denied });
        let router = Router::new().fallback(pass).with_state(door.clone());
        let running = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, door, running }
    }

    /// What was asked for and allowed.
    pub(crate) fn allowed(&self) -> BTreeSet<Ask> {
        self.door.allowed.lock().unwrap().clone()
    }

    /// What was asked for and denied.
    pub(crate) fn denied(&self) -> BTreeSet<Ask> {
        self.door.denied.lock().unwrap().clone()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.running.abort();
    }
}

async fn pass(State(door): State<Arc<Door>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let asks = asks(target, &serde_json::from_slice(&body).unwrap());
    for ask in asks {
        if !door.statements.iter().any(|statement| statement.allows(&ask.0, &ask.1)) {
            let message = format!("not authorized to perform {} on {}", ask.0, ask.1);
            door.denied.lock().unwrap().insert(ask);
            let denial = json!({"__type": "AccessDeniedException", "message": message}).to_string();
            return (StatusCode::BAD_REQUEST, [("content-type", "application/x-amz-json-1.0")], denial)
                .into_response();
        }
        door.allowed.lock().unwrap().insert(ask);
    }
    let request = door.http.post(&door.aws).header("x-amz-target", target);
    let request = request.header("content-type", headers["content-type"].clone());
    // Its key is what the embedded AWS lets in.
    let request = match headers.get("authorization") {
        Some(key) => request.header("authorization", key.clone()),
        None => request,
    };
    let answer = request.body(body).send().await.unwrap();
    let (status, kind) = (answer.status(), answer.headers()["content-type"].clone());
    (status, [("content-type", kind)], answer.bytes().await.unwrap()).into_response()
}

/// The permissions a request needs.
fn asks(target: &str, body: &Value) -> Vec<Ask> {
    let arn = |service: &str, rest: String| {
        format!("arn:aws:{service}:{}:{}:{rest}", embedded_aws::REGION, embedded_aws::ACCOUNT)
    };
    let table = |of: &Value| arn("dynamodb", format!("table/{}", of["TableName"].as_str().unwrap()));
    match target.split_once('.').unwrap() {
        ("DynamoDB_20120810", "BatchGetItem") => {
            let tables = body["RequestItems"].as_object().unwrap().keys();
            let ask = |name| ("dynamodb:BatchGetItem".to_owned(), arn("dynamodb", format!("table/{name}")));
            tables.map(ask).collect()
        }
        ("DynamoDB_20120810", operation) => vec![(format!("dynamodb:{operation}"), table(body))],
        ("AmazonSQS", operation) => {
            let queue = body["QueueUrl"].as_str().unwrap().rsplit('/').next().unwrap();
            vec![(format!("sqs:{operation}"), arn("sqs", queue.to_owned()))]
        }
        ("secretsmanager", operation) => {
            vec![(format!("secretsmanager:{operation}"), secret_arn(body["SecretId"].as_str().unwrap()))]
        }
        _ => panic!("nobody knows what {target} needs"),
    }
}
