//! The pipeline every call takes: session → gate → send → classify, and again where that is safe.
//!
//! The token comes before the permit, because a permit has to be used at once.

use std::{sync::Arc, time::Duration};

use clock::{Deadline, Millis, SharedClock};
use gate::{Bucket, Gate, GateError, Group, Notice, Outcome, Patience, Permit, Priority, Scope, Window};
use rand::RngExt;
use secrecy::ExposeSecret;
use serde_json::value::RawValue;
use tenant::TenantId;

use crate::{
    Answer, CallError, CredentialSource, Credentials, Operation, Reach, Rejection, Request, RetryPolicy,
    Session, Strikes, TokenError, TokenRecord,
    attempt::{self, Unanswered},
    groups::Groups,
    operations::GET_TOKEN,
};

/// How long the body of a 429 is waited for (milliseconds).
const PATIENCE: Millis = 2_000;
/// When a call may be repeated that was a duplicate of one under way, if RingCentral doesn't say (milliseconds).
const MOMENT: Millis = 2_000;
/// With less time than this nothing is sent any more (milliseconds).
const LEAST: Millis = 1_000;

/// How long calls may take and how often they are repeated.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Attempts and backoff.
    pub retry: RetryPolicy,
    /// How long one request may take.
    pub timeout: Duration,
    /// How long a call may take with all its repetitions, unless its invocation ends sooner ([`Deadline`]).
    pub budget: Duration,
    /// How long a call waits for its slot in the rate window before it says "later".
    pub patience: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            timeout: Duration::from_secs(14),
            budget: Duration::from_secs(25),
            patience: Duration::from_secs(3),
        }
    }
}

/// The client. Cheap to clone; clones share windows, tokens and connections.
#[derive(Clone)]
pub struct RingCentral {
    http: reqwest::Client,
    gate: Gate,
    session: Session,
    credentials: Arc<dyn CredentialSource>,
    clock: SharedClock,
    settings: Settings,
    groups: Groups,
}

impl std::fmt::Debug for RingCentral {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RingCentral").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// What one attempt came to.
enum Step {
    Answered(Answer),
    Failed(CallError),
    TokenRefused(Box<Rejection>),
    /// It may work next time, after as many milliseconds as RingCentral asked for.
    Broken(Unanswered, Option<Millis>),
}

impl RingCentral {
    /// A client over the fleet's gate and session.
    #[must_use]
    pub fn new(
        http: reqwest::Client,
        gate: Gate,
        session: Session,
        credentials: Arc<dyn CredentialSource>,
        clock: SharedClock,
        settings: Settings,
    ) -> Self {
        Self { http, gate, session, credentials, clock, settings, groups: Groups::default() }
    }

    /// Makes a call for a tenant.
    ///
    /// # Errors
    /// [`CallError`]. A POST is never repeated once it may have arrived: see [`CallError::is_ambiguous`].
    pub async fn call(&self, tenant: &TenantId, request: &Request) -> Result<Answer, CallError> {
        let operation = request.operation();
        let mut arrived = None;
        match (self.attempts(tenant, request, &mut arrived).await, arrived) {
            // It was sent before and may have been carried out, whatever keeps it from being sent again.
            (Err(error), Some((attempts, failure))) if !error.is_answer() && operation.method != "GET" => {
                let Unanswered { reason, request_id, answered, .. } = failure;
                let (operation, ambiguous) = (operation.id, true);
                Err(CallError::Unavailable { operation, attempts, reason, request_id, ambiguous, answered })
            }
            (outcome, _) => outcome,
        }
    }

