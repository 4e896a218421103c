//! The session in a seeded world whose RingCentral is in trouble for a while: nobody is throttled for it, and everybody is served soon
//! after it is over.

use clock::Millis;

use crate::{
    seeds,
    tokens::{Rotation, Scenario, Verdict, run},
    world::Dice,
};

/// The longest blink of the check of tokens: long enough for three tokens in a row.
const BLINK: Millis = 12_000;
const SEEDS: u64 = 100;
/// A circuit that opened, a rest of credentials or a rate window may last so long after the trouble, and a caller that has begun then
/// fails after as long as it waits at most.
const AFTER: Millis = 60_000 + 20_000;

/// What happens, and until when.
type Trouble = (Scenario, Millis);

fn calm(seed: u64, skew: bool) -> (Scenario, Dice) {
    let scenario = Scenario { revocations: Vec::new(), ..Scenario::draw(seed).calm() };
    let scenario = Scenario { skew: if skew { 2_000 } else { scenario.skew }, ..scenario };
    (scenario, Dice::new(seed.wrapping_mul(0x9E37_79B9)))
}

/// When a trouble begins: mostly with nothing known, or when the token is due.
fn begins(scenario: &Scenario, dice: &mut Dice) -> Millis {
    let due = scenario.life * 7 / 10;
    dice.one_of(&[0, due, due + scenario.life / 10]) + dice.between(0, 2_000)
}

fn stranger(seed: u64) -> Trouble {
    let (scenario, mut dice) = calm(seed, false);
    let from = begins(&scenario, &mut dice);
    let until = from + dice.between(100, 20_000);
    (Scenario { strangers: vec![(from, until)], ..scenario }, until)
}

fn blink(seed: u64) -> Trouble {
    let (scenario, mut dice) = calm(seed, false);
    let from = begins(&scenario, &mut dice);
    let until = from + dice.between(100, BLINK);
    (Scenario { blinks: vec![(from, until)], ..scenario }, until)
}

fn rotation(seed: u64, spreads: Millis) -> Trouble {
    let (scenario, mut dice) = calm(seed, false);
    let (at, late) = (begins(&scenario, &mut dice), dice.one_of(&[0, 5_000, 60_000]));
    let scenario = Scenario { pause: scenario.pause.min(5_000), ..scenario };
    let spreads = dice.between(0, spreads);
    let rotation = Some(Rotation { at, late, spreads, named: true });
    // Both JWTs need more tokens than one, and both spend the window of their user.
    let blink = (at - dice.between(0, 5_000), at + dice.between(0, BLINK));
    let until = at + late.max(spreads).max(BLINK);
    (Scenario { rotation, blinks: vec![blink], ..scenario }, until)
}

/// Everything at once, and whatever else the seed has drawn.
fn everything(seed: u64) -> Trouble {
    let mut dice = Dice::new(seed.wrapping_mul(0x9E37_79B9));
    let scenario = Scenario { refused_from: None, poisoned_from: None, ..Scenario::draw(seed) };
    let mut spans = |longest: Millis| {
        let count = dice.between(0, 3);
        let mut span = || {
            let from = dice.between(0, scenario.duration);
            (from, from + dice.between(100, longest))
        };
        (0..count).map(|_| span()).collect::<Vec<_>>()
    };
    let (strangers, blinks) = (spans(20_000), spans(BLINK));
    let at = dice.between(0, scenario.duration);
    let rotation = Rotation { at, late: 60_000, spreads: dice.between(0, 30_000), named: true };
    let duration = scenario.duration;
    (Scenario { strangers, blinks, rotation: Some(rotation), ..scenario }, duration)
}

/// What is wrong with a world in which everything has to be well so long after the trouble.
fn judge((scenario, until): Trouble, after: Millis) -> Vec<String> {
    let Verdict { mut broken, last_failure, .. } = run(&scenario);
    broken.extend(last_failure.filter(|at| *at > until + after).map(|at| {
        let too_late = at - until;
        format!("a caller failed {too_late} ms after it was over")
    }));
    broken
}

fn tell(test: &str, draw: impl Fn(u64) -> Trouble + Sync, after: Millis) {
    let test = format!("session_troubles::{test}");
    if let Some(seed) = seeds::setting("FLEET_SEED") {
        let (scenario, until) = draw(seed);
        let verdict = run(&scenario);
        println!(
            "{}{scenario:#?}\nover after {until} ms, last failure {:?}",
            verdict.journal, verdict.last_failure
        );
        println!("{:?} {:?}", verdict.books, verdict.callers);
        let broken = judge((scenario, until), after);
        assert!(broken.is_empty(), "seed {seed}: {}", broken.join("; "));
        return;
    }
    let seeds = seeds::setting("FLEET_SEEDS").unwrap_or(SEEDS);
    let failed = seeds::run(seeds, |seed| judge(draw(seed), after));
    seeds::assert_none(&failed, seeds, |seed| seeds::replay(&test, &[], seed));
}

#[test]
fn regression_a_stranger_at_the_token_endpoint_locks_nobody_out() {
    tell("regression_a_stranger_at_the_token_endpoint_locks_nobody_out", stranger, AFTER);
}

#[test]
fn regression_a_check_of_tokens_that_blinks_shuts_nobody_out_for_long() {
    tell("regression_a_check_of_tokens_that_blinks_shuts_nobody_out_for_long", blink, AFTER);
}

#[test]
fn regression_a_rotated_jwt_finds_the_windows_of_its_user() {
    tell("regression_a_rotated_jwt_finds_the_windows_of_its_user", |seed| rotation(seed, 0), AFTER);
}

/// RingCentral refuses the new credentials at first, and a refused app rests for two minutes.
#[test]
fn regression_a_secret_that_spreads_late_is_taken_in_the_end() {
    tell(
        "regression_a_secret_that_spreads_late_is_taken_in_the_end",
        |seed| rotation(seed, 30_000),
        AFTER + 120_000,
    );
}

#[test]
fn all_troubles_at_once_throttle_nobody() {
    tell("all_troubles_at_once_throttle_nobody", everything, Millis::MAX / 4);
}
