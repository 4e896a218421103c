//! Runs a world: starts containers, lets them crash, freeze and end as the seed says, and judges what came of it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicI64, AtomicUsize, Ordering},
};

use clock::{Bounded, Millis};
use gate::WindowStore;

use super::{
    ContainerId, Dice, Event, Executor, Journal, Ledger, Limiter, Platform, Scenario, SkewedClock, Store,
    Timeline, Verdict, caller::Container, store::Connection,
};

/// Gives a container its limiter: the gate over its store and clock, with a seed, or something else.
pub(crate) type Join<'a> = &'a dyn Fn(Arc<dyn WindowStore>, Bounded, u64) -> Arc<dyn Limiter>;

/// More polls than any world needs: whoever needs more goes round in circles.
const ENDLESS: u64 = 20_000_000;

/// Something the script does to a container.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    Start,
    Crash(ContainerId),
    Freeze(ContainerId, Millis),
    Thaw(ContainerId),
}

struct World<'a> {
    scenario: Arc<Scenario>,
    timeline: Timeline,
    journal: Journal,
    ledger: Ledger,
    stores: Vec<Store>,
    platform: Platform,
    executor: Executor,
    containers: Vec<Arc<Container>>,
    acts: Arc<Mutex<Vec<Act>>>,
    dice: Dice,
    join: Join<'a>,
    horizon: Millis,
}

/// Runs a scenario to its end.
pub(crate) fn run(scenario: &Scenario, join: Join<'_>) -> Verdict {
    let mut dice = Dice::new(scenario.seed);
    let timeline = Timeline::starting(1_795_000_000_000 + dice.between(0, 2 * scenario.window));
    let scenario = Arc::new(scenario.clone());
    let (journal, ledger) = (Journal::new(timeline.clone()), Ledger::default());
    let stores = (0..scenario.programs)
        .map(|_| Store::new((timeline.clone(), journal.clone(), ledger.clone()), &scenario, dice.fork()));
    let stores: Vec<_> = stores.collect();
    let platform = Platform::new(timeline.clone(), journal.clone(), scenario.clone(), dice.fork());
    let mut world = World {
        horizon: timeline.now() + scenario.duration,
        executor: Executor::new(dice.fork()),
        containers: Vec::new(),
        acts: Arc::default(),
        dice,
        join,
        scenario,
        timeline,
        journal,
        ledger,
        stores,
        platform,
    };
    world.open();
    let ended = world.play();
    Verdict::of(&world.scenario, &world.platform, &world.stores[0], &world.ledger, world.journal, ended)
}

