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
            interactive_every: None,
        }
    }

    /// The same world without crashes, freezes, faults, late arrivals and callers that give up.
    pub(crate) fn calm(self) -> Self {
        Self { crashes: false, freezes: false, faults: false, giving_up: false, late_arrivals: false, ..self }
    }

    /// The gate's pad: what covers the jitter between a grant and the arrival of its request.
    pub(crate) fn pad(&self) -> Millis {
        self.window / 120
    }

    /// Nobody but the fleet can be to blame for a 429.
    pub(crate) fn is_clean(&self) -> bool {
        self.outside == 0 && self.forced_429.is_none() && self.changed.is_none()
    }

    /// How long a request is usually on its way at most: the other half of the pad is its sender's.
    pub(crate) fn transit(&self) -> Millis {
        self.pad() / 2
    }
}
