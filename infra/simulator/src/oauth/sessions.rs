//! Sessions: who holds which tokens, until when, and of what every dead token died. It never talks HTTP.

use std::collections::HashMap;
use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use uuid::Uuid;

use crate::call::Owner;
use crate::clock::later;
use crate::error::ApiError;

/// How long the previous refresh token repeats the same answer once the new access token is used.
const REPEAT_AFTER_USE: Duration = Duration::from_secs(10);
/// The same while the new access token is unused.
const REPEAT_UNUSED: Duration = Duration::from_secs(3600);

/// A session of a user in an app.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) owner: Owner,
    pub(crate) endpoint_id: String,
    pub(crate) access_token: String,
    pub(crate) access_expires: Timestamp,
    pub(crate) refresh: Option<Refresh>,
}

impl Session {
    fn holds(&self, token: &str) -> bool {
        self.access_token == token || self.refresh.as_ref().is_some_and(|refresh| refresh.token == token)
    }
}

/// The refresh token of a session and the one before it.
#[derive(Clone, Debug)]
pub(crate) struct Refresh {
    pub(crate) token: String,
    pub(crate) expires: Timestamp,
    previous: Option<Previous>,
}

#[derive(Clone, Debug)]
struct Previous {
    token: String,
    replaced: Timestamp,
    /// First use of the access token that came with the replacement.
    used: Option<Timestamp>,
}

impl Previous {
    fn repeats(&self, now: Timestamp) -> bool {
        match self.used {
            Some(used) => now <= later(used, REPEAT_AFTER_USE),
            None => now <= later(self.replaced, REPEAT_UNUSED),
        }
    }
}

/// Lifetimes of the tokens of a grant, simulated.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetimes {
    pub(crate) access: Duration,
    /// Absent when the app issues no refresh tokens.
    pub(crate) refresh: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Death {
    Expired,
    Revoked,
}

/// All sessions of all apps.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    /// Oldest first.
    live: Vec<Session>,
    dead: HashMap<String, Death>,
    pub(crate) issued: u64,
    pub(crate) evicted: u64,
}

impl Sessions {
    /// Starts a session. More than `most` of the same owner evict the oldest one.
    pub(crate) fn start(
        &mut self,
        owner: Owner,
        endpoint_id: Option<String>,
        lifetimes: Lifetimes,
        most: usize,
        now: Timestamp,
    ) -> Session {
        self.prune(now);
        while self.live.iter().filter(|one| one.owner == owner).count() >= most.max(1) {
            let Some(oldest) = self.live.iter().position(|one| one.owner == owner) else { break };
            self.bury(oldest, Death::Revoked);
            self.evicted += 1;
        }
        let session = Session {
            id: Uuid::new_v4().to_string(),
            owner,
            endpoint_id: endpoint_id.unwrap_or_else(|| Uuid::new_v4().to_string()),
            access_token: fresh_token("A"),
            access_expires: later(now, lifetimes.access),
            refresh: lifetimes.refresh.map(|ttl| Refresh {
                token: fresh_token("R"),
                expires: later(now, ttl),
                previous: None,
            }),
        };
        self.issued += 1;
        self.live.push(session.clone());
        session
    }

    /// The owner of a refresh token of this app, current or just replaced.
    pub(crate) fn owner_of_refresh(&self, client_id: &str, token: &str) -> Option<Owner> {
        let holds = |refresh: &Refresh| {
            refresh.token == token
                || refresh.previous.as_ref().is_some_and(|previous| previous.token == token)
        };
        let mut own = self.live.iter().filter(|one| one.owner.client_id == client_id);
        own.find(|one| one.refresh.as_ref().is_some_and(holds)).map(|one| one.owner.clone())
    }

    /// The owner of a live token, access or refresh.
    pub(crate) fn owner_of(&self, token: &str) -> Option<&Owner> {
        self.live.iter().find(|one| one.holds(token)).map(|one| &one.owner)
    }

