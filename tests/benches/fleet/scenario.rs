//! What is measured, as data.

use ringcentral::{
    Operation,
    operations::{READ_ACCOUNT_INFO, READ_COMPANY_CALL_LOG},
};

/// A fleet, what it asks for, and what happens to it when half of the time is over.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) bucket: Bucket,
    pub(crate) load: Load,
    pub(crate) event: Event,
}

/// The bucket everybody shares.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bucket {
    /// RingCentral's name of the group.
    pub(crate) group: &'static str,
    /// Requests a window holds when it begins.
    pub(crate) limit: u32,
    /// An operation of the group that costs the simulator little.
    pub(crate) operation: &'static Operation,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Load {
    /// Everybody, all the time, with the priority of the options.
    Saturated,
    /// Batch all the time, but two processes: those ask interactively, together so often in a minute.
    Mixed { interactive_per_minute: f64 },
}

/// What happens in the middle.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    /// Nothing.
    Nothing,
    /// Some processes are killed, and others started in their place.
    Kill,
    /// RingCentral changes the limit and says so in its headers.
    Limit(u32),
    /// RingCentral answers one request with a 429 although the window has room.
    Penalty,
    /// Nothing, but from the beginning another tool uses so much of the limit.
    Outside(f64),
}

const HEAVY: Bucket = Bucket { group: "heavy", limit: 10, operation: &READ_COMPANY_CALL_LOG };
const LIGHT: Bucket = Bucket { group: "light", limit: 50, operation: &READ_ACCOUNT_INFO };

const fn scenario(
    name: &'static str,
    about: &'static str,
    bucket: Bucket,
    load: Load,
    event: Event,
) -> Scenario {
    Scenario { name, about, bucket, load, event }
}

const MIXED: Load = Load::Mixed { interactive_per_minute: 3.0 };

/// All of them.
#[rustfmt::skip]
pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("heavy", "the fleet saturates Heavy, 10 per 60 s", HEAVY, Load::Saturated, Event::Nothing),
    scenario("light", "the fleet saturates Light, 50 per 60 s", LIGHT, Load::Saturated, Event::Nothing),
    scenario("heavy-kill", "the same on Heavy, some processes killed and started again", HEAVY, Load::Saturated, Event::Kill),
    scenario("light-kill", "the same on Light", LIGHT, Load::Saturated, Event::Kill),
    scenario("heavy-mixed", "batch saturates Heavy, 3 interactive requests per minute", HEAVY, MIXED, Event::Nothing),
    scenario("light-mixed", "the same on Light", LIGHT, MIXED, Event::Nothing),
    scenario("limit-raised", "Heavy's limit goes from 10 to 100", HEAVY, Load::Saturated, Event::Limit(100)),
    scenario("limit-lowered", "Light's limit goes from 50 to 5", LIGHT, Load::Saturated, Event::Limit(5)),
    scenario("heavy-429", "one 429 on Heavy that nobody has earned", HEAVY, Load::Saturated, Event::Penalty),
    scenario("light-429", "the same on Light", LIGHT, Load::Saturated, Event::Penalty),
    scenario("heavy-outside", "another tool uses 40 % of Heavy", HEAVY, Load::Saturated, Event::Outside(0.4)),
    scenario("light-outside", "another tool uses 40 % of Light", LIGHT, Load::Saturated, Event::Outside(0.4)),
];
