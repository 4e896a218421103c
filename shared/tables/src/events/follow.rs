//! Events in the order in which they were processed, for those who read on where they ended.
//!
//! An entry of the journal lies under the time of its latest event, which for most is when it was written: [`late`] tells
//! which are not. Such an entry has a signpost where it was written, and is read there. So entries and signposts, read
//! forwards, are the order of processing, and what lies [`SETTLED`] behind the clock changes no more: nothing comes to lie
//! before it. An event that was announced and is not there yet may still come, until its entry is [`ABANDONED`]; whoever
//! reads stops before it, and after that it can't come any more ([`in_time`]).

use std::collections::HashSet;

use clock::Millis;
use events::{Event, EventStoreError, FollowQuery, Followed};
use jiff::{ToSpan, civil::Date};
use tenant::TenantId;

use super::{
    TABLE, item,
    journal::{Candidate, announced_by, wire},
    key,
    page::{BYTES, Cursor},
    store_failed,
    times::look_up,
};
use crate::{
    TableError, Tables,
    client::{Item, failed, text},
};

/// An entry whose latest event was received longer ago than this is late (milliseconds).
const PROMPT: Millis = 5_000;
/// An entry has to be written within this (milliseconds): twice as long as the client of DynamoDB tries.
const ANNOUNCED_WITHIN: Millis = 5_000;
/// An event has to be applied within this of being read from the queue (milliseconds): as long as a dispatcher runs.
const APPLIED_WITHIN: Millis = 30_000;
/// How far the clocks of two containers are apart at most (milliseconds).
const CLOCKS: Millis = 5_000;
/// What is so old has its place for good (milliseconds).
const SETTLED: Millis = PROMPT + ANNOUNCED_WITHIN + CLOCKS;
/// What was announced so long ago and is not there never comes (milliseconds). A write that was begun in time may take a
/// little longer.
const ABANDONED: Millis = PROMPT + APPLIED_WITHIN + CLOCKS + 5_000;
/// How often a page asks the journal, and looks up, at most.
const STEPS: usize = 10;
/// The most keys that DynamoDB looks up at once.
const LOOKED_UP: usize = 100;

/// Whether an entry that is written now needs a signpost.
pub(super) fn late(latest: Millis, now: Millis) -> bool {
    now.saturating_sub(latest) > PROMPT
}

/// Whether an entry that was begun then is written in time.
pub(super) fn announced_in_time(begun: Millis, now: Millis) -> bool {
    now.saturating_sub(begun) <= ANNOUNCED_WITHIN
}

/// Whether an event that was read then may still be applied.
pub(super) fn in_time(processed_at: Millis, now: Millis) -> bool {
    now.saturating_sub(processed_at) <= APPLIED_WITHIN
}

/// One page in the making.
struct Follower<'a> {
    tables: &'a Tables,
    tenant: &'a TenantId,
    query: &'a FollowQuery,
    now: Millis,
    looked_up: usize,
    events: Vec<Event>,
    /// Of the deliveries of `events`.
    bytes: usize,
}

/// An announcement, and where it stands.
struct Announcement {
    /// The place of its entry or signpost, and when that was written or received.
    place: String,
    at: Millis,
    /// How many stand before it there.
    index: usize,
    candidate: Candidate,
}

impl Announcement {
    fn cursor(&self) -> Cursor {
        Cursor { place: self.place.clone(), done: self.index }
    }
}

/// Where a page ended, and whether all there is was read.
type End = (Cursor, bool);

pub(super) async fn follow(
    tables: &Tables,
    tenant: &TenantId,
    query: &FollowQuery,
    now: Millis,
    oldest: Millis,
) -> Result<Followed, EventStoreError> {
    let cursor = match &query.after {
        Some(token) => Cursor::decode(token)?,
        None => Cursor::at(query.from),
    };
    // Nothing is older than that, and each day before it would be asked for.
    let cursor = if cursor.instant() < oldest { Cursor::at(oldest) } else { cursor };
    let mut follower = Follower { tables, tenant, query, now, looked_up: 0, events: Vec::new(), bytes: 0 };
    let (cursor, caught_up) = follower.read(cursor).await.map_err(store_failed)?;
    Ok(Followed { events: follower.events, next: cursor.encode(), caught_up })
}

