//! What outlives a restart: what the API has created, changed and deleted, and the subscriptions.
//!
//! Owns one file. It holds how the company differs from the one its seed gives, so it is small and written whole, under another name
//! first: a kill leaves the old one or the new one. Sessions, rate windows, faults, and notifications under way end with the process.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::call::Owner;
use crate::config::Config;
use crate::state::State;
use crate::subscriptions::filter::Filter;
use crate::subscriptions::{Blacklisted, DisabledFilter, Subscription};
use crate::world::World;
use crate::world::extensions::Extension;
use crate::world::sites::Site;

/// The file, and the company it tells the differences to.
#[derive(Debug)]
pub(crate) struct Keep {
    path: PathBuf,
    seed: Seed,
    base: BTreeMap<u64, Map<String, Value>>,
    written: Option<Differences>,
}

/// What makes a company; another one starts anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seed {
    seed: u64,
    extensions: usize,
    calls: usize,
    messages: usize,
    /// Calls and messages lie before this.
    started: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
struct File {
    company: Seed,
    /// Simulated time of the last change: the clock never goes back behind it.
    at: Timestamp,
    changes: Differences,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Differences {
    next_id: u64,
    /// Extensions that are new or changed, by id.
    extensions: BTreeMap<u64, Map<String, Value>>,
    /// Extensions of the seed that are gone.
    deleted: BTreeSet<u64>,
    /// All sites.
    sites: Vec<(String, Map<String, Value>)>,
    subscriptions: Vec<Kept>,
}

/// A subscription as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kept {
    id: String,
    client_id: String,
    user: u64,
    filters: Vec<String>,
    disabled: Vec<String>,
    address: String,
    verification_token: Option<String>,
    created: Timestamp,
    expires: Timestamp,
    blacklisted: Option<(String, Timestamp)>,
    reminded: Option<Timestamp>,
}

impl Keep {
    /// The state that the file tells of; a clean one where it tells of another company, or of none.
    pub(crate) fn open(path: PathBuf, state: impl Fn(Timestamp) -> State, config: &Config) -> (Self, State) {
        let now = config.clock.now();
        let found = read(&path).filter(|file| file.company == Seed::of(config, file.company.started));
        let started = found.as_ref().map_or(now, |file| file.company.started);
        let mut state = state(started);
        let mut keep =
            Self { path, seed: Seed::of(config, started), base: base(&state.world), written: None };
        if let Some(file) = found {
            config.clock.advance(crate::clock::between(now, file.at));
            file.changes.clone().apply(&mut state);
            keep.written = Some(file.changes);
        }
        (keep, state)
    }

    /// Begins with another company.
    pub(crate) fn begin(&mut self, state: &State, config: &Config, now: Timestamp) {
        self.seed = Seed::of(config, now);
        self.base = base(&state.world);
        self.written = None;
    }

    /// What there is to write of this state, if that is not written yet.
    pub(crate) fn differ(&self, state: &State) -> Option<Change> {
        let now = Differences::of(state, &self.base);
        (self.written.as_ref() != Some(&now)).then_some(Change(now))
    }

    /// Writes a change. Only its owner can read the file: subscriptions have verification tokens.
    pub(crate) fn write(&mut self, change: Change, at: Timestamp) {
        let file = File { company: self.seed.clone(), at, changes: change.0 };
        let text = serde_json::to_string(&file).unwrap_or_default();
        match loopback::write_private(&self.path, &text) {
            Ok(()) => self.written = Some(file.changes),
            Err(error) => {
                tracing::error!(%error, "the simulated company can't be kept in {}", self.path.display())
            }
        }
    }
}

/// What has changed since the last time.
#[derive(Debug)]
pub(crate) struct Change(Differences);

impl Seed {
    fn of(config: &Config, started: Timestamp) -> Self {
        let Config { seed, extensions, calls, messages, .. } = *config;
        Self { seed, extensions, calls, messages, started }
    }
}

fn read(path: &Path) -> Option<File> {
    let text = std::fs::read(path).ok()?;
    let file = serde_json::from_slice(&text);
    if file.is_err() {
        tracing::warn!("{} tells of no company; another one begins", path.display());
    }
    file.ok()
}

fn base(world: &World) -> BTreeMap<u64, Map<String, Value>> {
    world.extensions.values().map(|one| (one.id, one.document.clone())).collect()
}

impl Differences {
    fn of(state: &State, base: &BTreeMap<u64, Map<String, Value>>) -> Self {
        let world = &state.world;
        let changed = world.extensions.values().filter(|one| base.get(&one.id) != Some(&one.document));
        Self {
            next_id: world.last_id(),
            extensions: changed.map(|one| (one.id, one.document.clone())).collect(),
            deleted: base.keys().filter(|id| !world.extensions.contains_key(id)).copied().collect(),
            sites: world.sites.iter().map(|one| (one.id.clone(), one.document.clone())).collect(),
            subscriptions: state.subscriptions.list.iter().map(Kept::of).collect(),
        }
    }

    fn apply(self, state: &mut State) {
        let world = &mut state.world;
        world.go_on_after(self.next_id);
        world.extensions.retain(|id, _| !self.deleted.contains(id));
        world.mailboxes.retain(|id, _| !self.deleted.contains(id));
        let changed = self.extensions.into_iter();
        world.extensions.extend(changed.map(|(id, document)| (id, Extension { id, document })));
        world.sites = self.sites.into_iter().map(|(id, document)| Site { id, document }).collect();
        let kept = self.subscriptions.into_iter();
        state.subscriptions.list = kept.map(|one| one.into_subscription(&state.world)).collect();
    }
}

impl Kept {
    fn of(one: &Subscription) -> Self {
        Self {
            id: one.id.clone(),
            client_id: one.owner.client_id.clone(),
            user: one.owner.user,
            filters: one.filters.iter().map(|filter| filter.text.clone()).collect(),
            disabled: one.disabled.iter().map(|disabled| disabled.filter.clone()).collect(),
            address: one.address.clone(),
            verification_token: one.verification_token.clone(),
            created: one.created,
            expires: one.expires,
            blacklisted: one.blacklisted.as_ref().map(|why| (why.reason.clone(), why.at)),
            reminded: one.reminded,
        }
    }

    fn into_subscription(self, world: &World) -> Subscription {
        // A filter of an extension that is gone by now brings nothing any more.
        let filter = |text: &String| Filter::parse(text, world, self.user, &self.id).ok();
        Subscription {
            filters: self.filters.iter().filter_map(filter).collect(),
            owner: Owner { client_id: self.client_id, user: self.user },
            disabled: self.disabled.into_iter().map(|filter| DisabledFilter { filter }).collect(),
            id: self.id,
            address: self.address,
            verification_token: self.verification_token,
            created: self.created,
            expires: self.expires,
            blacklisted: self.blacklisted.map(|(reason, at)| Blacklisted { reason, at }),
            failing: None,
            reminded: self.reminded,
            queue: BTreeMap::new(),
            in_flight: 0,
        }
    }
}