    /// Exchanges a refresh token. The old access token dies at once; the old refresh token repeats the same answer
    /// for a while.
    ///
    /// # Errors
    /// `invalid_grant` with OAU-210 (expired) or OAU-213 (not found).
    pub(crate) fn refresh(
        &mut self,
        client_id: &str,
        token: &str,
        lifetimes: Lifetimes,
        now: Timestamp,
    ) -> Result<Session, ApiError> {
        let gone = || ApiError::oauth(StatusCode::BAD_REQUEST, "invalid_grant", "OAU-213", "Token not found");
        for session in self.live.iter_mut().filter(|one| one.owner.client_id == client_id) {
            let Some(refresh) = session.refresh.as_mut() else { continue };
            if refresh.token == token {
                if refresh.expires <= now {
                    let message = "Token expired";
                    return Err(ApiError::oauth(
                        StatusCode::BAD_REQUEST,
                        "invalid_grant",
                        "OAU-210",
                        message,
                    ));
                }
                let fresh = fresh_token("R");
                let replaced = std::mem::replace(&mut refresh.token, fresh);
                refresh.previous = Some(Previous { token: replaced, replaced: now, used: None });
                refresh.expires = later(now, lifetimes.refresh.unwrap_or(lifetimes.access));
                let old = std::mem::replace(&mut session.access_token, fresh_token("A"));
                self.dead.insert(old, Death::Revoked);
                session.access_expires = later(now, lifetimes.access);
                self.issued += 1;
                return Ok(session.clone());
            }
            if let Some(previous) = refresh.previous.as_ref().filter(|previous| previous.token == token) {
                return if previous.repeats(now) { Ok(session.clone()) } else { Err(gone()) };
            }
        }
        Err(gone())
    }

    /// Whose access token this is.
    ///
    /// # Errors
    /// 401 with OAU-128 (expired), OAU-213 (revoked, replaced or evicted) or OAU-149 (never existed).
    pub(crate) fn authenticate(&mut self, token: &str, now: Timestamp) -> Result<Owner, ApiError> {
        if let Some(session) = self.live.iter_mut().find(|one| one.access_token == token) {
            if session.access_expires <= now {
                return Err(expired());
            }
            if let Some(previous) = session.refresh.as_mut().and_then(|refresh| refresh.previous.as_mut()) {
                previous.used.get_or_insert(now);
            }
            return Ok(session.owner.clone());
        }
        Err(match self.dead.get(token) {
            Some(Death::Expired) => expired(),
            Some(Death::Revoked) => {
                ApiError::unauthorized("OAU-213", "Token not found").worded("TokenInvalid")
            }
            None => ApiError::unauthorized("OAU-149", "OAuth token is invalid").worded("TokenInvalid"),
        })
    }

    /// Ends the session that holds a token, access or refresh. An unknown token ends nothing.
    pub(crate) fn revoke(&mut self, token: &str) -> Option<Owner> {
        let index = self.live.iter().position(|one| one.holds(token))?;
        Some(self.bury(index, Death::Revoked))
    }

    /// Ends every session.
    pub(crate) fn revoke_all(&mut self) {
        while !self.live.is_empty() {
            self.bury(0, Death::Revoked);
        }
    }

    /// Sessions that can still be used or refreshed.
    pub(crate) fn active(&mut self, now: Timestamp) -> usize {
        self.prune(now);
        self.live.len()
    }

    fn prune(&mut self, now: Timestamp) {
        let over = |one: &Session| {
            one.access_expires <= now && one.refresh.as_ref().is_none_or(|refresh| refresh.expires <= now)
        };
        while let Some(index) = self.live.iter().position(over) {
            self.bury(index, Death::Expired);
        }
    }

    fn bury(&mut self, index: usize, death: Death) -> Owner {
        let session = self.live.remove(index);
        self.dead.insert(session.access_token, death);
        session.owner
    }
}

fn expired() -> ApiError {
    ApiError::unauthorized("OAU-128", "Access token expired").worded("TokenExpired")
}

/// A token nobody can guess; the prefix only helps who reads a log.
fn fresh_token(kind: &str) -> String {
    format!("SIM{kind}{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
