//! Everything that changes, behind one lock: the world, the sessions, the windows, the subscriptions and their
//! deliveries, the faults and the counters.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use uuid::Uuid;

use crate::config::{Config, Group};
use crate::events::log::EventLog;
use crate::faults::Faults;
use crate::oauth::Login;
use crate::oauth::sessions::Sessions;
use crate::operation::Row;
use crate::stats::Counters;
use crate::subscriptions::Subscriptions;
use crate::throttle::Throttle;
use crate::world::World;

/// The state of a simulator.
#[derive(Debug)]
pub(crate) struct State {
    /// Another one after every reset, so that nothing begun before it is settled after it.
    pub(crate) epoch: Uuid,
    pub(crate) config: Arc<Config>,
    pub(crate) world: World,
    pub(crate) logins: Vec<Login>,
    pub(crate) sessions: Sessions,
    pub(crate) throttle: Throttle,
    /// Operations that are counted in another group than their description says.
    pub(crate) regrouped: BTreeMap<String, Group>,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) events: EventLog,
    pub(crate) faults: Faults,
    pub(crate) counters: Counters,
}

impl State {
    /// The clean state of a configuration at `now`.
    pub(crate) fn new(config: Arc<Config>, now: Timestamp) -> Self {
        let world = World::seeded(&config, now);
        let logins = Login::all(&config, &world.enabled_users());
        Self {
            epoch: Uuid::new_v4(),
            logins,
            world,
            sessions: Sessions::default(),
            throttle: Throttle::new(config.limits),
            regrouped: BTreeMap::new(),
            subscriptions: Subscriptions::default(),
            events: EventLog::default(),
            faults: Faults::default(),
            counters: Counters::default(),
            config,
        }
    }

    /// The group an operation is counted in now.
    pub(crate) fn group_of(&self, row: &Row) -> Option<Group> {
        self.regrouped.get(row.id).copied().or(row.group)
    }

    /// Forgets a subscription; the deliveries it still owed count as failed.
    pub(crate) fn drop_subscription(&mut self, id: &str) {
        let Some(index) = self.subscriptions.list.iter().position(|one| one.id == id) else { return };
        let gone = self.subscriptions.list.remove(index);
        for delivery in gone.queue.values() {
            self.events.given_up(delivery.event);
        }
    }
}
