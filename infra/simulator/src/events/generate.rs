//! Makes events up for every active subscription: a fair share for each kind its filters are for, telephony told
//! in interleaved sessions, copies and changed order on demand.

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use uuid::{Builder, Uuid};

use super::bodies::body;
use super::delivery::Happening;
use super::telephony::TelephonySession;
use super::{EventsMade, EventsOrder};
use crate::state::State;
use crate::subscriptions::Delivery;
use crate::subscriptions::filter::{Filter, Topic};

/// Sessions that are told at the same time.
const OPEN: usize = 8;
/// How far a notification moves when the order is changed.
const WINDOW: usize = 8;

impl State {
    /// Makes events up and enqueues their notifications.
    pub(crate) fn generate(&mut self, order: &EventsOrder, now: Timestamp) -> EventsMade {
        let mut rng = match order.seed {
            Some(seed) => StdRng::seed_from_u64(seed),
            None => StdRng::seed_from_u64(Uuid::new_v4().as_u64_pair().0),
        };
        let active = self.subscriptions.list.iter().filter(|one| one.is_active());
        let ids: Vec<(String, Vec<Filter>)> =
            active.map(|one| (one.id.clone(), one.filters.clone())).collect();
        let mut made = EventsMade::default();
        for (id, filters) in ids {
            let wanted = |filter: &Filter| {
                let kind = filter.topic.kind();
                !matches!(filter.topic, Topic::Other | Topic::Reminder)
                    && (order.kinds.is_empty() || order.kinds.iter().any(|one| one == kind))
            };
            let filters: Vec<Filter> = filters.into_iter().filter(|filter| wanted(filter)).collect();
            self.generate_for(&id, &filters, order, now, &mut rng, &mut made);
        }
        made
    }

    fn generate_for(
        &mut self,
        id: &str,
        filters: &[Filter],
        order: &EventsOrder,
        now: Timestamp,
        rng: &mut StdRng,
        made: &mut EventsMade,
    ) {
        let mut topics: Vec<Topic> = filters.iter().map(|filter| filter.topic).collect();
        topics.sort_unstable();
        topics.dedup();
        let users = self.world.enabled_users();
        let share = |index: usize| {
            order.count / topics.len().max(1) + usize::from(index < order.count % topics.len().max(1))
        };
        let calls = topics.iter().position(|topic| *topic == Topic::Telephony).map_or(0, share);
        let mut told = Told { calls, sessions: order.sessions, started: 0, open: Vec::new() };
        let mut sends: Vec<Delivery> = Vec::new();
        let mut tries = 0;
        let mut count = 0;
        // A filter that admits almost nothing must not keep us for ever.
        while count < order.count && !topics.is_empty() && tries < order.count * 50 + 100 {
            tries += 1;
            let topic = topics[count % topics.len()];
            let fitting: Vec<&Filter> = filters.iter().filter(|filter| filter.topic == topic).collect();
            let Some(filter) = fitting.choose(rng) else { break };
            let made_up = if topic == Topic::Telephony {
                told.next(self, &fitting, &users, now, rng)
            } else {
                let extension = filter.extension.or_else(|| users.choose(rng).copied());
                let number = self.events.records.len() as u64 + 1;
                extension.and_then(|one| {
                    Some((*filter, one, body(&mut self.world, filter, one, number, now, rng)?))
                })
            };
            let Some((filter, extension, body)) = made_up.filter(|(filter, _, body)| filter.admits(body))
            else {
                continue;
            };
            let uuid = Builder::from_random_bytes(rng.random()).into_uuid();
            let event = event_path(&self.world, filter, extension);
            let Some(delivery) = self.publish(id, Happening { uuid, kind: topic.kind(), event, body }, now)
            else {
                return;
            };
            count += 1;
            made.uuids.push(uuid.to_string());
            sends.push(delivery.clone());
            if rng.random_bool(order.duplicates.clamp(0.0, 1.0)) {
                sends.push(delivery);
            }
        }
        if order.reorder {
            sends.chunks_mut(WINDOW).for_each(|window| window.shuffle(rng));
        }
        made.distinct += count;
        made.sends += sends.len();
        for delivery in sends {
            self.send(id, delivery, now);
        }
    }
}

/// The telephony sessions of one subscription, while they are told.
struct Told {
    /// Telephony events that are to be told.
    calls: usize,
    /// Sessions asked for.
    sessions: Option<usize>,
    started: usize,
    /// With the index of the filter it is for.
    open: Vec<(usize, TelephonySession)>,
}

impl Told {
    fn next<'a>(
        &mut self,
        state: &mut State,
        filters: &[&'a Filter],
        users: &[u64],
        now: Timestamp,
        rng: &mut StdRng,
    ) -> Option<(&'a Filter, u64, serde_json::Value)> {
        self.open.retain(|(_, session)| !session.is_over());
        let room = self.sessions.is_none_or(|most| self.started < most);
        let enough = self.sessions.unwrap_or(self.calls.div_ceil(4)).clamp(1, OPEN);
        while (room || self.open.is_empty()) && self.open.len() < enough {
            let index = rng.random_range(0..filters.len().max(1));
            let extension = filters.get(index)?.extension.or_else(|| users.choose(rng).copied())?;
            let length = self.length(rng);
            self.open.push((index, TelephonySession::new(&mut state.world, extension, length, rng)));
            self.started += 1;
            if self.sessions.is_some_and(|most| self.started >= most) {
                break;
            }
        }
        let chosen = rng.random_range(0..self.open.len().max(1));
        let (index, session) = self.open.get_mut(chosen)?;
        let body = session.step(&state.world, now)?;
        Some((filters.get(*index)?, session.extension, body))
    }

    /// Steps of the next session: a fair share when their number is given, a usual call otherwise.
    fn length(&self, rng: &mut StdRng) -> usize {
        match self.sessions {
            Some(most) if most > 0 => self.calls / most + usize::from(self.started < self.calls % most),
            _ if rng.random_bool(0.2) => 3,
            _ => 4,
        }
    }
}

/// The path of an event: the extension's where the filter is the account's, with the query of the filter.
fn event_path(world: &crate::world::World, filter: &Filter, extension: u64) -> String {
    let tail = match (filter.topic, filter.extension) {
        (Topic::Telephony, None) => "telephony/sessions",
        (Topic::Presence, None) => "presence",
        _ => return filter.text.clone(),
    };
    let query = filter.text.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
    format!("{}/{tail}{query}", world.extension_path(extension))
}
