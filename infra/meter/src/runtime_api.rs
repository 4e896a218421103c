//! Lambda's Runtime API for one process: hands out what it is told to, and notes when it was asked and answered.

use std::{io, net::SocketAddr, sync::Arc, time::Instant};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc},
    task::JoinHandle,
};

/// How long an invocation may take, as the function is told (milliseconds).
const TIMEOUT: i64 = 29_000;

/// What the function said, and when.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) at: Instant,
    /// Its answer, or the error it reported.
    pub(crate) outcome: Result<Value, String>,
}

/// The API of one process.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    pub(crate) address: SocketAddr,
    asked: mpsc::UnboundedReceiver<Instant>,
    work: mpsc::UnboundedSender<String>,
    answers: mpsc::UnboundedReceiver<Answer>,
    serving: JoinHandle<()>,
}

struct Desk {
    asked: mpsc::UnboundedSender<Instant>,
    work: Mutex<mpsc::UnboundedReceiver<String>>,
    answers: mpsc::UnboundedSender<Answer>,
}

impl RuntimeApi {
    /// Listens on loopback.
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (asks, asked) = mpsc::unbounded_channel();
        let (work, works) = mpsc::unbounded_channel();
        let (answer, answers) = mpsc::unbounded_channel();
        let desk = Arc::new(Desk { asked: asks, work: Mutex::new(works), answers: answer });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{outcome}", post(ended))
            .route("/2018-06-01/runtime/init/error", post(not_started))
            .with_state(desk);
        let serving = tokio::spawn(async move {
            // It ends with the process it serves.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, asked, work, answers, serving })
    }

    /// When the process asked for its next invocation; `None` if the API is gone.
    pub(crate) async fn asked(&mut self) -> Option<Instant> {
        self.asked.recv().await
    }

    /// Invokes the function and waits for what it says.
    pub(crate) async fn invoke(&mut self, payload: String) -> Option<Answer> {
        self.work.send(payload).ok()?;
        self.answer().await
    }

    /// The next answer, or the error it stopped with.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        self.answers.recv().await
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn next(State(desk): State<Arc<Desk>>) -> Response {
    // Whoever measures may have gone: then nothing waits for this.
    let _ = desk.asked.send(Instant::now());
    let Some(payload) = desk.work.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let deadline = clock::system().now() + TIMEOUT;
    let headers = [
        ("lambda-runtime-aws-request-id", "00000000-0000-4000-8000-000000000000".to_owned()),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:000000000000:function:f".to_owned(),
        ),
    ];
    let named =
        |(name, value): (&'static str, String)| Some((HeaderName::from_static(name), value.parse().ok()?));
    let headers: HeaderMap = headers.into_iter().filter_map(named).collect();
    (headers, payload).into_response()
}

async fn ended(
    State(desk): State<Arc<Desk>>,
    Path((_, outcome)): Path<(String, String)>,
    body: Bytes,
) -> (StatusCode, Json<Value>) {
    let at = Instant::now();
    let outcome = match (outcome.as_str(), serde_json::from_slice(&body)) {
        ("response", Ok(answer)) => Ok(answer),
        _ => Err(String::from_utf8_lossy(&body).into_owned()),
    };
    let _ = desk.answers.send(Answer { at, outcome });
    (StatusCode::ACCEPTED, Json(json!({ "status": "OK" })))
}

async fn not_started(state: State<Arc<Desk>>, body: Bytes) -> (StatusCode, Json<Value>) {
    ended(state, Path((String::new(), "error".to_owned())), body).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_invocation_goes_out_with_its_deadline_and_its_answer_comes_back() {
        let mut api = RuntimeApi::start().await.unwrap();
        let url = format!("http://{}/2018-06-01/runtime", api.address);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let function = tokio::spawn(async move {
            let work = http.get(format!("{url}/invocation/next")).send().await.unwrap();
            let deadline = work.headers()["lambda-runtime-deadline-ms"].to_str().unwrap().to_owned();
            let id = work.headers()["lambda-runtime-aws-request-id"].to_str().unwrap().to_owned();
            let said = json!({ "heard": work.text().await.unwrap(), "deadline": deadline });
            http.post(format!("{url}/invocation/{id}/response")).json(&said).send().await.unwrap();
            http.post(format!("{url}/init/error")).body("broken").send().await.unwrap();
        });
        assert!(api.asked().await.is_some());
        let answer = api.invoke("work".to_owned()).await.unwrap().outcome.unwrap();
        assert_eq!(answer["heard"], "work");
        assert!(answer["deadline"].as_str().unwrap().parse::<i64>().unwrap() > clock::system().now());
        assert_eq!(api.answer().await.unwrap().outcome.unwrap_err(), "broken");
        function.await.unwrap();
    }
}
