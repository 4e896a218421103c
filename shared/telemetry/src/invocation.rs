//! The wide event: collected while an invocation runs, written once at its end.

use std::{
    cell::RefCell,
    future::Future,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use tracing::Level;

tokio::task_local! {
    static CURRENT: RefCell<Invocation>;
}

/// Whether a person reads along.
static PEOPLE: AtomicBool = AtomicBool::new(false);

/// From now on events also have what only a person at a terminal wants: which resource was asked for, and what was wrong. Machines
/// pay for each byte, and find the first in the access log and the second in the answer.
pub fn for_people() {
    PEOPLE.store(true, Ordering::Relaxed);
}

/// Everything one invocation says about itself.
#[derive(Debug, Default, Clone)]
pub struct Invocation {
    /// The function: `extensions`, `receive`, `dispatch`, …
    pub function: &'static str,
    /// The id by which callers and logs find each other.
    pub request_id: String,
    /// What was asked for: a method and a route, or a batch.
    pub operation: String,
    /// The path that was asked for, without its query: told to people only.
    pub path: Option<String>,
    /// The kind of the problem that was answered, RingCentral's code for it, and the names of the wrong fields: told to people only.
    pub problem: Option<(String, Option<String>, String)>,
    /// Who asked.
    pub tenant: Option<String>,
    /// The HTTP status, or 200 for a batch.
    pub status: u16,
    /// Whoever reads logs knows of it anyway: while it goes well, it is written at the level DEBUG.
    pub told_elsewhere: bool,
    /// Records handled and failed, for a batch.
    pub batch: Option<(usize, usize)>,
    /// Requests made to RingCentral.
    pub upstream_calls: u32,
    /// The last operation called, its status (0: no answer) and RingCentral's `RCRequestId`.
    pub upstream_last: Option<(&'static str, u16, Option<String>)>,
    /// The rate budget that was used last.
    pub budget: Option<Budget>,
    /// What went wrong, causes included.
    pub error: Option<String>,
}

/// A rate budget of RingCentral, as it stood after a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The throttling group.
    pub group: String,
    /// Requests per window.
    pub limit: u32,
    /// Length of the window in seconds.
    pub window_seconds: u64,
    /// Requests that may be sent at once.
    pub remaining: u32,
    /// Seconds until one more may be sent.
    pub next_seconds: u64,
}

/// Runs an invocation and writes its event. `close` reads the outcome into the event.
pub async fn observe<T>(
    start: Invocation,
    work: impl Future<Output = T>,
    close: impl FnOnce(&T, &mut Invocation),
) -> T {
    let started = Instant::now();
    CURRENT
        .scope(RefCell::new(start), async {
            let outcome = work.await;
            let mut invocation = CURRENT.with(|current| current.borrow().clone());
            close(&outcome, &mut invocation);
            write(&invocation, started.elapsed());
            outcome
        })
        .await
}

/// Notes whose invocation this is.
pub fn tenant(tenant: &str) {
    change(|invocation| invocation.tenant = Some(tenant.to_owned()));
}

/// Notes a request to RingCentral; status 0 if no answer came.
pub fn upstream(operation: &'static str, status: u16, request_id: Option<&str>) {
    change(|invocation| {
        invocation.upstream_calls += 1;
        invocation.upstream_last = Some((operation, status, request_id.map(str::to_owned)));
    });
}

/// Notes the rate budget that was used.
pub fn budget(budget: Budget) {
    change(|invocation| invocation.budget = Some(budget));
}

/// Notes what problem is answered: its kind, the names of the wrong fields, RingCentral's code.
pub fn problem<'a>(kind: &str, fields: impl Iterator<Item = &'a str>, code: Option<&str>) {
    if PEOPLE.load(Ordering::Relaxed) {
        let fields = fields.collect::<Vec<_>>().join(", ");
        let problem = (kind.to_owned(), code.map(str::to_owned), fields);
        change(|invocation| invocation.problem = Some(problem));
    }
}

