//! Runs a world: starts containers, lets them crash, freeze and end as the seed says, and judges what came of it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use clock::{Bounded, Millis};
use gate::{Gate, Policy};
use ringcentral::{RetryPolicy, Session};

use super::{
    ContainerId, Dice, Event, Executor, Journal, Scenario, SkewedClock, Timeline, Verdict,
    caller::Container,
    ledger::Ledger,
    network::{Line, Network},
    platform::{Endpoint, Platform},
    tables::{Connection, Tables},
    verdict::Tally,
};

/// More polls than any world needs: whoever needs more goes round in circles.
const ENDLESS: u64 = 5_000_000;
/// The furthest a clock is believed to be wrong.
const BELIEVED: Millis = 2_000;

/// Something the script does.
#[derive(Clone, Copy)]
enum Act {
    Start,
    Crash(ContainerId),
    Freeze(ContainerId, Millis),
    Thaw(ContainerId),
}

/// Plans acts. Clones share what is due.
#[derive(Clone)]
pub(crate) struct Mischief {
    timeline: Timeline,
    scenario: Arc<Scenario>,
    dice: Arc<Mutex<Dice>>,
    due: Arc<Mutex<Vec<Act>>>,
}

impl Mischief {
    fn plan(&self, delay: Millis, act: Act) {
        let due = self.due.clone();
        self.timeline.after(delay, move || due.lock().unwrap().push(act));
    }

    /// A container has just sent a token request.
    pub(crate) fn sent(&self, container: ContainerId, flight: usize) {
        match flight {
            0 if self.scenario.first_dies => {
                let delay = self.dice.lock().unwrap().between(1, 10);
                self.plan(delay, Act::Crash(container));
            }
            _ => self.strike(container),
        }
    }

    /// A container has just claimed the lease or sent a token request: that is the moment to do it harm.
    pub(crate) fn strike(&self, container: ContainerId) {
        let mut dice = self.dice.lock().unwrap();
        let delay = dice.between(1, 1_200);
        if self.scenario.crashes && dice.chance(120) {
            self.plan(delay, Act::Crash(container));
        } else if self.scenario.freezes && dice.chance(250) {
            let longest = dice.one_of(&[500, 3_000, 10_000, 40_000]);
            self.plan(delay, Act::Freeze(container, dice.between(1, longest)));
        }
    }
}

struct World {
    scenario: Arc<Scenario>,
    timeline: Timeline,
    journal: Journal<Event>,
    ledger: Ledger,
    tally: Tally,
    tables: Tables,
    network: Network,
    platform: Platform,
    executor: Executor,
    containers: Vec<Arc<Container>>,
    mischief: Mischief,
    dice: Dice,
    horizon: Millis,
}

/// Runs a scenario to its end.
pub(crate) fn run(scenario: &Scenario) -> Verdict {
    let mut dice = Dice::new(scenario.seed);
    let timeline = Timeline::starting(1_795_000_000_000 + dice.between(0, 60_000));
    let scenario = Arc::new(scenario.clone());
    let (journal, ledger) = (Journal::new(timeline.clone()), Ledger::new(timeline.clone()));
    let shared = (timeline.clone(), journal.clone(), ledger.clone());
    let network = Network {
        timeline: timeline.clone(),
        journal: journal.clone(),
        ledger: ledger.clone(),
        faults: scenario.faults,
        dice: Arc::new(Mutex::new(dice.fork())),
    };
    let mischief = Mischief {
        timeline: timeline.clone(),
        scenario: scenario.clone(),
        dice: Arc::new(Mutex::new(dice.fork())),
        due: Arc::default(),
    };
    let mut world = World {
        horizon: timeline.now() + scenario.duration,
        platform: Platform::new(shared, scenario.clone(), dice.fork()),
        executor: Executor::new(dice.fork()),
        containers: Vec::new(),
        tally: Tally::default(),
        tables: Tables::default(),
        network,
        mischief,
        dice,
        scenario,
        timeline,
        journal,
        ledger,
    };
    world.open();
    let ended = world.play();
    Verdict::of(&world.scenario, &world.platform, &world.ledger, &world.tally, world.journal, ended)
}

