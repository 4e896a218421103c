//! The control pages under `/_aws`: counters and faults for a test in another process.
//!
//! It owns their JSON. They stay reachable while the endpoint plays dead, or nothing could revive it.

use super::Cloud;
use crate::faults::{Fault, Faults};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What `POST /_aws/faults` may change; what is absent stays. `Json` insists on its content type, which a web
/// page cannot send across origins unasked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    /// Starts from an AWS that behaves.
    #[serde(default)]
    clear: bool,
    down: Option<bool>,
    fail: Option<Failure>,
    /// Milliseconds by target, `*` for all, 0 to end it.
    #[serde(default)]
    latency_ms: BTreeMap<String, u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Failure {
    target: String,
    #[serde(default = "once")]
    count: u32,
    fault: Fault,
}

fn once() -> u32 {
    1
}

/// `GET /_aws/`: where the key of this port lies, for who may read it there.
pub(super) async fn show_key_file(State(cloud): State<Arc<Cloud>>) -> Json<Value> {
    Json(json!({ "accessKeyFile": cloud.folder.key_file() }))
}

/// `GET /_aws/faults`
pub(super) async fn show_faults(State(cloud): State<Arc<Cloud>>) -> Json<Value> {
    Json(cloud.faults.to_json())
}

/// `POST /_aws/faults`
pub(super) async fn change_faults(
    State(cloud): State<Arc<Cloud>>,
    Json(change): Json<Change>,
) -> Json<Value> {
    apply(&cloud.faults, change);
    Json(cloud.faults.to_json())
}

/// `GET /_aws/stats`
pub(super) async fn show_stats(State(cloud): State<Arc<Cloud>>) -> Json<Value> {
    let stats = cloud.counters.snapshot();
    let targets: BTreeMap<&str, u64> = stats.targets().collect();
    Json(json!({"total": stats.total(), "requests": targets}))
}

fn apply(faults: &Faults, change: Change) {
    if change.clear {
        faults.clear();
    }
    if let Some(down) = change.down {
        faults.set_down(down);
    }
    if let Some(failure) = change.fail {
        faults.fail_next(&failure.target, failure.count, failure.fault);
    }
    for (target, millis) in change.latency_ms {
        faults.set_latency(&target, Duration::from_millis(millis));
    }
}