/// Notes why the invocation failed, with every cause.
pub fn failed(error: &(dyn std::error::Error + 'static)) {
    let text = chain(error);
    change(|invocation| invocation.error = Some(text));
}

/// An error and its causes in one sentence: `tables can't be made: nothing answers: connection refused`.
#[must_use]
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// Outside of an invocation there is no event to add to, and nothing to lose.
fn change(by: impl FnOnce(&mut Invocation)) {
    let _ = CURRENT.try_with(|current| by(&mut current.borrow_mut()));
}

fn write(invocation: &Invocation, took: Duration) {
    let (upstream_operation, upstream_status, upstream_request_id) = match &invocation.upstream_last {
        Some((operation, status, id)) => (Some(*operation), Some(*status), id.as_deref()),
        None => (None, None, None),
    };
    let people = PEOPLE.load(Ordering::Relaxed);
    let path = invocation.path.as_deref().filter(|_| people);
    let problem = invocation.problem.as_ref().filter(|_| people);
    let duration_ms = f64::from(u32::try_from(took.as_micros()).unwrap_or(u32::MAX)) / 1_000.0;
    macro_rules! event {
        ($level:ident) => {
            tracing::$level!(
                target: "invocation",
                function = invocation.function,
                request_id = invocation.request_id,
                tenant = invocation.tenant,
                status = invocation.status,
                duration_ms,
                batch.records = invocation.batch.map(|(records, _)| records),
                batch.failures = invocation.batch.map(|(_, failures)| failures).filter(|failures| *failures > 0),
                ringcentral.calls = Some(invocation.upstream_calls).filter(|calls| *calls > 0),
                ringcentral.operation = upstream_operation,
                ringcentral.status = upstream_status,
                ringcentral.request_id = upstream_request_id,
                ringcentral.budget = invocation.budget.as_ref().map(|budget| budget.remaining),
                path,
                problem = problem.map(|(kind, _, _)| kind.as_str()),
                ringcentral.code = problem.and_then(|(_, code, _)| code.as_deref()),
                fields = problem.map(|(_, _, fields)| fields.as_str()).filter(|fields| !fields.is_empty()),
                error = invocation.error,
                "{}",
                invocation.operation
            )
        };
    }
    match level(invocation) {
        Level::ERROR => event!(error),
        Level::WARN => event!(warn),
        Level::DEBUG => event!(debug),
        _ => event!(info),
    }
}

/// How loud an invocation is: failures at ERROR, what alarms count at WARN or above whatever `LOG_LEVEL` is.
fn level(invocation: &Invocation) -> Level {
    match invocation.status {
        500.. => Level::ERROR,
        429 => Level::WARN,
        _ if invocation.batch.is_some() && invocation.error.is_some() => Level::WARN,
        ..400 if invocation.told_elsewhere && invocation.error.is_none() => Level::DEBUG,
        _ => Level::INFO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_invocation_collects_what_happens_inside_it() {
        let mut closed = None;
        observe(
            Invocation::default(),
            async {
                tenant("acme");
                upstream("listExtensions", 0, None);
                upstream("listExtensions", 200, Some("rc-1"));
            },
            |(), invocation| closed = Some(invocation.clone()),
        )
        .await;
        let closed = closed.unwrap();
        assert_eq!((closed.tenant.as_deref(), closed.upstream_calls), (Some("acme"), 2));
        assert_eq!(closed.upstream_last, Some(("listExtensions", 200, Some("rc-1".to_owned()))));
    }

    #[test]
    fn regression_a_caller_told_to_come_later_is_logged_at_every_log_level_of_a_deployment() {
        let of = |status| level(&Invocation { status, ..Invocation::default() });
        assert_eq!([200, 404, 429, 503].map(of), [Level::INFO, Level::INFO, Level::WARN, Level::ERROR]);
    }

    #[test]
    fn outside_of_an_invocation_nothing_happens() {
        tenant("nobody");
    }
}
