//! Creations with an `Idempotency-Key` under seeds: unknown outcomes, looks that fail, late arrivals, lost answers of the store,
//! crashes, twins that were there before, demotions and other bodies.
//!
//! What decides is the gateway's own (`provisioning::verdict`, `trunkline_http::fate`); the platform, the store and the clock are
//! this world's. Each mend can be taken out of the world, and must then be missed.

use clock::Millis;
use http::StatusCode;
use provisioning::verdict::{Failure, Like, Seen, Step, after_failure, after_refusal, before_creating, seen};
use trunkline_http::{Attempt, Earlier, Fate, fate};

use crate::{seeds, world::Dice};

const LEASE: Millis = 35_000;
const ON_ITS_WAY: Millis = 60_000;

/// A mend of a known fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mend {
    /// A repetition that creates nothing gives back only its lease.
    LeaseOnly,
    /// Without an answer nothing is created again in the same call.
    SilenceIsNoAnswer,
    /// A repetition that sees nothing waits until nothing can be on its way.
    WaitsUntilOver,
    /// A take-over whose answer is lost is a take-over.
    TakeOverIsKnown,
    /// A 2xx without a body is an unknown outcome.
    EmptyIsUnknown,
    /// What is older than the first attempt is not its result.
    OlderIsNotOurs,
    /// The role is checked before a stored answer is given.
    RoleFirst,
    /// A key answers only the body it was used with.
    BodyIsCompared,
}

const MENDS: [Mend; 8] = [
    Mend::LeaseOnly,
    Mend::SilenceIsNoAnswer,
    Mend::WaitsUntilOver,
    Mend::TakeOverIsKnown,
    Mend::EmptyIsUnknown,
    Mend::OlderIsNotOurs,
    Mend::RoleFirst,
    Mend::BodyIsCompared,
];

/// What the caller hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Created(usize),
    Unknown,
    /// Nothing was changed by this or any earlier attempt.
    Unchanged,
    /// Not now, whatever came before.
    Later,
    Forbidden,
    Different,
}

/// How a call went: an answer, or a failure of one of two kinds.
enum Sent {
    Made(usize),
    Refused,
    Throttled,
    Ambiguous(Failure),
    /// A 2xx that can't be read.
    Empty,
}

#[derive(Clone, Copy)]
struct Item {
    lease_until: Millis,
    began: Millis,
    over: Millis,
    answer: Option<usize>,
}

struct Record {
    created: Millis,
    ours: bool,
}

struct World {
    dice: Dice,
    without: Option<Mend>,
    now: Millis,
    trouble: bool,
    /// The caller asked for a number of its own.
    numbered: bool,
    records: Vec<Record>,
    /// When requests that are still on their way arrive.
    coming: Vec<Millis>,
    item: Option<Item>,
    broken: Vec<String>,
}

impl World {
    fn new(seed: u64, without: Option<Mend>) -> Self {
        let mut dice = Dice::new(seed);
        let numbered = dice.chance(300);
        let mut world = Self {
            dice,
            without,
            now: 1_000_000_000,
            trouble: true,
            numbered,
            records: Vec::new(),
            coming: Vec::new(),
            item: None,
            broken: Vec::new(),
        };
        // What has a number has no twin.
        while !world.numbered && world.dice.chance(400) {
            let age = world.dice.between(6_000, 600_000);
            world.records.push(Record { created: world.now - age, ours: false });
        }
        world
    }

    fn has(&self, mend: Mend) -> bool {
        self.without != Some(mend)
    }

    fn pass(&mut self, time: Millis) {
        self.now += time;
        let mut coming = std::mem::take(&mut self.coming);
        coming.retain(|at| {
            let arrived = *at <= self.now;
            if arrived {
                self.make(*at);
            }
            !arrived
        });
        self.coming = coming;
    }

    /// RingCentral carries a creation out; a number is taken once.
    fn make(&mut self, at: Millis) -> Option<usize> {
        if self.numbered && self.records.iter().any(|record| record.ours) {
            return None;
        }
        self.records.push(Record { created: at, ours: true });
        Some(self.records.len() - 1)
    }

    fn ours(&self) -> usize {
        self.records.iter().filter(|record| record.ours).count()
    }

