//! What a world is made of. Everything is drawn from the seed, and every switch can be set by hand.

use clock::Millis;

use super::Dice;

/// One world, before it runs. Spans are counted from its start.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    pub(crate) containers: usize,
    pub(crate) callers: usize,
    /// How long a token lives.
    pub(crate) life: Millis,
    /// The longest pause of a caller between two uses of the token.
    pub(crate) pause: Millis,
    /// When callers stop asking.
    pub(crate) duration: Millis,
    /// Containers' clocks are wrong by up to this much in either direction.
    pub(crate) skew: Millis,
    /// When RingCentral ends every session.
    pub(crate) revocations: Vec<Millis>,
    /// From here on RingCentral refuses the credentials.
    pub(crate) refused_from: Option<Millis>,
    /// From here on RingCentral gives out tokens that it does not accept.
    pub(crate) poisoned_from: Option<Millis>,
    /// Spans in which something in front of the token endpoint answers 403 in its place.
    pub(crate) strangers: Vec<Span>,
    /// Spans in which RingCentral's check of tokens knows none.
    pub(crate) blinks: Vec<Span>,
    /// A new JWT of the same user, with a new client secret.
    pub(crate) rotation: Option<Rotation>,
    /// The token endpoint fails, does not answer, or is not reached at all.
    pub(crate) failures: bool,
    pub(crate) crashes: bool,
    pub(crate) freezes: bool,
    /// The tables fail before a write, lose the answer after it, or are sent the same request twice.
    pub(crate) faults: bool,
    /// The container that sends the first token request does not live to see its answer.
    pub(crate) first_dies: bool,
    /// Callers sometimes give up in the middle of waiting.
    pub(crate) giving_up: bool,
}

/// From when until when, counted from the start.
pub(crate) type Span = (Millis, Millis);

/// Credentials are stored anew while everybody is at work.
#[derive(Debug, Clone)]
pub(crate) struct Rotation {
    pub(crate) at: Millis,
    /// Each container goes on with the old ones for up to this long.
    pub(crate) late: Millis,
    /// RingCentral does not take the new ones before this much has passed.
    pub(crate) spreads: Millis,
    /// The JWTs name their user.
    pub(crate) named: bool,
}

impl Scenario {
    /// A world drawn from its seed.
    pub(crate) fn draw(seed: u64) -> Self {
        let mut dice = Dice::new(seed.wrapping_mul(0xD134_2543_DE82_EF95));
        let life = dice.one_of(&[60_000, 120_000, 600_000]);
        let duration = dice.between(life, life * 3).max(150_000);
        // Whoever ends all sessions does not do so twice in the time of one call.
        let revocations = match dice.chance(500) {
            true => (0..dice.between(1, 3))
                .map(|part| (part * duration + dice.between(0, duration - 60_000)) / 3)
                .collect(),
            false => Vec::new(),
        };
        Self {
            seed,
            containers: usize::try_from(dice.between(1, 12)).unwrap_or(1),
            callers: usize::try_from(dice.between(1, 3)).unwrap_or(1),
            life,
            pause: dice.one_of(&[duration / 40, duration / 10, duration / 2]),
            duration,
            skew: dice.one_of(&[0, 2_000, 2_000]),
            revocations,
            refused_from: dice.chance(120).then(|| dice.between(0, duration)),
            poisoned_from: dice.chance(80).then(|| dice.between(0, duration)),
            strangers: Vec::new(),
            blinks: Vec::new(),
            rotation: None,
            failures: dice.chance(300),
            crashes: dice.chance(300),
            freezes: dice.chance(300),
            faults: dice.chance(300),
            first_dies: false,
            giving_up: dice.chance(200),
        }
    }

    /// The same world without crashes, freezes, failures, callers that give up and credentials that are no good. Clocks stay
    /// wrong, answers slow, and tokens are still revoked.
    pub(crate) fn calm(self) -> Self {
        let calm = Self { failures: false, crashes: false, freezes: false, faults: false, ..self };
        Self { giving_up: false, refused_from: None, poisoned_from: None, ..calm }
    }

    /// Something happens that callers may hear of.
    pub(crate) fn is_troubled(&self) -> bool {
        !self.strangers.is_empty() || !self.blinks.is_empty() || self.rotation.is_some()
    }

    /// Nothing but the session can be to blame for whatever goes wrong.
    pub(crate) fn is_calm(&self) -> bool {
        let harmed = self.crashes || self.freezes || self.first_dies || self.giving_up;
        !harmed && !self.failures && !self.faults
    }
}