impl Follower<'_> {
    async fn read(&mut self, mut cursor: Cursor) -> Result<End, TableError> {
        let settled = self.now.saturating_sub(SETTLED);
        let mut day = key::day(cursor.instant());
        for at_once in [100].into_iter().chain(std::iter::repeat_n(500, STEPS - 1)) {
            if cursor.instant() > settled {
                return Ok((cursor, true));
            }
            if self.events.len() >= self.query.limit {
                return Ok((cursor, false));
            }
            let (items, ended) = self.ask(day, &cursor, settled, at_once).await?;
            let mut announcements = Vec::new();
            for item in items {
                let (place, at, candidates) = announced_by(&item)?;
                let done = if place == cursor.place { cursor.done } else { 0 };
                let wanted = candidates.into_iter().enumerate().skip(done);
                let wanted = wanted.filter(|(_, one)| self.query.kind.is_none_or(|kind| one.kind == kind));
                announcements.extend(wanted.map(|(index, candidate)| {
                    let place = place.clone();
                    Announcement { place, at, index, candidate }
                }));
                cursor = Cursor::behind(&place);
            }
            if let Some(end) = self.work_off(&announcements).await? {
                return Ok(end);
            }
            if ended {
                let Some(next) = day.checked_add(1.day()).ok().filter(|next| *next <= key::day(settled))
                else {
                    return Ok((Cursor::at(settled.saturating_add(1)), true));
                };
                day = next;
                cursor = Cursor::at(key::midnight(day));
            }
        }
        Ok((cursor, false))
    }

    /// Entries and signposts of a day from the cursor on, and whether these are the last that have their place for good.
    async fn ask(
        &self,
        day: Date,
        cursor: &Cursor,
        settled: Millis,
        at_once: i32,
    ) -> Result<(Vec<Item>, bool), TableError> {
        let request = self
            .tables
            .client()
            .query()
            .table_name(self.tables.name(TABLE))
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND sk BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(key::journal(self.tenant, day)))
            .expression_attribute_values(":from", text(&cursor.place))
            .expression_attribute_values(":to", text(key::after(settled)))
            .limit(at_once);
        let output = request.send().await.map_err(failed)?;
        let ended = output.last_evaluated_key.is_none();
        Ok((output.items.unwrap_or_default(), ended))
    }

    /// Looks announcements up, and takes those events that belong to them; tells where the page ends, if it does.
    async fn work_off(&mut self, mut rest: &[Announcement]) -> Result<Option<End>, TableError> {
        let mut missed = false;
        while let Some(first) = rest.first() {
            let wanted = self.query.limit - self.events.len();
            if wanted == 0 || self.looked_up == STEPS {
                return Ok(Some((first.cursor(), false)));
            }
            self.looked_up += 1;
            // No more than is asked for, as long as all that is looked up is found.
            let most = if missed { LOOKED_UP } else { LOOKED_UP.min(wanted) };
            let (chunk, later) = rest.split_at(most.min(rest.len()));
            rest = later;
            let hoped = self.events.len() + chunk.len();
            if let Some(end) = self.take(chunk).await? {
                return Ok(Some(end));
            }
            missed |= self.events.len() < hoped;
        }
        Ok(None)
    }

    async fn take(&mut self, chunk: &[Announcement]) -> Result<Option<End>, TableError> {
        let keys: HashSet<_> = chunk.iter().map(|one| &one.candidate.key).collect();
        let keys = keys.into_iter().map(|key| wire(self.tenant, key)).collect();
        let items = look_up(self.tables, keys).await?;
        for one in chunk {
            if self.events.len() >= self.query.limit {
                return Ok(Some((one.cursor(), false)));
            }
            let Candidate { at, key, entry, .. } = &one.candidate;
            let Some(item) = items.get(&(key.pk(self.tenant), key.place.clone())) else {
                if self.now.saturating_sub(one.at) < ABANDONED {
                    return Ok(Some((one.cursor(), true)));
                }
                continue;
            };
            let its = item::announced(item)? == *entry && item::received(item)? == at.0;
            if !its || !item::is_read(item, self.now)? {
                continue;
            }
            let event = item::event(self.tenant, item)?;
            if self.query.subscription.is_none() || self.query.subscription == event.subscription_id {
                self.bytes += event.raw.len();
                if self.bytes > BYTES && !self.events.is_empty() {
                    return Ok(Some((one.cursor(), false)));
                }
                self.events.push(event);
            }
        }
        Ok(None)
    }
}