    /// One request to create.
    fn send(&mut self) -> Sent {
        let time = self.dice.between(100, 2_000);
        self.pass(time);
        let fault = if self.trouble { self.dice.between(0, 9) } else { 9 };
        match fault {
            0 => Sent::Throttled,
            1 => Sent::Ambiguous(Failure::Answered),
            2 => self.make(self.now).map_or(Sent::Refused, |_| Sent::Ambiguous(Failure::Answered)),
            3 => Sent::Ambiguous(Failure::Silent),
            4 | 5 => {
                self.coming.push(self.now + self.dice.between(1, 60_000));
                self.pass(5_000);
                Sent::Ambiguous(Failure::Silent)
            }
            6 => self.make(self.now).map_or(Sent::Refused, |_| Sent::Ambiguous(Failure::Silent)),
            7 => self.make(self.now).map_or(Sent::Refused, |_| Sent::Empty),
            8 if self.dice.chance(300) => Sent::Refused,
            _ => self.make(self.now).map_or(Sent::Refused, Sent::Made),
        }
    }

    /// Looks for what an attempt made; none if the look fails.
    fn look(&mut self, began: Millis) -> Option<(Seen, Option<usize>)> {
        let time = self.dice.between(50, 1_000);
        self.pass(time);
        if self.trouble && self.dice.chance(400) {
            return None;
        }
        if !self.has(Mend::OlderIsNotOurs) {
            return Some(match self.records.is_empty() {
                true => (Seen::Nothing, None),
                false => (Seen::Found, Some(0)),
            });
        }
        let like =
            |record: &Record| Like { exact: true, unique: self.numbered, created: Some(record.created) };
        let likes: Vec<_> = self.records.iter().map(like).collect();
        Some(seen(&likes, began, true))
    }

    /// `create_once`: what is heard, and whether RingCentral was asked for a change that it may have made.
    fn create(&mut self, attempt: Attempt) -> (Heard, bool) {
        let (now, mut began) = (self.now, self.now);
        if let Attempt::Resumed(earlier) = attempt {
            began = earlier.began;
            let Some((seen, which)) = self.look(began) else { return (Heard::Later, false) };
            let over = now >= earlier.over || !self.has(Mend::WaitsUntilOver);
            match (before_creating(seen, over), which) {
                (Step::Take, Some(which)) => return (Heard::Created(which), false),
                (Step::Create, _) => {}
                _ => return (Heard::Unknown, false),
            }
        }
        let failure = match self.send() {
            Sent::Made(which) => return (Heard::Created(which), false),
            Sent::Refused => return (Heard::Unchanged, false),
            Sent::Throttled => return (Heard::Unchanged, false),
            Sent::Empty if !self.has(Mend::EmptyIsUnknown) => return (Heard::Unchanged, false),
            Sent::Empty => Failure::Silent,
            Sent::Ambiguous(_) if !self.has(Mend::SilenceIsNoAnswer) => Failure::Answered,
            Sent::Ambiguous(failure) => failure,
        };
        let Some((seen, which)) = self.look(began) else { return (Heard::Unknown, true) };
        let in_time = self.now - now < 12_000;
        match (after_failure(failure, seen, in_time), which) {
            (Step::Take, Some(which)) => return (Heard::Created(which), false),
            (Step::Create, _) => {}
            _ => return (Heard::Unknown, true),
        }
        match self.send() {
            Sent::Made(which) => return (Heard::Created(which), false),
            Sent::Refused => {}
            _ => return (Heard::Unknown, true),
        }
        let Some((seen, which)) = self.look(began) else { return (Heard::Unknown, true) };
        match (after_refusal(seen), which) {
            (Step::Take, Some(which)) => (Heard::Created(which), false),
            (Step::Refuse, _) => (Heard::Unchanged, false),
            _ => (Heard::Unknown, true),
        }
    }

