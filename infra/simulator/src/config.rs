//! What a simulator is built from: the seed, the size of the world, the clock, the limits and who may log in.
//! It holds values only and never reads files or the environment.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use loopback::Key;

/// Everything a [`crate::Simulator`] is built from.
#[derive(Clone, Debug)]
pub struct Config {
    /// Seed of the world: the same seed gives the same extensions, calls and messages, relative to the start of
    /// the clock.
    pub seed: u64,
    /// Number of extensions, the administrator included.
    pub extensions: usize,
    /// Number of calls, spread over the last 30 days.
    pub calls: usize,
    /// Number of messages, spread over the last 30 days and over the mailboxes of the users.
    pub messages: usize,
    /// The simulated clock.
    pub clock: Clock,
    /// Rate limits per (app, user, group).
    pub limits: Limits,
    /// The app and the JWT credential of the administrator.
    pub credentials: Credentials,
    /// Further apps and users. Every JWT that differs from the ones before speaks for the next enabled user, unless it says for
    /// whom.
    pub more_credentials: Vec<Credentials>,
    /// Whether the apps have the setting "Issue refresh tokens" on.
    pub refresh_tokens: bool,
    /// Lifetime of an access token when the client does not ask for another, simulated seconds.
    pub access_token_ttl: Duration,
    /// Lifetime of a refresh token when the client does not ask for another, simulated seconds.
    pub refresh_token_ttl: Duration,
    /// Sessions an app may have for one user at the same time; the next one evicts the oldest.
    pub sessions_per_user: usize,
    /// App permissions, RingCentral's names. What a permission includes need not be listed.
    pub permissions: Vec<String>,
    /// Ends of filter paths, such as `/presence`, which a subscription gets back in `disabledFilters`.
    pub disabled_filters: Vec<String>,
    /// Deliveries one subscription has in flight at most.
    pub deliveries_in_flight: usize,
    /// Whether the handshake of a subscription brings its `verificationToken` too, as deliveries do. RingCentral does not
    /// publish it, so gateways must get along with both.
    pub verification_in_handshake: bool,
    /// The file that keeps what the API has changed; absent: the company ends with the process.
    pub kept_in: Option<PathBuf>,
    /// The key of the admin endpoints.
    pub admin_key: Key,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            extensions: 200,
            calls: 5000,
            messages: 2000,
            clock: Clock::default(),
            limits: Limits::default(),
            credentials: Credentials::default(),
            more_credentials: Vec::new(),
            refresh_tokens: true,
            access_token_ttl: Duration::from_secs(3600),
            refresh_token_ttl: Duration::from_secs(604_800),
            sessions_per_user: 5,
            permissions: [
                "EditAccounts",
                "ReadCallRecording",
                "EditMessages",
                "SMS",
                "ReadPresence",
                "CallControl",
                "SubscriptionWebhook",
            ]
            .map(str::to_owned)
            .to_vec(),
            disabled_filters: Vec::new(),
            deliveries_in_flight: 16,
            verification_in_handshake: true,
            kept_in: None,
            admin_key: Key::random(),
        }
    }
}

/// A confidential app and a JWT credential that may be used with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Client id of the app.
    pub client_id: String,
    /// Client secret of the app.
    pub client_secret: String,
    /// The JWT credential, compared as a whole and never parsed.
    pub jwt: String,
    /// Whom it speaks for: the number of an enabled user, counted from 1. Absent: another user than the JWTs before it.
    pub user: Option<usize>,
}

impl Credentials {
    /// The demo app with another user of the company: 1 is the administrator, whose JWT has no number.
    #[must_use]
    pub fn demo_user(user: usize) -> Self {
        let demo = Self::default();
        let jwt = if user <= 1 { demo.jwt } else { format!("{}-{user}", demo.jwt) };
        Self { jwt, ..demo }
    }

    /// The demo app with another JWT of the administrator, for who exchanges the first one: `trunkline-demo-jwt-rotated`.
    #[must_use]
    pub fn demo_rotated() -> Self {
        Self { jwt: "trunkline-demo-jwt-rotated".to_owned(), user: Some(1), ..Self::default() }
    }
}

impl Default for Credentials {
    /// The demo app of the simulator: `trunkline-demo-client` / `trunkline-demo-secret` / `trunkline-demo-jwt`.
    fn default() -> Self {
        Self {
            client_id: "trunkline-demo-client".to_owned(),
            client_secret: "trunkline-demo-secret".to_owned(),
            jwt: "trunkline-demo-jwt".to_owned(),
            user: None,
        }
    }
}

/// A throttling group: every operation belongs to one and shares its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Reads of single resources.
    Light,
    /// Lists and most writes.
    Medium,
    /// Call log, bulk and media.
    Heavy,
    /// Token requests.
    Auth,
}

impl Group {
    /// The four groups.
    pub const ALL: [Group; 4] = [Group::Light, Group::Medium, Group::Heavy, Group::Auth];

    /// The name in the header `X-Rate-Limit-Group`, lower case.
    pub fn name(self) -> &'static str {
        match self {
            Group::Light => "light",
            Group::Medium => "medium",
            Group::Heavy => "heavy",
            Group::Auth => "auth",
        }
    }
}

/// How many requests a sliding window holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Requests accepted in any window.
    pub requests: u32,
    /// Length of the window and of the penalty, simulated time.
    pub window: Duration,
}

impl Limit {
    /// `requests` per 60 simulated seconds.
    pub const fn per_minute(requests: u32) -> Self {
        Self { requests, window: Duration::from_secs(60) }
    }
}

/// The limits of the four groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Off: everything is accepted and counted, nothing is answered with 429.
    pub enabled: bool,
    /// Group Light.
    pub light: Limit,
    /// Group Medium.
    pub medium: Limit,
    /// Group Heavy.
    pub heavy: Limit,
    /// Group Auth.
    pub auth: Limit,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            enabled: true,
            light: Limit::per_minute(50),
            medium: Limit::per_minute(40),
            heavy: Limit::per_minute(10),
            auth: Limit::per_minute(5),
        }
    }
}

impl Limits {
    /// The default limits, switched off.
    pub fn none() -> Self {
        Self { enabled: false, ..Self::default() }
    }

    /// The limit of one group.
    pub fn of(&self, group: Group) -> Limit {
        match group {
            Group::Light => self.light,
            Group::Medium => self.medium,
            Group::Heavy => self.heavy,
            Group::Auth => self.auth,
        }
    }

    /// Changes the limit of one group.
    pub fn set(&mut self, group: Group, limit: Limit) {
        match group {
            Group::Light => self.light = limit,
            Group::Medium => self.medium = limit,
            Group::Heavy => self.heavy = limit,
            Group::Auth => self.auth = limit,
        }
    }
}
