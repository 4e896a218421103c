//! RingCentral's sessions: a token endpoint that issues, refuses, throttles and fails, and an API that knows every token.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use clock::Millis;
use http::{HeaderMap, HeaderValue};
use ringcentral::{Credentials, NoReply, TokenEndpoint, TokenReply};
use tokio::sync::oneshot;

use super::{
    ContainerId, Dice, Event, Journal, Scenario, Timeline, fleet::Mischief, ledger::Ledger, scenario::Span,
};

/// RingCentral's Auth window, and how many sessions of one app and user it keeps.
pub(crate) const LIMIT: usize = 5;
pub(crate) const WINDOW: Millis = 60_000;
const SESSIONS: usize = 5;
/// Whoever asks gives up after this long.
const TIMEOUT: Millis = 8_000;

/// The platform and the network in front of it. Clones share them.
#[derive(Clone)]
pub(crate) struct Platform {
    timeline: Timeline,
    journal: Journal<Event>,
    ledger: Ledger,
    scenario: Arc<Scenario>,
    pub(crate) start: Millis,
    dice: Arc<Mutex<Dice>>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    sessions: Vec<Session>,
    accepted: VecDeque<Millis>,
    penalty_until: Millis,
    arrivals: Vec<(Millis, u16)>,
}

struct Session {
    token: String,
    issued: Millis,
    ends: Millis,
    revoked: bool,
    poisoned: bool,
    /// It was refused although it is good.
    blinked: bool,
}

/// The token endpoint as one container reaches it.
pub(crate) struct Endpoint {
    pub(crate) platform: Platform,
    pub(crate) container: ContainerId,
    pub(crate) mischief: Mischief,
}

impl Platform {
    pub(crate) fn new(
        (timeline, journal, ledger): (Timeline, Journal<Event>, Ledger),
        scenario: Arc<Scenario>,
        dice: Dice,
    ) -> Self {
        let (dice, state) = (Arc::new(Mutex::new(dice)), Arc::default());
        Self { start: timeline.now(), timeline, journal, ledger, scenario, dice, state }
    }

    /// Whether the time for this has come.
    fn is_past(&self, after: Option<Millis>) -> bool {
        after.is_some_and(|after| self.timeline.now() >= self.start + after)
    }

    /// Whether one of these spans is now.
    fn is_in(&self, spans: &[Span]) -> bool {
        let after = self.timeline.now() - self.start;
        spans.iter().any(|(from, until)| (*from..*until).contains(&after))
    }

