//! The token endpoints: who the client is, which grant it brings, and the TokenInfo it gets.

pub(crate) mod sessions;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::AUTHORIZATION;
use serde_json::{Value, json};

use crate::call::{Call, Owner, Query, Reply};
use crate::clock::{Clock, between};
use crate::config::Config;
use crate::error::ApiError;
use crate::operation::scope;
use sessions::{Lifetimes, Session, Sessions};

const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// One combination that can log in.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) jwt: String,
    /// Extension id of the user the JWT speaks for.
    pub(crate) user: u64,
}

impl Login {
    /// The logins of a configuration: every new JWT speaks for the next of `users`, unless it says for which.
    pub(crate) fn all(config: &Config, users: &[u64]) -> Vec<Login> {
        let mut jwts: Vec<&str> = Vec::new();
        let mut logins = Vec::new();
        for one in std::iter::once(&config.credentials).chain(&config.more_credentials) {
            let index = one.user.map(|user| user.saturating_sub(1));
            let index = index.or_else(|| jwts.iter().position(|jwt| *jwt == one.jwt)).unwrap_or_else(|| {
                jwts.push(&one.jwt);
                jwts.len() - 1
            });
            let Some(user) = users.get(index % users.len().max(1)) else { continue };
            logins.push(Login {
                client_id: one.client_id.clone(),
                client_secret: one.client_secret.clone(),
                jwt: one.jwt.clone(),
                user: *user,
            });
        }
        logins
    }
}

/// A token request whose client is known.
#[derive(Debug)]
pub(crate) struct TokenRequest {
    pub(crate) client_id: String,
    form: Query,
}

impl TokenRequest {
    /// Reads the form and authenticates the client, by HTTP Basic or by `client_id` and `client_secret` in the form.
    ///
    /// # Errors
    /// 401 `invalid_client` OAU-146.
    pub(crate) fn read(call: &Call, logins: &[Login]) -> Result<Self, ApiError> {
        let form = Query::parse(&String::from_utf8_lossy(&call.body));
        let in_form = || Some((form.get("client_id")?.to_owned(), form.get("client_secret")?.to_owned()));
        let (id, secret) = basic(call).or_else(in_form).unwrap_or_default();
        if !logins.iter().any(|login| login.client_id == id && login.client_secret == secret) {
            let message = "Client credentials are invalid";
            return Err(ApiError::oauth(StatusCode::UNAUTHORIZED, "invalid_client", "OAU-146", message));
        }
        Ok(Self { client_id: id, form })
    }

    /// Whose budget the request spends, as far as the request names a user.
    pub(crate) fn user(&self, logins: &[Login], sessions: &Sessions) -> Option<u64> {
        let by_refresh = |token: &str| Some(sessions.owner_of_refresh(&self.client_id, token)?.user);
        let refreshed = || self.form.get("refresh_token").and_then(by_refresh);
        let revoked = || Some(sessions.owner_of(self.form.get("token")?)?.user);
        self.asserted(logins).or_else(refreshed).or_else(revoked)
    }

    /// The user of the JWT, as far as it is one of this app.
    fn asserted(&self, logins: &[Login]) -> Option<u64> {
        let jwt = self.form.get("assertion")?;
        logins.iter().find(|one| one.client_id == self.client_id && one.jwt == jwt).map(|one| one.user)
    }