    /// One request of the caller with the key; none if the container dies before it answers.
    fn request(&mut self, other_body: bool, demoted: bool) -> Option<Heard> {
        let wanted = Item {
            lease_until: self.now + LEASE,
            began: self.now,
            over: self.now + LEASE + ON_ITS_WAY,
            answer: None,
        };
        let attempt = match self.item {
            _ if demoted && self.has(Mend::RoleFirst) => return Some(Heard::Forbidden),
            None => Attempt::First,
            Some(_) if other_body && self.has(Mend::BodyIsCompared) => return Some(Heard::Different),
            Some(Item { answer: Some(which), .. }) => return Some(Heard::Created(which)),
            Some(item) if item.lease_until > self.now => return Some(Heard::Later),
            Some(item) => Attempt::Resumed(Earlier { began: item.began, over: item.over }),
        };
        if demoted || other_body {
            return Some(if demoted { Heard::Forbidden } else { Heard::Different });
        }
        let began = attempt.earlier().map_or(wanted.began, |(began, _)| began);
        self.item = Some(Item { began, ..wanted });
        // The store's answer to the write is lost.
        let attempt = match self.trouble && self.dice.chance(200) && !self.has(Mend::TakeOverIsKnown) {
            true => Attempt::First,
            false => attempt,
        };
        let (heard, unknown) = self.create(attempt);
        if self.trouble && self.dice.chance(100) {
            return None;
        }
        let status = match heard {
            Heard::Created(_) => StatusCode::CREATED,
            _ => StatusCode::BAD_GATEWAY,
        };
        let stored = !(self.trouble && self.dice.chance(150));
        let fate = match fate(attempt, status, unknown) {
            Fate::GivenBack(_) if !self.has(Mend::LeaseOnly) => Fate::Forgotten,
            fate => fate,
        };
        match (fate, &mut self.item, heard) {
            _ if !stored => {}
            (Fate::Kept, Some(item), Heard::Created(which)) => item.answer = Some(which),
            (Fate::GivenBack(earlier), Some(item), _) => {
                (item.lease_until, item.over) = (0, earlier.over);
            }
            (Fate::Forgotten, item, _) => *item = None,
            _ => {}
        }
        if heard == Heard::Unchanged && (self.ours() > 0 || !self.coming.is_empty()) {
            self.broken.push("it was said that nothing was changed".to_owned());
        }
        Some(heard)
    }

    fn live(mut self) -> Vec<String> {
        let mut ends = None;
        for _ in 0..40 {
            let (other, demoted) = (self.dice.chance(80), self.dice.chance(80));
            let heard = self.request(other, demoted);
            match heard {
                Some(Heard::Created(_)) if other || demoted => {
                    self.broken.push(format!("{heard:?} for another body ({other}) or role ({demoted})"));
                }
                Some(Heard::Created(which)) if !self.records[which].ours => {
                    self.broken.push("one that was there before is passed off as the result".to_owned());
                }
                Some(Heard::Created(which)) if *ends.get_or_insert(which) != which => {
                    self.broken.push("two answers name two results".to_owned());
                }
                _ => {}
            }
            let pause = self.dice.between(500, 70_000);
            self.pass(pause);
            self.trouble = self.trouble && !self.dice.chance(60);
        }
        // Everything works again, and nothing is on its way any more.
        self.trouble = false;
        self.pass(LEASE + ON_ITS_WAY);
        let last = self.request(false, false);
        if !matches!(last, Some(Heard::Created(_))) && self.broken.is_empty() {
            self.broken.push(format!("it never ends: {last:?}"));
        }
        if self.ours() > 1 {
            self.broken.push(format!("{} were made", self.ours()));
        }
        self.broken
    }
}

#[test]
fn no_key_makes_two_or_says_what_is_not_so() {
    let worlds = seeds::setting("FLEET_SEEDS").unwrap_or(10_000);
    let only = seeds::setting("FLEET_SEED");
    let world = |seed| World::new(only.unwrap_or(seed), None).live();
    let count = only.map_or(worlds, |_| 1);
    let replay = |seed| seeds::replay("no_key_makes_two", &[], only.unwrap_or(seed));
    seeds::assert_none(&seeds::run(count, world), count, replay);
}

#[test]
fn every_mend_that_is_taken_out_is_missed() {
    for mend in MENDS {
        let failed = seeds::run(10_000, |seed| World::new(seed, Some(mend)).live());
        let shown = failed.first().map(|(seed, why)| format!("seed {seed}: {why}"));
        println!("without {mend:?}: {} of 10000 seeds fail, first {shown:?}", failed.len());
        assert!(!failed.is_empty(), "nothing misses {mend:?}");
    }
}
