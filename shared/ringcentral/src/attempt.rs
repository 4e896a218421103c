//! One request on the wire and what its answer means. It decides nothing about repeating it.

use std::{error::Error as _, pin::pin};

use clock::{Clock, Millis};
use futures::future::{Either, select};
use gate::{Notice, Outcome};
use http::HeaderMap;

use crate::{Reach, Rejection};

/// How long a penalty lasts if the 429 does not say (milliseconds); RingCentral's default interval.
const PENALTY: Millis = 60_000;

/// What the headers of an answer tell the gate.
pub(crate) fn notice(status: u16, headers: &HeaderMap) -> Notice {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<i64>().ok();
    let announced =
        number("x-rate-limit-limit").zip(number("x-rate-limit-window")).and_then(|(limit, seconds)| {
            let limit = u32::try_from(limit).ok().filter(|limit| *limit > 0)?;
            (seconds > 0).then_some((limit, seconds.min(86_400) * 1_000))
        });
    let remaining = number("x-rate-limit-remaining").and_then(|left| u32::try_from(left).ok());
    let outcome = match status {
        429 => Outcome::Throttled(penalty(announced, headers)),
        408 | 500 | 502..=599 => Outcome::Failed,
        _ => Outcome::Answered,
    };
    Notice { outcome, announced, remaining }
}

/// No whole answer came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unanswered {
    /// The request may have arrived all the same.
    pub(crate) arrived: bool,
    /// What failed, in words.
    pub(crate) reason: String,
    /// RingCentral's `RCRequestId`, if there was an answer that counts as none.
    pub(crate) request_id: Option<String>,
    /// RingCentral itself said that it failed.
    pub(crate) answered: bool,
}

impl Unanswered {
    pub(crate) fn of(arrived: bool, reason: String) -> Self {
        Self { arrived, reason, request_id: None, answered: false }
    }

    /// What the gate is told.
    pub(crate) fn notice(&self) -> Notice {
        let outcome = if self.arrived { Outcome::Failed } else { Outcome::Unsent };
        Notice { outcome, ..Notice::default() }
    }
}

/// What a part of an exchange came to, if that was before the clock reached `at`.
pub(crate) async fn before<T>(
    clock: &dyn Clock,
    at: Millis,
    part: impl Future<Output = reqwest::Result<T>>,
) -> Result<T, Unanswered> {
    match select(pin!(part), pin!(clock.reached(at))).await {
        Either::Left((Ok(done), _)) => Ok(done),
        Either::Left((Err(error), _)) => Err(Unanswered::of(!error.is_connect(), describe(&error))),
        Either::Right(((), _)) => Err(Unanswered::of(true, "no answer in time".to_owned())),
    }
}

/// How long nobody may ask after a 429: as it says, else a window, else a minute.
fn penalty(announced: Option<(u32, Millis)>, headers: &HeaderMap) -> Millis {
    let asked = retry_after(headers).map(|asked| asked.max(1_000));
    asked.unwrap_or_else(|| announced.map_or(PENALTY, |(_, window)| window))
}

/// How long the answer asks to wait before a repetition (milliseconds): so many seconds, or until an instant of the clock that the
/// answer itself is dated with (RFC 9110, 10.2.3). Without that date an instant says nothing.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Millis> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let instant = |text| jiff::fmt::rfc2822::parse(text).ok().map(|at| at.timestamp().as_second());
    let asked = text("retry-after")?;
    let seconds = match asked.parse::<i64>() {
        Ok(seconds) => seconds,
        Err(_) => instant(asked)? - instant(text("date")?)?,
    };
    Some(seconds.clamp(0, 86_400) * 1_000)
}

/// How far a 429 reaches, by its code (RingCentral's guide, "Error codes" and "Rate limits"). One that bears `X-Rate-Limit-*` is about
/// the window of the app and the user; one that says neither is about the account.
pub(crate) fn reach(code: &str, announced: bool) -> Reach {
    match code {
        "CMN-304" => Reach::Call,
        "CMN-310" => Reach::Address,
        // A limit of a service of its own, and a plan that could not be found.
        "MSG-305" | "CMN-303" => Reach::Group,
        _ if announced => Reach::Window,
        _ => Reach::Account,
    }
}

/// A failure that RingCentral itself reports, in its own shape. Whoever stands in front of it says 502 or 504 while the request
/// may still be worked on behind.
pub(crate) fn is_over(rejection: &Rejection) -> bool {
    matches!(rejection.status, 500 | 501 | 503) && !rejection.code.is_empty()
}

/// RingCentral's `RCRequestId`.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    headers.get("rcrequestid")?.to_str().ok().map(str::to_owned)
}

/// A transport failure in words, with its causes and without the URL's query.
fn describe(error: &reqwest::Error) -> String {
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_body() || error.is_decode() {
        "the answer broke off"
    } else {
        "the request failed"
    };
    let mut text = what.to_owned();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_penalty_lasts_as_retry_after_says_else_a_window_else_a_minute() {
        let limits =
            [("x-rate-limit-limit", "40"), ("x-rate-limit-window", "6"), ("x-rate-limit-remaining", "7")];
        assert_eq!(notice(429, &headers(&[("retry-after", "30")])).outcome, Outcome::Throttled(30_000));
        assert_eq!(notice(429, &headers(&limits)).outcome, Outcome::Throttled(6_000));
        assert_eq!(notice(429, &headers(&[])).outcome, Outcome::Throttled(PENALTY));
        let answered = notice(200, &headers(&limits));
        assert_eq!((answered.announced, answered.remaining), (Some((40, 6_000)), Some(7)));
        assert_eq!(notice(503, &headers(&[])).outcome, Outcome::Failed);
    }

    #[test]
    fn regression_a_date_to_come_back_at_is_measured_against_the_answers_own() {
        let until = |at| [("retry-after", at), ("date", "Wed, 25 Nov 2026 14:00:00 GMT")];
        let read = |at| retry_after(&headers(&until(at)));
        assert_eq!(read("Wed, 25 Nov 2026 14:00:07 GMT"), Some(7_000));
        assert_eq!(read("Wed, 25 Nov 2026 13:00:00 GMT"), Some(0));
        assert_eq!(read("soon"), None);
        assert_eq!(retry_after(&headers(&until("Wed, 25 Nov 2026 14:00:07 GMT")[..1])), None);
        let outcome = notice(429, &headers(&until("Wed, 25 Nov 2026 14:00:07 GMT"))).outcome;
        assert_eq!(outcome, Outcome::Throttled(7_000));
    }

    #[test]
    fn regression_the_code_says_how_far_a_429_reaches() {
        assert_eq!((reach("CMN-304", true), reach("CMN-310", true)), (Reach::Call, Reach::Address));
        assert_eq!((reach("MSG-305", false), reach("CMN-303", false)), (Reach::Group, Reach::Group));
        assert_eq!((reach("CMN-301", true), reach("CMN-301", false)), (Reach::Window, Reach::Account));
    }

    #[test]
    fn nonsense_in_the_headers_is_not_learned() {
        let zero = [("x-rate-limit-limit", "0"), ("x-rate-limit-window", "-1"), ("retry-after", "soon")];
        assert_eq!(notice(200, &headers(&zero)), Notice::default());
        assert_eq!(notice(429, &headers(&zero)).outcome, Outcome::Throttled(PENALTY));
    }
}