    /// Tries until an attempt counts; notes the last one that may have been carried out without an answer that says so.
    async fn attempts(
        &self,
        tenant: &TenantId,
        request: &Request,
        pending: &mut Option<(u32, Unanswered)>,
    ) -> Result<Answer, CallError> {
        let operation = request.operation();
        let deadline = self.deadline();
        if let Some(parameter) = request.dots() {
            return Err(CallError::Unaddressable { operation: operation.id, parameter });
        }
        if !self.has_time(deadline) {
            return Err(CallError::late(operation));
        }
        let credentials = self.credentials.credentials(tenant).await?;
        let (mut attempts, mut strikes) = (0, Strikes::default());
        loop {
            attempts += 1;
            let token =
                self.session.token(tenant, &credentials, strikes).await.map_err(|error| self.widen(error))?;
            let (failure, after) = match self.attempt(tenant, &credentials, &token, request, deadline).await?
            {
                Step::Answered(answer) => return Ok(answer),
                // An earlier attempt has deleted it.
                Step::Failed(CallError::Rejected { rejection, .. })
                    if operation.method == "DELETE"
                        && rejection.status == 404
                        && rejection.is_ringcentrals()
                        && pending.is_some() =>
                {
                    let (status, request_id) = (http::StatusCode::NO_CONTENT, rejection.request_id);
                    return Ok(Answer { status, request_id, body: bytes::Bytes::new() });
                }
                Step::Failed(error) => return Err(error),
                Step::TokenRefused(rejection) => {
                    let reason = rejection.to_string();
                    if self.session.refused(tenant, &credentials, &mut strikes, &token, &reason).await? {
                        continue;
                    }
                    return Err(CallError::Rejected { operation: operation.id, rejection });
                }
                Step::Broken(failure, after) => (failure, after),
            };
            let Unanswered { arrived, reason, request_id, answered } = failure.clone();
            if arrived {
                *pending = Some((attempts, failure));
            }
            let backoff = self.settings.retry.backoff(attempts, rand::rng().random());
            let at = self.clock.now() + after.unwrap_or_else(|| millis(backoff));
            let repeatable = operation.is_idempotent() || !arrived;
            if !repeatable || attempts >= self.settings.retry.attempts || at + LEAST > deadline {
                let operation = operation.id;
                return Err(CallError::Unavailable {
                    operation,
                    attempts,
                    reason,
                    request_id,
                    ambiguous: false,
                    answered,
                });
            }
            self.clock.sleep_until(at).await;
        }
    }

    /// Makes a call whose answer has a body, and passes that on as it came.
    ///
    /// # Errors
    /// Those of [`RingCentral::call`], and [`CallError::Unreadable`] if the body is missing.
    pub async fn raw(&self, tenant: &TenantId, request: &Request) -> Result<Box<RawValue>, CallError> {
        let answer = self.call(tenant, request).await?;
        answer.raw().map_err(|error| CallError::unreadable(request.operation(), &error))
    }

    /// The time of the clock that calls are timed with (milliseconds since the epoch).
    #[must_use]
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The instant by which a call that starts now has ended.
    fn deadline(&self) -> Millis {
        let own = self.clock.now() + millis(self.settings.budget);
        Deadline::current().map_or(own, |Deadline(end)| own.min(end))
    }

    fn has_time(&self, deadline: Millis) -> bool {
        self.clock.now() + LEAST <= deadline
    }

    /// Whether a request that is sent now can take all the time one may take before the invocation ends.
    #[must_use]
    pub fn can_finish(&self) -> bool {
        self.clock.now() + millis(self.settings.timeout) <= self.deadline()
    }

    /// Whether RingCentral answers and takes our credentials; costs nothing of the rate budget but a missing token.
    ///
    /// # Errors
    /// Those of [`RingCentral::call`].
    pub async fn ping(&self, tenant: &TenantId) -> Result<(), CallError> {
        self.call(tenant, &Request::of(&crate::operations::READ_API_VERSIONS)).await.map(drop)
    }

    /// The windows of a tenant's app and user as they stand, one for each group RingCentral documents.
    ///
    /// # Errors
    /// [`CallError::Credentials`], [`CallError::Token`] and [`CallError::Windows`].
    pub async fn limits(&self, tenant: &TenantId) -> Result<Vec<(Group, Window)>, CallError> {
        let credentials = self.credentials.credentials(tenant).await?;
        let user = self.session.user(tenant, &credentials).await?;
        let identity = credentials.identity(user.as_deref());
        let windows = ["light", "medium", "heavy", "auth"].map(|name| {
            let group = Group::named(name);
            let bucket = Bucket { identity: identity.clone(), group: group.clone() };
            async move { Ok((group, self.gate.window(&bucket).await.map_err(CallError::Windows)?)) }
        });
        futures::future::try_join_all(windows).await
    }

