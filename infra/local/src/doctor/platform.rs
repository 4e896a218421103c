//! Whether RingCentral takes our credentials, what the app may do there, and whether our clock is right.

use reqwest::header;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{Finding, reach::client};
use crate::RingCentralAccess;

/// Clocks that differ by more make tokens and windows wrong (seconds). The `Date` of an answer has whole seconds.
const TOLERANCE: i64 = 3;
/// What the API cannot do without, and what names the permission that includes it (RingCentral's documentation of app permissions).
const NEEDED: [(&str, &[&str]); 4] = [
    ("ReadAccounts", &["EditAccounts"]),
    ("EditExtensions", &["EditAccounts"]),
    ("EditAccounts", &[]),
    ("SubscriptionWebhook", &[]),
];
/// What subscriptions to some events ask for.
const FOR_EVENTS: [(&str, &[&str]); 3] = [
    ("ReadPresence", &[]),
    ("ReadMessages", &["SMS", "Faxes", "InternalMessages", "EditMessages"]),
    ("CallControl", &[]),
];

#[derive(Deserialize)]
struct Granted {
    access_token: secrecy::SecretString,
    #[serde(default)]
    scope: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    error: String,
    errors: Vec<Detail>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Detail {
    error_code: String,
}

/// Logs in, looks at what that gave, and logs out.
pub(super) async fn examine(access: &RingCentralAccess) -> Vec<Finding> {
    let url = &access.server_url;
    let unreachable = |error: reqwest::Error| {
        let advice = "look at RC_SERVER_URL (or --ringcentral), at the network, and at HTTPS_PROXY";
        let error = error.without_url();
        vec![Finding::wrong(
            "ringcentral",
            format!("{url} can't be reached: {}", telemetry::chain(&error)),
            advice,
        )]
    };
    let client = match client(url.contains("//127.0.0.1") || url.contains("//localhost")) {
        Ok(client) => client,
        Err(error) => return unreachable(error),
    };
    let jwt = access.jwt.expose_secret();
    let form = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", jwt)];
    let request = client.post(format!("{url}/restapi/oauth/token"));
    let signed = |request: reqwest::RequestBuilder| {
        request.basic_auth(&access.client_id, Some(access.client_secret.expose_secret()))
    };
    let answer = match signed(request).form(&form).send().await {
        Ok(answer) => answer,
        Err(error) => return unreachable(error),
    };
    let date = answer.headers().get(header::DATE).and_then(|date| date.to_str().ok()).map(str::to_owned);
    let mut findings: Vec<Finding> = date.as_deref().and_then(clock).into_iter().collect();
    let status = answer.status();
    if !status.is_success() {
        findings.push(refused(url, status.as_u16(), answer.json().await.unwrap_or_default()));
        return findings;
    }
    let Ok(granted) = answer.json::<Granted>().await else {
        findings.push(Finding::wrong(
            "ringcentral",
            format!("{url} answers, and not as RingCentral does"),
            "RC_SERVER_URL is https://platform.ringcentral.com, or the URL of a ringcentral-simulator",
        ));
        return findings;
    };
    findings.push(Finding::fine("ringcentral", format!("{url} accepts the credentials")));
    findings.push(permissions(&granted.scope));
    // A user has five sessions in an app: this one shall push no other out.
    let token = granted.access_token.expose_secret();
    let leave = client.post(format!("{url}/restapi/oauth/revoke")).form(&[("token", token)]);
    drop(signed(leave).send().await);
    findings
}

fn refused(url: &str, status: u16, refused: Refused) -> Finding {
    let code = refused.errors.first().map(|detail| detail.error_code.clone()).unwrap_or_default();
    let seen = format!("{url} refuses the credentials: {status} {code} {}", refused.error);
    let advice = match (status, refused.error.as_str()) {
        (429, _) => "too many logins in a minute; wait for one and try again",
        (_, "invalid_client") => {
            "copy the client id and the client secret of the app anew; they belong to this RC_SERVER_URL"
        }
        (_, "invalid_grant") => {
            "create a new JWT credential for this app in the console; it has ended, or is another app's"
        }
        (_, "unauthorized_client" | "unsupported_grant_type") => {
            "the app must have JWT authentication switched on"
        }
        (500.., _) => "RingCentral fails; see status.ringcentral.com",
        _ => "look at RC_SERVER_URL, and at the app in RingCentral's console",
    };
    Finding::wrong("ringcentral", seen.trim_end(), advice)
}

fn lacking<'a>(scope: &str, wanted: &[(&'a str, &[&str])]) -> Vec<&'a str> {
    let has = |name: &str| scope.split_whitespace().any(|granted| granted == name);
    let missing = wanted.iter().filter(|(name, within)| !has(name) && !within.iter().any(|one| has(one)));
    missing.map(|(name, _)| *name).collect()
}

fn permissions(scope: &str) -> Finding {
    const WHAT: &str = "permissions";
    let (needed, for_events) = (lacking(scope, &NEEDED), lacking(scope, &FOR_EVENTS));
    if !needed.is_empty() {
        let advice =
            "add them to the app in RingCentral's console; a token that was issued before does not have them";
        return Finding::wrong(WHAT, format!("the app lacks {}", needed.join(", ")), advice);
    }
    match for_events.is_empty() {
        true => Finding::fine(WHAT, "the app has all that the API and its events ask for"),
        false => Finding::open(
            WHAT,
            format!("no events of presence, messages or calls without {}", for_events.join(", ")),
        ),
    }
}

fn clock(date: &str) -> Option<Finding> {
    let theirs = jiff::fmt::rfc2822::parse(date).ok()?.timestamp().as_second();
    let off = jiff::Timestamp::now().as_second() - theirs;
    let (by, way) = (off.abs(), if off > 0 { "ahead of" } else { "behind" });
    Some(match by <= TOLERANCE {
        true => Finding::fine("clock", "agrees with RingCentral's"),
        false => Finding::wrong(
            "clock",
            format!("{by} s {way} RingCentral's"),
            "set it by network time (`timedatectl set-ntp true`): tokens and rate windows are reckoned by it",
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verdict;

    #[test]
    fn what_a_permission_includes_need_not_be_listed() {
        assert_eq!(
            permissions("EditAccounts SubscriptionWebhook ReadPresence SMS CallControl").verdict,
            Verdict::Fine
        );
        let few = permissions("ReadAccounts EditExtensions");
        assert!(few.seen.contains("EditAccounts, SubscriptionWebhook"), "{few}");
        assert_eq!(permissions("EditAccounts SubscriptionWebhook").verdict, Verdict::Open);
    }

    #[test]
    fn a_clock_is_judged_by_the_date_of_an_answer() {
        let at = |seconds: i64| {
            let moment = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(seconds);
            jiff::fmt::rfc2822::to_string(&moment.to_zoned(jiff::tz::TimeZone::UTC)).unwrap()
        };
        assert_eq!(clock(&at(0)).unwrap().verdict, Verdict::Fine);
        for (seconds, way) in [(3_600, "behind"), (-3_600, "ahead")] {
            let off = clock(&at(seconds)).unwrap();
            assert!(off.verdict == Verdict::Wrong && off.seen.contains(way), "{off}");
        }
        assert!(clock("nonsense").is_none());
    }
}