    /// One request at the token endpoint, with the credentials that were stored anew or with the first ones.
    fn grant(&self, fails: bool, anew: bool) -> TokenReply {
        let now = self.timeline.now();
        if self.is_in(&self.scenario.strangers) {
            self.state.lock().unwrap().arrivals.push((now, 403));
            let body = "<html>Forbidden</html>".into();
            return TokenReply { status: 403, headers: HeaderMap::new(), body };
        }
        let spreads = self.scenario.rotation.as_ref().map(|rotation| rotation.at + rotation.spreads);
        let unknown = anew && !self.is_past(spreads);
        let mut state = self.state.lock().unwrap();
        while state.accepted.front().is_some_and(|accepted| *accepted <= now - WINDOW) {
            state.accepted.pop_front();
        }
        let throttled = now < state.penalty_until || state.accepted.len() >= LIMIT;
        match throttled {
            true => state.penalty_until = now + WINDOW,
            false => state.accepted.push_back(now),
        }
        let (status, body) = match (throttled, fails, self.is_past(self.scenario.refused_from)) {
            (true, ..) => (429, r#"{"errorCode":"CMN-301"}"#.to_owned()),
            (_, true, _) => (503, String::new()),
            _ if unknown => {
                let body = r#"{"error":"invalid_client","errors":[{"errorCode":"OAU-146"}]}"#;
                (401, body.to_owned())
            }
            (.., true) => (400, r#"{"error":"invalid_grant","errors":[{"errorCode":"OAU-140"}]}"#.to_owned()),
            _ => {
                let token = format!("token-{}", state.sessions.len());
                let life = self.scenario.life;
                let body =
                    format!(r#"{{"access_token":"{token}","expires_in":{},"owner_id":"7"}}"#, life / 1_000);
                let poisoned = self.is_past(self.scenario.poisoned_from);
                state.sessions.push(Session {
                    token,
                    issued: now,
                    ends: now + life,
                    revoked: false,
                    poisoned,
                    blinked: false,
                });
                let live =
                    state.sessions.iter_mut().rev().filter(|session| !session.revoked && now < session.ends);
                live.skip(SESSIONS).for_each(|session| session.revoked = true);
                (200, body)
            }
        };
        state.arrivals.push((now, status));
        let mut headers = HeaderMap::new();
        let remaining = LIMIT.saturating_sub(state.accepted.len());
        headers.insert("x-rate-limit-limit", HeaderValue::from(LIMIT));
        headers.insert("x-rate-limit-window", HeaderValue::from(WINDOW / 1_000));
        headers.insert("x-rate-limit-remaining", HeaderValue::from(remaining));
        TokenReply { status, headers, body: body.into() }
    }

    /// Whether somebody who has this token, if any, has reason to ask for another.
    fn is_due(&self, token: Option<&str>) -> bool {
        let now = self.timeline.now();
        let state = self.state.lock().unwrap();
        let session = token.and_then(|token| state.sessions.iter().find(|session| session.token == token));
        session.is_none_or(|session| {
            let refresh = session.issued + (session.ends - session.issued) * 7 / 10;
            session.revoked || session.poisoned || session.blinked || now >= refresh
        })
    }

    /// How long this token has left.
    pub(crate) fn left(&self, token: &str) -> Millis {
        let state = self.state.lock().unwrap();
        let session = state.sessions.iter().find(|session| session.token == token);
        session.map_or(Millis::MIN, |session| session.ends - self.timeline.now())
    }

    /// A request of the API with this token: whether it is accepted, once that is known.
    pub(crate) fn request(&self, token: &str) -> oneshot::Receiver<bool> {
        let (reply, answer) = oneshot::channel();
        let (there, back) = {
            let mut dice = self.dice.lock().unwrap();
            (dice.between(1, 500), dice.between(1, 500))
        };
        let (platform, token) = (self.clone(), token.to_owned());
        self.timeline.after(there, move || {
            let now = platform.timeline.now();
            let mut state = platform.state.lock().unwrap();
            let mut sessions = state.sessions.iter_mut();
            let good = sessions.find(|session| {
                session.token == token && !session.revoked && !session.poisoned && now < session.ends
            });
            let blinks = platform.is_in(&platform.scenario.blinks);
            let accepted = good.is_some() && !blinks;
            if let Some(session) = good {
                session.blinked |= blinks;
            }
            drop(state);
            platform.timeline.after(back, move || {
                let _ = reply.send(accepted);
            });
        });
        answer
    }

    /// Ends every session.
    pub(crate) fn revoke(&self) {
        let mut state = self.state.lock().unwrap();
        let live = state.sessions.iter_mut().filter(|session| !session.revoked);
        let tokens = live.map(|session| session.revoked = true).count();
        self.journal.note_outside(Event::Revoked { tokens });
    }

    /// When tokens were issued that are not accepted.
    pub(crate) fn poisoned(&self) -> Vec<Millis> {
        let state = self.state.lock().unwrap();
        let poisoned = state.sessions.iter().filter(|session| session.poisoned);
        poisoned.map(|session| session.issued).collect()
    }

    /// When token requests arrived, and how they were answered.
    pub(crate) fn arrivals(&self) -> Vec<(Millis, u16)> {
        self.state.lock().unwrap().arrivals.clone()
    }
}

/// What becomes of a request on its way.
struct Fate {
    there: Millis,
    back: Millis,
    reached: bool,
    fails: bool,
}

impl Endpoint {
    fn fate(&self) -> Fate {
        let mut dice = self.platform.dice.lock().unwrap();
        // The gate's pad covers half a second.
        let (there, back) = (dice.between(1, 400), dice.between(10, 600));
        // A slow answer is nobody's failure.
        let back = if dice.chance(100) { dice.between(1_000, 7_500) } else { back };
        let well = Fate { there, back, reached: true, fails: false };
        if !self.platform.scenario.failures || !dice.chance(300) {
            return well;
        }
        match dice.index(3) {
            0 => Fate { reached: false, ..well },
            1 => Fate { fails: true, ..well },
            _ => Fate { back: TIMEOUT, ..well },
        }
    }
}

#[async_trait]
impl TokenEndpoint for Endpoint {
    async fn jwt_bearer(&self, credentials: &Credentials) -> Result<TokenReply, NoReply> {
        let (platform, container) = (self.platform.clone(), self.container);
        let key = format!("acme#{}", credentials.fingerprint());
        let due = platform.is_due(platform.ledger.published_token(&key).as_deref());
        let flight = platform.ledger.sent(container, &key, due);
        let anew = credentials.version > 0;
        platform.journal.note(container, Event::GrantSent { flight });
        self.mischief.sent(container, flight);
        let Fate { there, back, reached, fails } = self.fate();
        let (reply, answer) = oneshot::channel();
        platform.timeline.clone().after(there, move || {
            let answer = reached.then(|| platform.grant(fails, anew));
            let status = answer.as_ref().map_or(0, |answer| answer.status);
            platform.journal.note(container, Event::GrantArrived { status });
            if status != 200 || there + back >= TIMEOUT {
                platform.ledger.failed(flight);
            }
            platform.timeline.clone().after(back.min(TIMEOUT - there), move || {
                let answer = answer.filter(|_| there + back < TIMEOUT);
                platform.journal.note(container, Event::GrantAnswered { flight, status });
                let _ =
                    reply.send(answer.ok_or(NoReply { arrived: reached, reason: "no answer".to_owned() }));
            });
        });
        answer.await.unwrap()
    }
}