    async fn attempt(
        &self,
        tenant: &TenantId,
        credentials: &Credentials,
        token: &TokenRecord,
        request: &Request,
        deadline: Millis,
    ) -> Result<Step, CallError> {
        let operation = request.operation();
        let group = self.groups.of(operation);
        let bucket = Bucket { identity: credentials.identity(token.user.as_deref()), group };
        let permit = self.permit(&bucket, request, deadline).await?;
        if !self.has_time(deadline) {
            if let Some(permit) = permit {
                self.settled(&bucket, self.gate.forgo(permit).await).await;
            }
            return Ok(Step::Failed(CallError::late(operation)));
        }
        let sent_at = self.clock.now();
        let until = deadline.min(sent_at + millis(self.settings.timeout));
        let sent = self.build(credentials, token, request).send();
        let response = match attempt::before(&*self.clock, until, sent).await {
            Ok(response) => response,
            Err(failure) => {
                self.settle(&bucket, permit, failure.notice()).await;
                telemetry::upstream(operation.id, 0, None);
                return Ok(Step::Broken(failure, None));
            }
        };
        let notice = attempt::notice(response.status().as_u16(), response.headers());
        let bucket = Bucket { group: self.groups.heard(operation, response.headers()), ..bucket };
        let Outcome::Throttled(wait) = notice.outcome else {
            self.settle(&bucket, permit, notice).await;
            let step = self.classify(operation, response, until).await;
            // A refusal of something else says that the token is good, if it is RingCentral's.
            let accepted = match &step {
                Step::Answered(_) => true,
                Step::Failed(CallError::Rejected { rejection, .. }) => {
                    rejection.status != 401 && rejection.is_ringcentrals()
                }
                _ => false,
            };
            if accepted {
                self.session.accepted(tenant, credentials, token, sent_at).await;
            }
            return Ok(step);
        };
        let (request_id, asked) =
            (attempt::request_id(response.headers()), attempt::retry_after(response.headers()));
        telemetry::upstream(operation.id, 429, request_id.as_deref());
        // What it says is needed at once, and without its body it says what its headers do.
        let body =
            attempt::before(&*self.clock, until.min(self.clock.now() + PATIENCE), response.bytes()).await;
        let rejection = Box::new(Rejection::read(429, request_id, &body.unwrap_or_default()));
        let reach = attempt::reach(&rejection.code, notice.announced.is_some());
        let scope = match reach {
            Reach::Window => None,
            Reach::Call => Some(Scope::Call),
            Reach::Group => Some(Scope::Group),
            Reach::Account => Some(Scope::Account),
            Reach::Address => Some(Scope::Address),
        };
        match scope {
            None => self.settle(&bucket, permit, notice).await,
            Some(scope) => self.settled(&bucket, self.gate.block(&bucket, permit, scope, wait).await).await,
        }
        let wait = if reach == Reach::Call { asked.unwrap_or(MOMENT) } else { wait };
        let (operation, group) = (operation.id, bucket.group);
        Ok(Step::Failed(CallError::Throttled { operation, rejection, wait, group, reach }))
    }

    /// The right to send one request now; operations that RingCentral does not count need none.
    async fn permit(
        &self,
        bucket: &Bucket,
        request: &Request,
        deadline: Millis,
    ) -> Result<Option<Permit>, CallError> {
        if bucket.group.is_unlimited() {
            return Ok(None);
        }
        let left = (deadline - LEAST - self.clock.now()).max(0);
        let patience = Patience(millis(self.settings.patience).min(left));
        match self.gate.pass(bucket, request.priority, patience).await {
            Ok(permit) => Ok(Some(permit)),
            Err(error) => {
                self.tell(bucket).await;
                Err(CallError::from_gate(error, self.clock.now()))
            }
        }
    }

    /// Tells the gate what came of a request. It is sent by now: a store that fails here must not hide what it came to.
    async fn settle(&self, bucket: &Bucket, permit: Option<Permit>, notice: Notice) {
        let Some(permit) = permit else { return };
        let settled = match permit.group() == &bucket.group {
            true => self.gate.settle(permit, notice).await,
            false => self.gate.settle_in(&bucket.group, permit, notice).await,
        };
        self.settled(bucket, settled).await;
    }

