//! A caller: it asks for a token, uses it, and says so if RingCentral does not accept it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use clock::{Clock, Millis};
use futures::future::{Either, select};
use ringcentral::{Credentials, Session, Strikes, TokenError, TokenRecord};
use secrecy::ExposeSecret;

use super::{
    ContainerId, Dice, Event, Journal, Scenario, SkewedClock, ledger::Ledger, platform::Platform,
    verdict::Tally,
};

/// The session promises at least this much of a token's life.
const MARGIN: Millis = 3_000;

/// What the callers of one container share.
pub(crate) struct Container {
    pub(crate) id: ContainerId,
    pub(crate) clock: SkewedClock,
    pub(crate) session: Session,
    pub(crate) platform: Platform,
    pub(crate) journal: Journal<Event>,
    pub(crate) ledger: Ledger,
    pub(crate) tally: Tally,
    pub(crate) scenario: Arc<Scenario>,
    /// True time at which its callers stop.
    pub(crate) ends: Millis,
    /// True time from which on it has the new credentials.
    pub(crate) rotates: Option<Millis>,
    /// How many callers wait for a token now.
    pub(crate) waiting: AtomicUsize,
}

/// The credentials of the user, first or stored anew. `named`: the JWT says whose it is (`{"sub":"7"}`).
pub(crate) fn credentials(anew: bool, named: bool) -> Credentials {
    let signature = if anew { "second" } else { "first" };
    let jwt = if named { format!("e30.eyJzdWIiOiI3In0.{signature}") } else { signature.to_owned() };
    Credentials {
        server_url: "https://platform.ringcentral.com".to_owned(),
        client_id: "app".to_owned(),
        client_secret: "secret".into(),
        jwt: jwt.into(),
        version: Millis::from(anew),
    }
}

impl Container {
    pub(crate) async fn call(self: Arc<Self>, caller: usize, mut dice: Dice) {
        let timeline = &self.clock.timeline;
        while timeline.now() < self.ends {
            let pause = match self.use_token(caller, &mut dice).await {
                true => dice.between(0, self.scenario.pause),
                false => dice.between(500, 5_000),
            };
            timeline.sleep_until((timeline.now() + pause).min(self.ends)).await;
        }
    }

    fn credentials(&self) -> Credentials {
        let named = self.scenario.rotation.as_ref().is_some_and(|rotation| rotation.named);
        credentials(self.rotates.is_some_and(|at| self.clock.timeline.now() >= at), named)
    }

    /// One call of the API, as the client makes it.
    async fn use_token(&self, caller: usize, dice: &mut Dice) -> bool {
        let (tenant, credentials) = ("acme".parse().unwrap(), self.credentials());
        let mut strikes = Strikes::default();
        loop {
            let Some(token) = self.token(caller, &credentials, strikes, dice).await else { return false };
            let sent = self.clock.now();
            let accepted = self.platform.request(token.access_token.expose_secret()).await.unwrap();
            self.journal.note(self.id, Event::Used { caller, accepted });
            if accepted {
                self.session.accepted(&tenant, &credentials, &token, sent).await;
                return true;
            }
            let again = self.session.refused(&tenant, &credentials, &mut strikes, &token, "401").await;
            if !matches!(again, Ok(true)) {
                self.journal.note(self.id, Event::MarkedBad { caller, written: again.is_ok() });
                return false;
            }
        }
    }

    async fn token(
        &self,
        caller: usize,
        credentials: &Credentials,
        strikes: Strikes,
        dice: &mut Dice,
    ) -> Option<TokenRecord> {
        let timeline = &self.clock.timeline;
        self.journal.note(self.id, Event::Asked { caller, strikes });
        let (since, limit) = (timeline.now(), self.scenario.giving_up && dice.chance(100));
        let limit = timeline.now() + if limit { dice.between(1, 2_000) } else { Millis::MAX / 2 };
        let tenant = "acme".parse().unwrap();
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let asked = Box::pin(self.session.token(&tenant, credentials, strikes));
        let result = match select(asked, timeline.sleep_until(limit)).await {
            Either::Left((result, _)) => Some(result),
            Either::Right(_) => None,
        };
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        let waited = timeline.now() - since - self.ledger.frozen(self.id, since);
        let Some(result) = result else {
            self.journal.note(self.id, Event::GaveUp { caller });
            self.ledger.troubled(self.id);
            return None;
        };
        self.tally.waited(waited);
        match result {
            Ok(token) => {
                let left = self.platform.left(token.access_token.expose_secret());
                self.journal.note(self.id, Event::Got { caller, generation: token.generation, left });
                if left < MARGIN {
                    self.ledger.broken(format!("container {} got a token with {left} ms left", self.id));
                }
                self.tally.served();
                Some(token)
            }
            Err(error) => {
                let why = reason(&error);
                self.tally.failed(why, timeline.now());
                self.journal.note(self.id, Event::Failed { caller, why });
                None
            }
        }
    }
}

fn reason(error: &TokenError) -> &'static str {
    match error {
        TokenError::Refused { .. } => "refused",
        TokenError::Unavailable(_) => "unavailable",
        TokenError::CircuitOpen { .. } => "circuit",
        TokenError::RateLimited { .. } | TokenError::Throttled { .. } => "rate limited",
        TokenError::Store(_) => "token table",
        TokenError::Windows(_) => "windows",
    }
}