impl World<'_> {
    fn open(&mut self) {
        for _ in 0..self.scenario.containers + usize::from(self.scenario.interactive_every.is_some()) {
            let delay = self.dice.one_of(&[0, 0, self.scenario.window / 3]);
            self.plan(delay, Act::Start);
        }
        let (limit, share) = (i64::from(self.scenario.limit), i64::from(self.scenario.outside));
        let mut at = self.timeline.now();
        while share > 0 && at < self.horizon {
            let every = self.scenario.window * 100 / (limit * share).max(1);
            at += self.dice.between(every * 4 / 5, every * 6 / 5).max(1);
            let platform = self.platform.clone();
            self.timeline.at(at, move || platform.arrive_outside());
        }
    }

    /// Until nothing is due any more; an error says why it can't go on.
    fn play(&mut self) -> Result<(), String> {
        loop {
            self.executor.run_ready();
            let acts = std::mem::take(&mut *self.acts.lock().unwrap());
            if acts.is_empty() && !self.timeline.step() {
                break;
            }
            acts.into_iter().for_each(|act| self.act(act));
            if self.executor.polls() > ENDLESS {
                return Err("the fleet goes round in circles".to_owned());
            }
        }
        match self.executor.unfinished() {
            0 => Ok(()),
            stuck => Err(format!("deadlock: {stuck} callers wait and nothing is due")),
        }
    }

    fn plan(&self, delay: Millis, act: Act) {
        let acts = self.acts.clone();
        self.timeline.after(delay, move || acts.lock().unwrap().push(act));
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Start => self.start(),
            Act::Crash(id) | Act::Freeze(id, _) if !self.executor.is_alive(id) => {}
            // Who dies or stands still over a late arrival can't correct it: no limiter survives that.
            Act::Crash(id) | Act::Freeze(id, _) if self.containers[id].late.load(Ordering::Relaxed) > 0 => {
                self.plan(500, act);
            }
            Act::Crash(id) => {
                let passing = self.containers[id].passing.load(Ordering::Relaxed);
                self.journal.note(id, Event::Crashed { passing });
                self.ledger.excuse(passing);
                self.executor.crash(id);
                let pause = self.dice.between(10, 5_000);
                self.plan(pause, Act::Start);
            }
            Act::Freeze(id, span) if !self.executor.is_frozen(id) => {
                self.journal.note(id, Event::Froze { span });
                self.ledger.excuse(self.containers[id].passing.load(Ordering::Relaxed));
                self.executor.freeze(id);
                self.plan(span, Act::Thaw(id));
            }
            Act::Freeze(..) => {}
            Act::Thaw(id) if self.executor.is_frozen(id) => {
                self.journal.note(id, Event::Thawed);
                self.executor.thaw(id);
            }
            Act::Thaw(_) => {}
        }
    }

    fn start(&mut self) {
        let left = self.horizon - self.timeline.now();
        if left <= 0 {
            return;
        }
        let id = self.containers.len();
        let skew = self.dice.between(-self.scenario.skew, self.scenario.skew);
        let clock = SkewedClock { timeline: self.timeline.clone(), skew };
        let bounded = Bounded::new(Arc::new(clock.clone()), self.scenario.skew);
        let store = self.stores[id % self.stores.len()].clone();
        let store = Arc::new(Connection { store, container: id, clock: bounded.clone() });
        let alone = id == 0 && self.scenario.interactive_every.is_some();
        let life = if !alone && self.dice.chance(200) { self.dice.between(left / 4, left) } else { left };
        // Half of the crashes come at any time, half in the middle of a request.
        let last_words = match self.scenario.crashes && self.dice.chance(300) {
            true => 1 + self.dice.index(self.scenario.limit as usize / 2),
            false => usize::MAX,
        };
        let (timeline, acts) = (self.timeline.clone(), self.acts.clone());
        let container = Arc::new(Container {
            id,
            limiter: (self.join)(store, bounded, self.dice.between(0, Millis::MAX - 1).cast_unsigned()),
            clock,
            platform: self.platform.clone(),
            journal: self.journal.clone(),
            ledger: self.ledger.clone(),
            scenario: self.scenario.clone(),
            interactive_every: self.scenario.interactive_every.filter(|_| id == 0),
            ends: self.timeline.now() + life,
            passing: AtomicUsize::new(0),
            last_words: AtomicUsize::new(last_words),
            plan: Box::new(move |delay, act| {
                let acts = acts.clone();
                timeline.after(delay, move || acts.lock().unwrap().push(act));
            }),
            late: AtomicUsize::new(0),
            stopped: AtomicI64::new(Millis::MIN),
        });
        self.journal.note(id, Event::Started { skew });
        let callers = if container.interactive_every.is_some() { 1 } else { self.scenario.callers };
        for caller in 0..callers {
            self.executor.spawn(id, container.clone().call(caller, self.dice.fork()));
        }
        self.containers.push(container);
        if self.scenario.crashes && self.dice.chance(300) {
            let delay = self.dice.between(0, left);
            self.plan(delay, Act::Crash(id));
        }
        if self.scenario.freezes {
            for _ in 0..self.dice.between(0, 3) {
                let delay = self.dice.between(0, left);
                let longest = self.dice.one_of(&[100, 2_000, 30_000]);
                let span = self.dice.between(1, longest);
                self.plan(delay, Act::Freeze(id, span));
            }
        }
    }
}