impl World {
    fn open(&mut self) {
        for _ in 0..self.scenario.containers {
            let delay = self.dice.one_of(&[0, 0, self.scenario.duration / 4]);
            self.mischief.plan(delay, Act::Start);
        }
        for after in &self.scenario.revocations {
            let platform = self.platform.clone();
            self.timeline.after(*after, move || platform.revoke());
        }
    }

    /// Until nothing is due any more; an error says why it can't go on.
    fn play(&mut self) -> Result<(), String> {
        loop {
            self.executor.run_ready();
            let acts = std::mem::take(&mut *self.mischief.due.lock().unwrap());
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

    fn act(&mut self, act: Act) {
        match act {
            Act::Start => self.start(),
            Act::Crash(id) | Act::Freeze(id, _) if !self.executor.is_alive(id) => {}
            Act::Crash(id) => {
                self.journal.note(id, Event::Crashed);
                self.tally.crashed(self.containers[id].waiting.load(Ordering::Relaxed));
                self.ledger.crashed(id);
                self.executor.crash(id);
                let pause = self.dice.between(10, 5_000);
                self.mischief.plan(pause, Act::Start);
            }
            Act::Freeze(id, span) if !self.executor.is_frozen(id) => {
                self.journal.note(id, Event::Froze { span });
                self.ledger.froze(id, span);
                self.executor.freeze(id);
                self.mischief.plan(span, Act::Thaw(id));
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
        let furthest = self.scenario.skew;
        let between = self.dice.between(-furthest, furthest);
        let skew = self.dice.one_of(&[-furthest, between, furthest]);
        let clock = SkewedClock { timeline: self.timeline.clone(), skew };
        let bounded = Bounded::new(Arc::new(clock.clone()), BELIEVED);
        let line = Line {
            network: self.network.clone(),
            container: id,
            clock: clock.clone(),
            bounded: bounded.clone(),
        };
        let mischief = self.mischief.clone();
        let store = Arc::new(Connection { tables: self.tables.clone(), line, mischief: mischief.clone() });
        let gate =
            Gate::new(store.clone(), bounded.clone(), Policy::default()).seeded(self.dice.fork().roll());
        let endpoint = Arc::new(Endpoint { platform: self.platform.clone(), container: id, mischief });
        let session = Session::new(store, bounded, gate, endpoint, RetryPolicy::default());
        let life = if self.dice.chance(200) { self.dice.between(left / 4, left) } else { left };
        let start = self.horizon - self.scenario.duration;
        let rotates = self.scenario.rotation.clone();
        let rotates = rotates.map(|rotation| start + rotation.at + self.dice.between(0, rotation.late));
        let container = Arc::new(Container {
            id,
            session,
            clock,
            platform: self.platform.clone(),
            journal: self.journal.clone(),
            ledger: self.ledger.clone(),
            tally: self.tally.clone(),
            scenario: self.scenario.clone(),
            ends: self.timeline.now() + life,
            rotates,
            waiting: AtomicUsize::new(0),
        });
        self.journal.note(id, Event::Started { skew });
        self.ledger.started();
        for caller in 0..self.scenario.callers {
            self.executor.spawn(id, container.clone().call(caller, self.dice.fork()));
        }
        self.containers.push(container);
        if self.scenario.freezes {
            for _ in 0..self.dice.between(0, 2) {
                let delay = self.dice.between(0, left);
                let longest = self.dice.one_of(&[100, 3_000, 30_000]);
                let span = self.dice.between(1, longest);
                self.mischief.plan(delay, Act::Freeze(id, span));
            }
        }
        if self.scenario.crashes && self.dice.chance(200) {
            let delay = self.dice.between(0, left);
            self.mischief.plan(delay, Act::Crash(id));
        }
    }
}
