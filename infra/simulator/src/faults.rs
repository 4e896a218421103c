//! Faults on demand: what shall go wrong, for which requests, and how often. It chooses; the pipeline and the
//! deliveries carry out.

use serde::{Deserialize, Serialize};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The connection is closed without an answer.
    Down,
    /// The connection is reset without an answer.
    Reset,
    /// The answer comes `delay_ms` real milliseconds late.
    Slow,
    /// The answer is an error with `status`.
    Error,
    /// The JSON of the answer breaks off in its middle.
    Truncate,
    /// The request is carried out, and its success is told without a body.
    Empty,
    /// Every session dies at the moment the fault is added. It is carried out at once and never stored.
    RevokeTokens,
    /// The answer is a 429 although the window has room.
    #[serde(rename = "force_429")]
    Force429,
    /// A notification is lost on its way and never tried again. Matched by the path of the event.
    WebhookDrop,
}

/// Whose limit a forced 429 is about. Only a user's own comes with `X-Rate-Limit-*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The window of the app and the user.
    #[default]
    User,
    /// The account.
    Account,
    /// The source address (`CMN-310`).
    Address,
}

/// Which requests a fault is for. What is absent matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultMatch {
    /// Beginning of the path, or of the event's path for `webhook_drop`.
    pub path: Option<String>,
    /// RingCentral's `operationId`.
    pub operation: Option<String>,
    /// HTTP method.
    pub method: Option<String>,
}

/// A fault. On the wire: `{"kind":"error","match":{"operation":"createExtension"},"count":1,"status":503,
/// "after_apply":true}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Which requests it is for.
    #[serde(default, rename = "match")]
    pub matching: FaultMatch,
    /// How often; absent: until it is cleared.
    #[serde(default)]
    pub count: Option<u32>,
    /// Status of `error`: 400 to 599, default 503.
    #[serde(default)]
    pub status: Option<u16>,
    /// Delay of `slow`, real milliseconds.
    #[serde(default)]
    pub delay_ms: u64,
    /// Of `force_429`: whose limit it is about.
    #[serde(default)]
    pub scope: Scope,
    /// `error`, `down`, `reset`, `slow`: the request is carried out first, then the client is let down.
    #[serde(default)]
    pub after_apply: bool,
    /// `truncate`: announce the whole length and close the connection, instead of a short but well-framed answer.
    #[serde(default)]
    pub close: bool,
}

impl Fault {
    /// A fault of this kind for every request, until it is cleared.
    pub fn new(kind: FaultKind) -> Self {
        let matching = FaultMatch::default();
        Self {
            kind,
            matching,
            count: None,
            status: None,
            delay_ms: 0,
            scope: Scope::User,
            after_apply: false,
            close: false,
        }
    }

    /// The same fault, `count` times only.
    pub fn times(self, count: u32) -> Self {
        Self { count: Some(count), ..self }
    }

    /// The same fault, for one `operationId` only.
    pub fn on(mut self, operation: &str) -> Self {
        self.matching.operation = Some(operation.to_owned());
        self
    }

    /// The same fault, after the request was carried out.
    pub fn after_apply(self) -> Self {
        Self { after_apply: true, ..self }
    }

    /// The same fault with another status.
    pub fn with_status(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }

    /// The same fault, about somebody else's limit.
    pub fn about(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    fn concerns(&self, target: &Target<'_>) -> bool {
        let wanted = &self.matching;
        wanted.path.as_deref().is_none_or(|start| target.path.starts_with(start))
            && wanted.operation.as_deref().is_none_or(|operation| operation == target.operation)
            && wanted.method.as_deref().is_none_or(|method| method.eq_ignore_ascii_case(target.method))
    }
}

/// What a fault may match.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) path: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) method: &'a str,
}

/// What shall happen to one request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) slow: Option<Fault>,
    /// Down or reset.
    pub(crate) cut: Option<Fault>,
    pub(crate) error: Option<Fault>,
    pub(crate) force_429: Option<Scope>,
    pub(crate) truncate: Option<Fault>,
    pub(crate) empty: bool,
}

/// The faults that are set.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    list: Vec<(u64, Fault)>,
    next_id: u64,
    pub(crate) carried_out: u64,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) -> u64 {
        self.next_id += 1;
        self.list.push((self.next_id, fault));
        self.next_id
    }

    pub(crate) fn clear(&mut self) {
        self.list.clear();
    }

    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.list.len();
        self.list.retain(|(one, _)| *one != id);
        self.list.len() < before
    }

    pub(crate) fn list(&self) -> Vec<(u64, Fault)> {
        self.list.clone()
    }

    /// What happens to a request. One that is rejected anyway (401, 429) only meets faults of the network.
    pub(crate) fn plan(&mut self, target: &Target<'_>, rejected: bool) -> Plan {
        let mut plan = Plan {
            slow: self.take(target, &[FaultKind::Slow]),
            cut: self.take(target, &[FaultKind::Down, FaultKind::Reset]),
            ..Plan::default()
        };
        if plan.cut.is_none() && !rejected {
            plan.force_429 = self.take(target, &[FaultKind::Force429]).map(|fault| fault.scope);
            if plan.force_429.is_none() {
                plan.error = self.take(target, &[FaultKind::Error]);
            }
            if plan.force_429.is_none() && plan.error.is_none() {
                plan.truncate = self.take(target, &[FaultKind::Truncate]);
                plan.empty = self.take(target, &[FaultKind::Empty]).is_some();
            }
        }
        plan
    }

    /// Whether a notification of this event path is lost.
    pub(crate) fn drops(&mut self, event_path: &str) -> bool {
        let target = Target { path: event_path, operation: "", method: "POST" };
        self.take(&target, &[FaultKind::WebhookDrop]).is_some()
    }

    fn take(&mut self, target: &Target<'_>, kinds: &[FaultKind]) -> Option<Fault> {
        let index =
            self.list.iter().position(|(_, one)| kinds.contains(&one.kind) && one.concerns(target))?;
        let (_, fault) = self.list.get_mut(index)?;
        let taken = fault.clone();
        let left = fault.count.map(|count| count.saturating_sub(1));
        fault.count = left;
        if left == Some(0) {
            self.list.remove(index);
        }
        // A fault that was added with a count of zero never happens.
        if taken.count == Some(0) {
            return None;
        }
        self.carried_out += 1;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_happens_as_often_as_it_says_and_to_whom_it_says() {
        let mut faults = Faults::default();
        faults.add(Fault::new(FaultKind::Error).on("readExtension").times(1));
        let target = |operation| Target { path: "/restapi/v1.0/x", operation, method: "GET" };
        assert!(faults.plan(&target("listExtensions"), false).error.is_none());
        assert!(faults.plan(&target("readExtension"), true).error.is_none());
        assert!(faults.plan(&target("readExtension"), false).error.is_some());
        assert!(faults.plan(&target("readExtension"), false).error.is_none());
    }
}
