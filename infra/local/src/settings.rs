//! The environment, looked at before anything starts: every variable that makes no sense is named, all of them at once.
//!
//! Owns which names of RingCentral's family there are. It must never show a value: it may be a credential in the wrong place.

use std::collections::BTreeSet;

use context::Config;

use crate::HttpUrl;

/// The variables of RingCentral's family that mean something here.
pub(crate) const RINGCENTRAL: [&str; 8] = [
    "RC_SERVER_URL",
    "RC_APP_CLIENT_ID",
    "RC_APP_CLIENT_SECRET",
    "RC_USER_JWT",
    "RC_BASE_URL",
    "RC_CLIENT_ID",
    "RC_CLIENT_SECRET",
    "RC_JWT",
];
/// Others that look like one of them and are somebody else's: the console of RingCentral and its SDKs write these.
const OTHERS: [&str; 4] = ["RC_ACCOUNT", "RC_EXTENSION", "RC_USERNAME", "RC_PASSWORD"];
/// How many letters a misspelt name may differ by.
const SLIPS: usize = 2;

/// The environment, as far as it is text.
pub(crate) fn variables() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// What is wrong with these variables; nothing if all of them make sense.
pub(crate) fn wrong(variables: &[(String, String)]) -> Vec<String> {
    let of = |name: &str| {
        let found = variables.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone()).filter(|value| !value.trim().is_empty())
    };
    let mut wrong = Vec::new();
    if let Some(Err(error)) = of("LOG_LEVEL").map(|level| telemetry::check_level(&level)) {
        wrong.push(error.to_string());
    }
    for name in ["RC_SERVER_URL", "RC_BASE_URL"] {
        if let Some(Err(error)) = of(name).map(|url| url.parse::<HttpUrl>()) {
            wrong.push(format!("{name} {error}"));
        }
    }
    wrong.extend(variables.iter().filter_map(|(name, _)| misspelt(name)));
    // What must be set is set by this machine.
    let given = |name: &str| match name {
        "TRUNKLINE_TABLES" | "TRUNKLINE_SECRETS" | "TRUNKLINE_PUBLIC_URL" => Some("x".to_owned()),
        name if name.starts_with("TRUNKLINE_") => None,
        name => of(name),
    };
    if let Err(errors) = Config::check(given) {
        wrong.extend(errors.iter().map(ToString::to_string));
    }
    let unique: BTreeSet<String> = wrong.into_iter().collect();
    unique.into_iter().collect()
}

/// A name that was probably meant to be another.
fn misspelt(name: &str) -> Option<String> {
    let upper = name.to_ascii_uppercase();
    let family = upper.starts_with("RC_") || upper.starts_with("RINGCENTRAL_");
    if !family || RINGCENTRAL.contains(&name) || OTHERS.contains(&name) {
        return None;
    }
    let bare = |text: &str| text.replace("RINGCENTRAL_", "RC_").replace('_', "");
    let meant =
        RINGCENTRAL.iter().map(|known| (strsim::damerau_levenshtein(&bare(known), &bare(&upper)), known));
    let (slips, known) = meant.min_by_key(|(slips, _)| *slips)?;
    (slips <= SLIPS).then(|| format!("{name} is no setting; {known} is"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(set: &[(&str, &str)]) -> Vec<String> {
        let set: Vec<_> = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        wrong(&set)
    }

    #[test]
    fn regression_every_senseless_setting_is_named_at_once_and_none_is_shown() {
        let set = [
            ("LOG_LEVEL", "loud"),
            ("RC_SERVER_URL", "platform.ringcentral.com"),
            ("CIRCUIT_BREAKER_THRESHOLD", "0"),
            ("RATE_LIMIT_BACKOFF_MULTIPLIER", "NaN"),
            ("CLOCK_ERROR_MS", "abc"),
            ("RC_APP_CLIENTID", "hush"),
        ];
        let told = judged(&set);
        assert_eq!(told.len(), set.len(), "{told:?}");
        for (name, value) in set {
            assert!(told.iter().any(|one| one.contains(name)), "{name} is not named: {told:?}");
            assert!(
                value == "0"
                    || value == "abc"
                    || value == "NaN"
                    || told.iter().all(|one| !one.contains(value)),
                "{told:?}"
            );
        }
        assert!(
            told.iter().any(|one| one == "RC_APP_CLIENTID is no setting; RC_APP_CLIENT_ID is"),
            "{told:?}"
        );
    }

    #[test]
    fn what_makes_sense_or_is_not_ours_is_left_alone() {
        let set = [
            ("LOG_LEVEL", "Warning"),
            ("RC_SERVER_URL", "https://platform.ringcentral.com"),
            ("RC_USER_JWT", "x"),
            ("RC_PASSWORD", "x"),
            ("RC_SOMETHING_ELSE_ENTIRELY", "x"),
            ("CIRCUIT_BREAKER_THRESHOLD", "100000"),
            ("PATH", "/bin"),
        ];
        assert_eq!(judged(&set), Vec::<String>::new());
    }

    #[test]
    fn a_misspelt_name_leads_to_the_right_one() {
        for (name, known) in [
            ("RC_USER_JTW", "RC_USER_JWT"),
            ("RC_APP_CLIENT_SECRT", "RC_APP_CLIENT_SECRET"),
            ("rc_server_url", "RC_SERVER_URL"),
            ("RC_SERVERURL", "RC_SERVER_URL"),
            ("RINGCENTRAL_CLIENT_ID", "RC_CLIENT_ID"),
        ] {
            assert_eq!(misspelt(name), Some(format!("{name} is no setting; {known} is")));
        }
    }
}
