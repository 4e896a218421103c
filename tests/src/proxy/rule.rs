//! What shall happen to which requests.

use tokio::sync::watch;

use super::Proxy;

/// What happens to a request.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Hold(Held),
    Lose,
    Empty,
    Cut,
    Answer { status: u16, headers: Vec<(&'static str, String)>, body: String },
}

/// A rule that stands.
#[derive(Debug)]
pub(super) struct Met {
    operation: &'static str,
    path: Option<String>,
    /// How often it is still to happen; absent: until it is cleared.
    left: Option<u32>,
    after: bool,
    act: Act,
}

impl Met {
    pub(super) fn concerns(&self, operation: &str, path: &str, after: bool) -> bool {
        self.operation == operation
            && self.path.as_deref().is_none_or(|part| path.contains(part))
            && self.left != Some(0)
            && self.after == after
    }

    pub(super) fn take(&mut self) -> Act {
        self.left = self.left.map(|left| left.saturating_sub(1));
        self.act.clone()
    }
}

/// A rule in the making; the last call says what happens and puts it in force.
#[derive(Debug)]
#[must_use = "a rule holds once it is said what happens"]
pub struct Rule {
    proxy: Proxy,
    operation: &'static str,
    path: Option<String>,
    left: Option<u32>,
    after: bool,
}

impl Rule {
    pub(super) fn new(proxy: Proxy, operation: &'static str) -> Self {
        Self { proxy, operation, path: None, left: None, after: false }
    }

    /// Only this many times.
    pub fn times(self, count: u32) -> Self {
        Self { left: Some(count), ..self }
    }

    /// Only where the path and query have this in them.
    pub fn path(self, part: impl Into<String>) -> Self {
        Self { path: Some(part.into()), ..self }
    }

    /// After RingCentral has done its work, on the way back.
    pub fn after(self) -> Self {
        Self { after: true, ..self }
    }

    /// Keeps the request, or its answer, until it is released.
    pub fn hold(self) -> Held {
        let held = Held(watch::Sender::new(State::default()));
        self.put(Act::Hold(held.clone()));
        held
    }

    /// Ends the connection without an answer.
    pub fn lose(self) {
        self.put(Act::Lose);
    }

    /// Answers with the status and no body; before the work that is a 200 of a stranger.
    pub fn empty(self) {
        self.put(Act::Empty);
    }

    /// Answers with the first half of the body and ends the connection.
    pub fn cut(self) {
        self.put(Act::Cut);
    }

    /// Answers in the place of RingCentral.
    pub fn stranger(self, status: u16, body: impl Into<String>) {
        self.stranger_with(status, Vec::new(), body);
    }

    /// Answers in the place of RingCentral, with these headers.
    pub fn stranger_with(self, status: u16, headers: Vec<(&'static str, String)>, body: impl Into<String>) {
        self.put(Act::Answer { status, headers, body: body.into() });
    }

    fn put(self, act: Act) {
        let Self { proxy, operation, path, left, after } = self;
        proxy.add(Met { operation, path, left, after, act });
    }
}

/// Requests that are held. Clones hold the same.
#[derive(Debug, Clone)]
pub struct Held(watch::Sender<State>);

#[derive(Debug, Default)]
struct State {
    arrived: u32,
    finished: u32,
    released: bool,
}

impl Held {
    /// Returns once a request is held here.
    pub async fn arrived(&self) {
        self.arrivals(1).await;
    }

    /// Returns once so many requests were held here.
    pub async fn arrivals(&self, count: u32) {
        self.until(|state| state.arrived >= count).await;
    }

    /// Lets all that are held here go on, now and later.
    pub fn release(&self) {
        self.0.send_modify(|state| state.released = true);
    }

    /// Lets them go on and returns once each of them was answered: RingCentral has done its work.
    pub async fn carried_out(&self) {
        self.release();
        self.until(|state| state.finished == state.arrived).await;
    }

    pub(super) async fn wait(&self) {
        self.0.send_modify(|state| state.arrived += 1);
        self.until(|state| state.released).await;
    }

    pub(super) fn finish(&self) {
        self.0.send_modify(|state| state.finished += 1);
    }

    async fn until(&self, is_so: impl Fn(&State) -> bool) {
        // The sender lives in `self`, so the only error, a dropped sender, can't happen here.
        let _ = self.0.subscribe().wait_for(is_so).await;
    }
}
