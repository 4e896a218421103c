//! What decides whether something is created a second time, taken for the result, or left unknown: pure functions, so that
//! seeded worlds can run them by the ten thousand.

use clock::Millis;

/// How wrong the clock here and RingCentral's may be between them (milliseconds).
pub const SKEW: Millis = 5_000;

/// What a look saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The result of an attempt.
    Found,
    /// Nothing that an attempt can have made.
    Nothing,
    /// It can't be told.
    Unclear,
}

/// How an attempt failed that may have been carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// RingCentral itself answered: the request is not on its way any more.
    Answered,
    /// No answer, or one of a stranger: RingCentral may still get to it.
    Silent,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Answer with what was found.
    Take,
    /// Create.
    Create,
    /// Say that the outcome is unknown.
    Unknown,
    /// Pass RingCentral's refusal on.
    Refuse,
}

/// Before a creation that was tried before; `over`: none of the earlier attempts can be on its way any more.
#[must_use]
pub fn before_creating(seen: Seen, over: bool) -> Step {
    match seen {
        Seen::Found => Step::Take,
        Seen::Nothing if over => Step::Create,
        Seen::Nothing | Seen::Unclear => Step::Unknown,
    }
}

/// After a creation that may have been carried out; `time`: another one can finish within the request.
#[must_use]
pub fn after_failure(failure: Failure, seen: Seen, time: bool) -> Step {
    match (seen, failure) {
        (Seen::Found, _) => Step::Take,
        // Without an answer the first may still be on its way, and a look that sees nothing proves nothing.
        (Seen::Nothing, Failure::Answered) if time => Step::Create,
        _ => Step::Unknown,
    }
}

/// After RingCentral has refused the second creation of a request.
#[must_use]
pub fn after_refusal(seen: Seen) -> Step {
    match seen {
        Seen::Found => Step::Take,
        Seen::Nothing => Step::Refuse,
        Seen::Unclear => Step::Unknown,
    }
}

/// A record that is like what was wanted: it has its number, or else its address, or else its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Like {
    /// Whatever else was asked for is as it was asked for.
    pub exact: bool,
    /// It has a number of its own that was asked for, which no other can have.
    pub unique: bool,
    /// When it was made, if RingCentral says so (milliseconds since the epoch).
    pub created: Option<Millis>,
}

/// Whose a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// An attempt made it.
    Ours,
    /// It was there before the first attempt began.
    Older,
    /// It can't be told.
    Unclear,
}

/// Whether an attempt made this; the first one began at `began`.
#[must_use]
pub fn whose(like: Like, began: Millis) -> Whose {
    match like.created {
        Some(created) if created < began - SKEW => Whose::Older,
        _ if !like.exact => Whose::Unclear,
        // A number is taken once: what has ours and is not older is ours.
        _ if like.unique => Whose::Ours,
        Some(created) if created >= began => Whose::Ours,
        Some(_) | None => Whose::Unclear,
    }
}

/// What a look saw, by every record that is like what was wanted; `all`: there are no further pages.
#[must_use]
pub fn seen(likes: &[Like], began: Millis, all: bool) -> (Seen, Option<usize>) {
    let mine =
        |wanted: Whose| likes.iter().enumerate().filter(move |(_, like)| whose(**like, began) == wanted);
    let mut ours = mine(Whose::Ours).map(|(index, _)| index);
    match (ours.next(), ours.next(), mine(Whose::Unclear).next()) {
        (Some(index), None, None) => (Seen::Found, Some(index)),
        (None, None, None) if all => (Seen::Nothing, None),
        _ => (Seen::Unclear, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGAN: Millis = 1_000_000;

    fn made(at: Millis) -> Like {
        Like { exact: true, unique: false, created: Some(BEGAN + at) }
    }

    #[test]
    fn only_what_was_made_after_the_attempt_began_is_its_result() {
        for (likes, expected) in [
            (vec![made(300)], Seen::Found),
            (vec![made(-60_000)], Seen::Nothing),
            (vec![made(-60_000), made(300)], Seen::Found),
            // Within the doubt of two clocks.
            (vec![made(-1)], Seen::Unclear),
            (vec![made(300), made(400)], Seen::Unclear),
            (vec![Like { created: None, ..made(0) }], Seen::Unclear),
            (vec![Like { unique: true, created: None, ..made(0) }], Seen::Found),
            (vec![Like { unique: true, exact: false, ..made(300) }], Seen::Unclear),
            (vec![Like { exact: false, ..made(-60_000) }], Seen::Nothing),
            (vec![Like { unique: true, ..made(-1) }], Seen::Found),
            (vec![Like { unique: true, ..made(-60_000) }], Seen::Nothing),
            (vec![], Seen::Nothing),
        ] {
            assert_eq!(seen(&likes, BEGAN, true).0, expected, "{likes:?}");
        }
        assert_eq!(seen(&[], BEGAN, false).0, Seen::Unclear, "there are further pages");
    }
}