    /// `getToken`: grants a session.
    ///
    /// # Errors
    /// 400 with `invalid_request`, `invalid_grant` or `unsupported_grant_type`.
    pub(crate) fn token(
        &self,
        call: &Call,
        config: &Config,
        clock: &Clock,
        logins: &[Login],
        sessions: &mut Sessions,
    ) -> Result<Reply, ApiError> {
        let lifetimes = self.lifetimes(config, clock)?;
        let session = match self.form.get("grant_type") {
            Some(JWT_BEARER) => {
                let Some(user) = self.asserted(logins) else {
                    return Err(refused("invalid_grant", "OAU-140", "Invalid resource owner credentials"));
                };
                let owner = Owner { client_id: self.client_id.clone(), user };
                let endpoint = self.form.get("endpoint_id").map(str::to_owned);
                sessions.start(owner, endpoint, lifetimes, config.sessions_per_user, call.now)
            }
            Some("refresh_token") if config.refresh_tokens => {
                let token = self.form.get("refresh_token").unwrap_or_default();
                sessions.refresh(&self.client_id, token, lifetimes, call.now)?
            }
            Some("refresh_token") => {
                let message = "Client is not allowed to use this grant type";
                return Err(ApiError::oauth(
                    StatusCode::FORBIDDEN,
                    "unauthorized_client",
                    "OAU-112",
                    message,
                ));
            }
            Some(_) => {
                return Err(refused(
                    "unsupported_grant_type",
                    "OAU-151",
                    "Authorization method is not supported",
                ));
            }
            None => return Err(refused("invalid_request", "CMN-100", "Parameter [grant_type] is mandatory")),
        };
        Ok(Reply::ok(token_info(&session, call, config, clock)))
    }

    /// `revokeToken`: ends the session of the token, whichever it is. Always 200 with an empty body.
    pub(crate) fn revoke(&self, call: &Call, sessions: &mut Sessions) -> Reply {
        if let Some(token) = self.form.get("token").or_else(|| call.query.get("token")) {
            sessions.revoke(token);
        }
        Reply { status: StatusCode::OK, headers: Vec::new(), body: None }
    }

    fn lifetimes(&self, config: &Config, clock: &Clock) -> Result<Lifetimes, ApiError> {
        let asked = |name: &str, most: u64, least: u64| -> Result<Option<Duration>, ApiError> {
            let Some(text) = self.form.get(name) else { return Ok(None) };
            // -1 is what clients send that want the default.
            if text == "-1" {
                return Ok(None);
            }
            match text.parse() {
                Ok(seconds) if (least..=most).contains(&seconds) => {
                    Ok(Some(clock.from_client_seconds(seconds)))
                }
                _ => Err(refused(
                    "invalid_request",
                    "CMN-101",
                    &format!("Parameter [{name}] value is invalid"),
                )),
            }
        };
        // A client that sends back the `expires_in` it was told must not be refused on a fast clock.
        let least = clock.client_seconds(Duration::from_secs(600)).min(600);
        let access = asked("access_token_ttl", 3600, least)?.unwrap_or(config.access_token_ttl);
        let refresh = asked("refresh_token_ttl", 2_592_000, 0)?.unwrap_or(config.refresh_token_ttl);
        Ok(Lifetimes { access, refresh: config.refresh_tokens.then_some(refresh) })
    }
}

fn refused(error: &'static str, code: &'static str, message: &str) -> ApiError {
    ApiError::oauth(StatusCode::BAD_REQUEST, error, code, message)
}

fn token_info(session: &Session, call: &Call, config: &Config, clock: &Clock) -> Value {
    let left = |at| clock.client_lifetime(between(call.now, at));
    let mut info = json!({
        "access_token": session.access_token,
        "token_type": "bearer",
        "expires_in": left(session.access_expires),
        "scope": scope(&config.permissions),
        "owner_id": session.owner.user.to_string(),
        "endpoint_id": session.endpoint_id,
        "session_id": session.id,
    });
    if let Some(refresh) = &session.refresh {
        info["refresh_token"] = json!(refresh.token);
        info["refresh_token_expires_in"] = json!(left(refresh.expires));
    }
    info
}

/// The token of the `Authorization: Bearer` header.
///
/// # Errors
/// 401 AGW-401 when there is none.
pub(crate) fn bearer(call: &Call) -> Result<&str, ApiError> {
    let header = call.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    token.ok_or_else(|| ApiError::unauthorized("AGW-401", "Authorization header is not specified"))
}

fn basic(call: &Call) -> Option<(String, String)> {
    let (scheme, encoded) = call.headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}
