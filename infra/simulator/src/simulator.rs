//! The simulator itself: one shared state, the clock, the task that delivers, and everything a test can do to it in
//! process. The same is offered over HTTP by the admin endpoints.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use loopback::Key;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::clock::{Clock, between};
use crate::config::{Config, Group, Limit, Limits};
use crate::events::delivery::Attempt;
use crate::events::log::EventRecord;
use crate::events::{EventsMade, EventsOrder, EventsStatus, RawEvent};
use crate::faults::{Fault, FaultKind};
use crate::keep::Keep;
use crate::line::{Lines, Switch};
use crate::state::State;
use crate::stats::Stats;
use crate::subscriptions::webhook;
use crate::{admin, pipeline};

/// Longest real time the delivering task sleeps, so that expiries and reminders are never far behind.
const NAP: Duration = Duration::from_secs(1);

/// A RingCentral that behaves. Clones are the same simulator.
#[derive(Clone, Debug)]
pub struct Simulator(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: Arc<Config>,
    state: Mutex<State>,
    /// Locked before the state.
    keep: Mutex<Option<Keep>>,
    webhooks: reqwest::Client,
    wake: Arc<Notify>,
    driven: AtomicBool,
}

impl Simulator {
    /// A simulator with a clean world, or the one that is kept.
    pub fn new(config: Config) -> Self {
        let config = Arc::new(config);
        let clean = |now| State::new(Arc::clone(&config), now);
        let (keep, state) = match config.kept_in.clone() {
            Some(path) => {
                let (keep, state) = Keep::open(path, clean, &config);
                (Some(keep), state)
            }
            None => (None, clean(config.clock.now())),
        };
        let (state, keep) = (Mutex::new(state), Mutex::new(keep));
        let (webhooks, wake) = (webhook::client(), Arc::new(Notify::new()));
        Self(Arc::new(Inner { config, state, keep, webhooks, wake, driven: AtomicBool::new(false) }))
    }

    /// The platform and, under `/_sim`, the admin endpoints. Called inside a Tokio runtime with a clock that runs by
    /// itself, this also starts the task that delivers notifications; it ends with the last clone.
    pub fn router(&self) -> Router {
        self.drive();
        let simulator = self.clone();
        let platform = move |request: Request| pipeline::handle(simulator.clone(), request);
        admin::router(self.clone()).fallback(platform)
    }

    /// Serves on a listener until the future is dropped.
    ///
    /// # Errors
    /// Whatever the listener fails with.
    pub async fn serve(&self, listener: TcpListener) -> std::io::Result<()> {
        let service = self.router().into_make_service_with_connect_info::<Switch>();
        axum::serve(Lines(listener), service).await
    }

    /// What the admin endpoints ask for: as the password of HTTP Basic, or as a bearer token.
    pub fn admin_key(&self) -> &Key {
        &self.0.config.admin_key
    }

    /// The simulated clock.
    pub fn clock(&self) -> &Clock {
        &self.0.config.clock
    }

    /// What was counted since the start or the last reset.
    pub fn stats(&self) -> Stats {
        self.lock().stats(self.clock().now())
    }

    /// A clean world from the same seed. Sessions, subscriptions, faults, counters and changed limits are gone; the
    /// clock goes on.
    pub fn reset(&self) {
        let mut keep = self.0.keep.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock().now();
        let state = State::new(Arc::clone(&self.0.config), now);
        if let Some(keep) = keep.as_mut() {
            keep.begin(&state, &self.0.config, now);
        }
        *self.lock() = state;
        drop(keep);
        self.keep();
    }

    /// The limits in force.
    pub fn limits(&self) -> Limits {
        self.lock().throttle.limits
    }

    /// Changes the limit of a group from now on.
    pub fn set_limit(&self, group: Group, limit: Limit) {
        self.lock().throttle.limits.set(group, limit);
    }

    /// Counts an operation in another group than its description says, from now on.
    pub fn regroup(&self, operation: &str, group: Group) {
        self.lock().regrouped.insert(operation.to_owned(), group);
    }

    /// Switches the limits on or off.
    pub fn enforce_limits(&self, enabled: bool) {
        self.lock().throttle.limits.enabled = enabled;
    }

    /// Sets a fault and returns its id. `revoke_tokens` is carried out at once and leaves nothing to clear.
    pub fn add_fault(&self, fault: Fault) -> u64 {
        let mut state = self.lock();
        if fault.kind == FaultKind::RevokeTokens {
            state.sessions.revoke_all();
            state.faults.carried_out += 1;
            return 0;
        }
        state.faults.add(fault)
    }

    /// The faults that are set, with their ids and what is left of their counts.
    pub fn faults(&self) -> Vec<(u64, Fault)> {
        self.lock().faults.list()
    }