    async fn settled(&self, bucket: &Bucket, settled: Result<(), GateError>) {
        if let Err(error) = settled {
            telemetry::failed(&error);
        }
        self.tell(bucket).await;
    }

    /// Tells the invocation what is left of the budget.
    async fn tell(&self, bucket: &Bucket) {
        let (window, now) = (self.gate.last_seen(bucket), self.gate.now());
        let seconds = |millis: Millis| u64::try_from((millis + 999) / 1_000).unwrap_or(0);
        telemetry::budget(telemetry::Budget {
            group: bucket.group.as_str().to_owned(),
            limit: window.limit,
            window_seconds: seconds(window.length),
            remaining: window.remaining(now),
            next_seconds: seconds(window.next_free(now, Priority::Interactive).0 - now),
        });
    }

    fn widen(&self, error: TokenError) -> CallError {
        match error {
            TokenError::RateLimited { at } => {
                let wait = (at - self.clock.now()).max(0);
                CallError::RateLimited { wait, group: Group::named(GET_TOKEN.group), stopped: false }
            }
            TokenError::Throttled { at, rejection } => CallError::Throttled {
                operation: GET_TOKEN.id,
                rejection,
                wait: (at - self.clock.now()).max(0),
                group: Group::named(GET_TOKEN.group),
                reach: Reach::Window,
            },
            TokenError::CircuitOpen { at } => {
                CallError::CircuitOpen { wait: (at - self.clock.now()).max(0), group: Group::named("Auth") }
            }
            TokenError::Windows(cause) => CallError::Windows(cause),
            other => CallError::Token(other),
        }
    }

    /// What an answer means, by its status and its codes, once its body is here: until then the clock here may reach `until`.
    async fn classify(&self, operation: &Operation, response: reqwest::Response, until: Millis) -> Step {
        let (status, request_id) = (response.status(), attempt::request_id(response.headers()));
        let after = attempt::retry_after(response.headers());
        telemetry::upstream(operation.id, status.as_u16(), request_id.as_deref());
        let body = match attempt::before(&*self.clock, until, response.bytes()).await {
            Ok(body) => body,
            Err(failure) => return Step::Broken(Unanswered { arrived: true, ..failure }, None),
        };
        if status.is_success() {
            return whole(Answer { status, request_id, body });
        }
        let rejection = Box::new(Rejection::read(status.as_u16(), request_id.clone(), &body));
        match status.as_u16() {
            408 | 500 | 502..=599 => {
                // Whoever says 503 may be a part of the platform behind which another part has done the work.
                let reason = rejection.to_string();
                let answered = attempt::is_over(&rejection);
                Step::Broken(Unanswered { arrived: true, reason, request_id, answered }, after)
            }
            _ if rejection.is_about_the_token() => Step::TokenRefused(rejection),
            _ => Step::Failed(CallError::Rejected { operation: operation.id, rejection }),
        }
    }

    fn build(
        &self,
        credentials: &Credentials,
        token: &TokenRecord,
        request: &Request,
    ) -> reqwest::RequestBuilder {
        let url = format!("{}{}", credentials.server_url, request.path());
        let mut builder = self
            .http
            .request(request.operation.http_method(), url)
            .bearer_auth(token.access_token.expose_secret())
            .header(http::header::ACCEPT, "application/json");
        if !request.query.is_empty() {
            builder = builder.query(&request.query);
        }
        match &request.body {
            Some(body) => builder.json(body),
            None => builder,
        }
    }
}

/// A 2xx answer counts only if its body is there as a whole.
fn whole(answer: Answer) -> Step {
    let readable = match answer.body.is_empty() {
        true => Ok(()),
        false => serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body).map(drop),
    };
    match readable {
        Ok(()) => Step::Answered(answer),
        Err(error) => {
            let reason = format!("the answer is not whole JSON: {error}");
            Step::Broken(Unanswered { request_id: answer.request_id, ..Unanswered::of(true, reason) }, None)
        }
    }
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX / 2)
}
