//! What a world is made of. Everything is drawn from the seed, and every switch can be set by hand.

use clock::Millis;

use super::Dice;

/// One world, before it runs.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    /// RingCentral's window: this many requests in any span of this length.
    pub(crate) limit: u32,
    pub(crate) window: Millis,
    pub(crate) containers: usize,
    /// How many programs they belong to in turn, each with a store of its own: they know nothing of each other.
    pub(crate) programs: usize,
    pub(crate) callers: usize,
    /// How long a caller waits for its slot.
    pub(crate) patience: Millis,
    /// The longest pause of a caller between two requests.
    pub(crate) pause: Millis,
    /// When callers stop asking, counted from the start.
    pub(crate) duration: Millis,
    /// How long a request to the store is on its way at most, in each direction.
    pub(crate) store: Millis,
    pub(crate) crashes: bool,
    pub(crate) freezes: bool,
    /// The store fails before a write or loses the answer after it.
    pub(crate) faults: bool,
    /// Callers sometimes give up in the middle of waiting.
    pub(crate) giving_up: bool,
    /// Callers of all three priorities, not only interactive ones.
    pub(crate) priorities: bool,
    /// A few requests arrive later than the pad covers, but in a container that lives to correct it.
    pub(crate) late_arrivals: bool,
    /// Containers' clocks are wrong by up to this much in either direction.
    pub(crate) skew: Millis,
    /// The share of the budget, in percent, that another tool uses without asking anybody.
    pub(crate) outside: u32,
    /// RingCentral answers 429 to the first request this long after the start, whatever its window says.
    pub(crate) forced_429: Option<Millis>,
    /// The limit is another one from this long after the start.
    pub(crate) changed: Option<(Millis, u32)>,
    /// The 429 that is answered then is about the whole account, not about a window.
    pub(crate) account: bool,
    /// The store often fails when it is told of a block, and when it is asked whom else it concerns.
    pub(crate) failing_blocks: bool,
    /// RingCentral answers after several hundred milliseconds (of a minute's window).
    pub(crate) slow_answers: bool,
    /// The containers go by what they know of a credential, and from about this long after the start by its user, each at its own time.
    pub(crate) renamed: Option<Millis>,
    /// Besides the others, one container whose only caller is interactive and asks this often on average; the others are batch.
    pub(crate) interactive_every: Option<Millis>,
}

impl Scenario {
    /// A world drawn from its seed, with nobody outside.
    pub(crate) fn draw(seed: u64) -> Self {
        let mut dice = Dice::new(seed.wrapping_mul(0xD134_2543_DE82_EF95));
        let window = dice.one_of(&[6_000, 60_000]);
        let long = dice.chance(400);
        Self {
            seed,
            limit: u32::try_from(dice.between(5, 50)).unwrap_or(5),
            window,
            containers: usize::try_from(dice.between(1, 16)).unwrap_or(1),
            programs: 1,
            callers: usize::try_from(dice.between(1, 4)).unwrap_or(1),
            patience: if long {
                dice.between(window / 2, window * 2)
            } else {
                dice.one_of(&[0, 300, 1_000, 3_000])
            },
            pause: dice.one_of(&[0, 50, 2_000]),
            duration: window * dice.between(2, 4) + dice.between(0, window),
            store: 20,
            crashes: dice.chance(400),
            freezes: dice.chance(400),
            faults: dice.chance(400),
            giving_up: dice.chance(300),
            priorities: dice.chance(300),
            late_arrivals: dice.chance(300),
            skew: dice.one_of(&[0, 0, 300, 2_000]),
            outside: 0,
            forced_429: None,
            changed: None,
            account: false,
            failing_blocks: false,
            slow_answers: false,
            renamed: None,
            interactive_every: None,
        }
    }

    /// The same world with more trouble, drawn from the seed as well: answers that take their time, a limit that is raised, one of
    /// more than a thousand, a 429 that RingCentral's window does not explain over a store that fails just then, an identity that changes.
    pub(crate) fn troubled(self) -> Self {
        let mut dice = Dice::new(self.seed.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ 0x7A11);
        let mut world = self;
        world.slow_answers = dice.chance(300);
        world.account = dice.chance(500);
        world.failing_blocks = dice.chance(500);
        let at = |dice: &mut Dice| Some(dice.between(0, world.duration));
        world.forced_429 = if dice.chance(150) { at(&mut dice) } else { None };
        world.renamed = if dice.chance(300) { at(&mut dice) } else { None };
        let raised = if dice.chance(150) { at(&mut dice) } else { None };
        let times = u32::try_from(dice.between(2, 4)).unwrap_or(2);
        world.changed = raised.map(|at| (at, world.limit * times));
        if dice.chance(12) {
            world = world.large(&mut dice);
        }
        world
    }

    /// A limit of more than a thousand, or one that is raised to that in the middle, and callers enough to use it up.
    fn large(self, dice: &mut Dice) -> Self {
        let limit = u32::try_from(dice.between(1_001, 1_300)).unwrap_or(1_001);
        let before = u32::try_from(dice.between(700, 1_000)).unwrap_or(1_000);
        let window = 60_000;
        let raised = dice.chance(500).then(|| (dice.between(0, window), limit));
        Self {
            limit: if raised.is_some() { before } else { limit },
            changed: raised,
            window,
            containers: usize::try_from(dice.between(2, 4)).unwrap_or(2),
            callers: 24,
            patience: 1_000,
            pause: dice.one_of(&[0, 50]),
            duration: window * 2 + dice.between(0, window / 2),
            forced_429: self.forced_429.map(|at| at % (2 * window)),
            renamed: self.renamed.map(|at| at % (2 * window)),
            ..self
        }
    }

    /// The same world without crashes, freezes, faults, late arrivals and callers that give up.
    pub(crate) fn calm(self) -> Self {
        Self {
            crashes: false,
            freezes: false,
            faults: false,
            giving_up: false,
            late_arrivals: false,
            failing_blocks: false,
            slow_answers: false,
            renamed: None,
            ..self
        }
    }

    /// The gate's pad: what covers the jitter between a grant and the arrival of its request.
    pub(crate) fn pad(&self) -> Millis {
        self.window / 120
    }

    /// Nobody but the fleet can be to blame for a 429.
    pub(crate) fn is_clean(&self) -> bool {
        self.keeps_its_limit() && self.forced_429.is_none()
    }

    /// Nobody but the fleet can be to blame if more requests arrive than the window holds.
    pub(crate) fn keeps_its_limit(&self) -> bool {
        self.outside == 0 && self.changed.is_none_or(|(_, limit)| limit >= self.limit)
    }

    /// The largest limit there will be.
    pub(crate) fn most(&self) -> u32 {
        self.changed.map_or(self.limit, |(_, limit)| limit.max(self.limit))
    }

    /// How long a request is usually on its way at most: the other half of the pad is its sender's.
    pub(crate) fn transit(&self) -> Millis {
        self.pad() / 2
    }
}