    /// Removes one fault; false when there is none of this id.
    pub fn remove_fault(&self, id: u64) -> bool {
        self.lock().faults.remove(id)
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// Ends every session at once.
    pub fn revoke_tokens(&self) {
        self.lock().sessions.revoke_all();
    }

    /// Makes events up for every active subscription. They are delivered in the background, or by
    /// [`Simulator::tick`] when the clock is manual.
    pub fn generate_events(&self, order: &EventsOrder) -> EventsMade {
        let made = self.lock().generate(order, self.clock().now());
        self.0.wake.notify_one();
        made
    }

    /// Sends one crafted event to every active subscription that listens to its path; returns a uuid for each.
    pub fn send_event(&self, event: &RawEvent) -> Vec<String> {
        let uuids = self.lock().publish_raw(event, self.clock().now());
        self.0.wake.notify_one();
        uuids
    }

    /// Every event so far, in the order they happened.
    pub fn events(&self) -> Vec<EventRecord> {
        self.lock().events.records.clone()
    }

    /// How the notifications fare.
    pub fn events_status(&self) -> EventsStatus {
        self.lock().events_status()
    }

    /// The account as it really is: ids, sites, counts and all extensions.
    pub fn truth(&self) -> Value {
        admin::truth(&self.lock())
    }

    /// An extension as it really is, without its links' host.
    pub fn extension(&self, id: u64) -> Option<Value> {
        let state = self.lock();
        state.world.extensions.get(&id).map(|one| one.render(&state.world, ""))
    }

    /// Carries out all that is due at the present time of the clock, and returns when it is done: expiries,
    /// blacklisting, reminders, and every delivery that is due, those that become due meanwhile included.
    pub async fn tick(&self) {
        let mut under_way = JoinSet::new();
        loop {
            for attempt in self.take_due() {
                under_way.spawn(self.clone().attempt(attempt));
            }
            if under_way.join_next().await.is_none() {
                return;
            }
        }
    }

    /// Moves the clock and carries out all that is due then.
    pub async fn advance(&self, by: Duration) {
        self.clock().advance(by);
        self.tick().await;
    }

    /// Writes what has changed since the last time, if it is kept at all. On return it is written.
    pub(crate) fn keep(&self) {
        let mut keep = self.0.keep.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(keep) = keep.as_mut() else { return };
        let change = keep.differ(&self.lock());
        if let Some(change) = change {
            keep.write(change, self.clock().now());
        }
    }

    /// Does something to the state, and keeps the subscriptions that it has ended.
    fn ending<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let alive = |state: &State| {
            let list = &state.subscriptions.list;
            (list.len(), list.iter().filter(|one| one.is_active()).count())
        };
        let (done, ended) = {
            let mut state = self.lock();
            let before = alive(&state);
            (work(&mut state), before != alive(&state))
        };
        if ended {
            self.keep();
        }
        done
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn webhooks(&self) -> &reqwest::Client {
        &self.0.webhooks
    }

    pub(crate) fn wake(&self) {
        self.0.wake.notify_one();
    }

    fn take_due(&self) -> Vec<Attempt> {
        self.ending(|state| {
            let now = self.clock().now();
            state.sweep(self.clock(), now);
            state.take_due(now)
        })
    }

    async fn attempt(self, attempt: Attempt) {
        let token = attempt.verification_token.as_deref();
        let body = attempt.delivery.body.clone();
        let outcome = webhook::deliver(self.webhooks(), &attempt.address, token, body).await;
        self.ending(|state| state.settle(attempt, outcome, self.clock().now()));
        self.0.wake.notify_one();
    }

    /// Starts the delivering task, once, where the clock runs by itself.
    fn drive(&self) {
        let Ok(runtime) = Handle::try_current() else { return };
        if self.clock().is_manual() || self.0.driven.swap(true, Ordering::SeqCst) {
            return;
        }
        runtime.spawn(drive(Arc::downgrade(&self.0), Arc::clone(&self.0.wake)));
    }

    /// Real time until something is due.
    fn nap(&self) -> Duration {
        let next = self.lock().subscriptions.next_due(self.0.config.deliveries_in_flight.max(1));
        let wait = next.map_or(NAP, |due| self.clock().real(between(self.clock().now(), due)));
        // A nap below the resolution of the timer would be a busy loop.
        wait.clamp(Duration::from_millis(1), NAP)
    }
}

async fn drive(simulator: Weak<Inner>, wake: Arc<Notify>) {
    loop {
        let Some(inner) = simulator.upgrade() else { return };
        let simulator = Simulator(inner);
        for attempt in simulator.take_due() {
            tokio::spawn(simulator.clone().attempt(attempt));
        }
        let nap = simulator.nap();
        drop(simulator);
        tokio::select! {
            () = wake.notified() => {}
            () = tokio::time::sleep(nap) => {}
        }
    }
}
