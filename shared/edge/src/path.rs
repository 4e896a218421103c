//! The path of an event as a part of a URL.
//!
//! HTTP APIs hand paths over decoded: a `#`, a `?` or a `/` in them may have been `%23`, `%3F` or `%2F`, and a `%` is nothing but a
//! percent sign. Function URLs hand them over as they came.

use std::{borrow::Cow, collections::HashMap};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Event;

/// What can't stand in a segment of a path (RFC 3986: everything but `pchar`).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');
/// The same of several segments.
const SEGMENTS: &AsciiSet = &SEGMENT.remove(b'/');
/// The same of a query, which arrives as the caller encoded it.
const QUERY: &AsciiSet = &percent_encoding::CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

/// The path of the request, encoded.
pub(crate) fn of(event: &Event) -> String {
    let raw = event.raw_path.as_deref().unwrap_or_default();
    let path: Cow<'_, str> = match event.route_key.as_deref().and_then(|key| key.split_once(' ')) {
        Some((_, pattern)) => {
            let parameters = event.path_parameters.as_ref();
            chosen(pattern, parameters, raw)
                .map_or_else(|| utf8_percent_encode(without_stage(event, raw), SEGMENTS).into(), Cow::Owned)
        }
        None => as_it_came(without_stage(event, raw)).into(),
    };
    if path.starts_with('/') { path.into_owned() } else { format!("/{path}") }
}

/// A query with what no URL may hold encoded.
pub(crate) fn query(raw: &str) -> Cow<'_, str> {
    utf8_percent_encode(raw, QUERY).into()
}

/// The path by the route that API Gateway has chosen, if the raw path is that route's: then it is known where each segment ends,
/// and what stands before it is the stage or the mapping of a domain.
fn chosen(pattern: &str, parameters: Option<&HashMap<String, String>>, raw: &str) -> Option<String> {
    let (mut decoded, mut encoded) = (String::new(), String::new());
    for segment in pattern.split('/').skip(1) {
        let name = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
        let value = match name {
            Some(name) => parameters?.get(name.trim_end_matches('+'))?.as_str(),
            None => segment,
        };
        let escaped = if name.is_some_and(|name| name.ends_with('+')) { SEGMENTS } else { SEGMENT };
        decoded.extend(["/", value]);
        encoded.push('/');
        encoded.extend(utf8_percent_encode(value, escaped));
    }
    raw.strip_suffix(&decoded).filter(|before| is_mapping(before)).map(|_| encoded)
}

/// What a stage or a mapping puts before a path: nothing, or segments that stand for themselves.
fn is_mapping(before: &str) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"-._~$".contains(&c);
    before.is_empty()
        || before.strip_prefix('/').is_some_and(|names| {
            names
                .split('/')
                .all(|name| !name.is_empty() && name.bytes().all(plain) && name.bytes().any(|c| c != b'.'))
        })
}

/// A stage that has a name stands before the path.
fn without_stage<'a>(event: &Event, raw: &'a str) -> &'a str {
    let stage = event.request_context.as_ref().and_then(|context| context.stage.as_deref());
    let Some(stage) = stage.filter(|stage| !stage.is_empty() && *stage != "$default") else { return raw };
    let rest = raw.strip_prefix('/').and_then(|raw| raw.strip_prefix(stage));
    rest.filter(|rest| rest.is_empty() || rest.starts_with('/')).unwrap_or(raw)
}

/// An encoded path; a `%` that encodes nothing is one itself.
fn as_it_came(path: &str) -> String {
    let mut parts = path.split('%');
    let mut text: String = utf8_percent_encode(parts.next().unwrap_or_default(), SEGMENTS).collect();
    for part in parts {
        let encodes = part.len() >= 2 && part.bytes().take(2).all(|c| c.is_ascii_hexdigit());
        text.push_str(if encodes { "%" } else { "%25" });
        text.extend(utf8_percent_encode(part, SEGMENTS));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(event: serde_json::Value) -> String {
        of(&serde_json::from_value(event).unwrap())
    }

    /// What the caller sent, what API Gateway makes of it, and that it is the same again.
    #[test]
    fn a_parameter_is_one_segment_whatever_it_holds() {
        for (id, sent) in [
            ("1#2", "1%232"),
            ("1?x=1", "1%3Fx=1"),
            ("1 2", "1%202"),
            ("%", "%25"),
            ("%2F", "%252F"),
            ("\u{e9}", "%C3%A9"),
            ("../sites", "..%2Fsites"),
            ("a/b", "a%2Fb"),
            ("-._~!$&'()*+,;=:@", "-._~!$&'()*+,;=:@"),
        ] {
            let event = serde_json::json!({
                "routeKey": "ANY /api/extensions/{id}/number", "rawPath": format!("/api/extensions/{id}/number"),
                "pathParameters": { "id": id },
            });
            assert_eq!(path(event), format!("/api/extensions/{sent}/number"));
        }
    }

    #[test]
    fn without_parameters_the_raw_path_counts() {
        for (raw, sent) in [
            ("/api/extensions/1#2", "/api/extensions/1%232"),
            ("/api/extensions/1?x=1", "/api/extensions/1%3Fx=1"),
            ("/api/extensions/%", "/api/extensions/%25"),
            ("//evil.example/x", "//evil.example/x"),
            ("/api/../sites", "/api/../sites"),
            ("", "/"),
            ("api", "/api"),
        ] {
            let event = serde_json::json!({ "routeKey": "ANY /api/extensions", "rawPath": raw });
            assert_eq!(path(event), sent);
        }
    }

    #[test]
    fn a_stage_or_a_mapping_is_no_part_of_the_path() {
        let health = |raw: &str, stage: &str, key: &str| {
            let context = serde_json::json!({ "stage": stage });
            path(serde_json::json!({ "routeKey": key, "rawPath": raw, "requestContext": context }))
        };
        for raw in ["/api/health", "/prod/api/health", "/prod/prod/api/health", "/v1/api/health"] {
            assert_eq!(health(raw, "prod", "ANY /api/health"), "/api/health", "{raw}");
        }
        assert_eq!(health("/api/health", "api", "ANY /api/health"), "/api/health");
        assert_eq!(health("/api/api/health", "api", "ANY /api/health"), "/api/health");
        assert_eq!(health("/prod/api/health", "prod", "$default"), "/api/health");
        assert_eq!(health("/production/x", "prod", "$default"), "/production/x");
        assert_eq!(health("/prod", "prod", "$default"), "/");
        // Not a mapping: dots, or what is no name.
        assert_eq!(health("/../api/health", "$default", "ANY /api/health"), "/../api/health");
        assert_eq!(health("/x?/api/health", "$default", "ANY /api/health"), "/x%3F/api/health");
    }

    #[test]
    fn a_function_url_keeps_what_is_encoded() {
        let url = |raw: &str| path(serde_json::json!({ "routeKey": "$default", "rawPath": raw }));
        assert_eq!(url("/a%2Fb/%C3%A9"), "/a%2Fb/%C3%A9");
        assert_eq!(url("/%/%zz/100%"), "/%25/%25zz/100%25");
        assert_eq!(url("/a b/#/\u{e9}"), "/a%20b/%23/%C3%A9");
    }

    #[test]
    fn a_query_stays_a_query() {
        assert_eq!(query("a=b c&x=%zz&y=%20#z?"), "a=b%20c&x=%zz&y=%20%23z?");
    }
}
