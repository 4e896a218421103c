//! Whether an extension is like the one that was wanted, and how such ones are found.

use clock::Millis;
use ringcentral::models::Extension;
use serde_json::Value;

use crate::{ExtensionFilter, verdict::Like};

/// Which extensions may be like this one; none if nothing in it can be looked for.
pub(crate) fn filter(wanted: &Value) -> Option<ExtensionFilter> {
    if let Some(number) = text(wanted, "/extensionNumber") {
        return Some(ExtensionFilter { extension_number: Some(number), ..page(100) });
    }
    if let Some(email) = text(wanted, "/contact/email") {
        // Whether RingCentral keeps the case of an address and filters by it is not documented.
        let lower = email.to_lowercase();
        let email = if lower == email { vec![email] } else { vec![email, lower] };
        return Some(ExtensionFilter { email, ..page(100) });
    }
    // Call queues and their like have neither, but a name.
    text(wanted, "/contact/firstName")?;
    Some(ExtensionFilter { kind: vec![text(wanted, "/type")?], ..page(1_000) })
}

fn page(size: u32) -> ExtensionFilter {
    ExtensionFilter { per_page: Some(size), ..ExtensionFilter::default() }
}

/// What tells whose an extension is, if it has the number, or else the address, or else the type and name that were wanted.
pub(crate) fn like(extension: &Extension, wanted: &Value) -> Option<Like> {
    let of_contact = |field: &str| extension.rest.get("contact")?.get(field)?.as_str();
    let folded = |text: Option<&str>| text.map(|text| text.trim().to_lowercase());
    let same = |pointer: &str, actual: Option<&str>| {
        text(wanted, pointer).is_none_or(|wanted| wanted == actual.unwrap_or_default().trim())
    };
    let number = text(wanted, "/extensionNumber");
    let email = text(wanted, "/contact/email").map(|email| email.to_lowercase());
    let same_email = email.is_none() || email == folded(of_contact("email"));
    let same_type = same("/type", extension.kind.as_deref());
    let first_name = text(wanted, "/contact/firstName").map(|name| name.to_lowercase());
    let is_like = match (&number, &email) {
        (Some(_), _) => number.as_deref() == extension.extension_number.as_deref(),
        (None, Some(_)) => same_email,
        (None, None) => same_type && first_name == folded(of_contact("firstName")),
    };
    let exact = same_email
        && same_type
        && same("/contact/firstName", of_contact("firstName"))
        && same("/contact/lastName", of_contact("lastName"));
    is_like.then(|| Like {
        exact,
        unique: number.is_some(),
        created: extension.rest.get("creationTime").and_then(Value::as_str).and_then(instant),
    })
}

/// An instant as RingCentral writes it: `2024-06-06T07:01:14.123Z`, sometimes with the offset `+0000`.
fn instant(text: &str) -> Option<Millis> {
    let text = match text.strip_suffix("+0000") {
        Some(text) => format!("{text}Z"),
        None => text.to_owned(),
    };
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

/// A field as text; numbers come as text or as numbers.
fn text(wanted: &Value, pointer: &str) -> Option<String> {
    match wanted.pointer(pointer)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_same_number_type_and_name_is_exactly_it() {
        let found = json!({"id": 5, "extensionNumber": "201", "type": "User", "creationTime": "2024-06-06T07:01:14.123Z",
            "contact": {"firstName": "Ann", "email": "a@x.io"}});
        let found: Extension = serde_json::from_value(found).unwrap();
        let like = |wanted: Value| like(&found, &wanted);
        let ours = like(json!({"extensionNumber": 201, "contact": {"firstName": "Ann "}})).unwrap();
        assert_eq!(ours, Like { exact: true, unique: true, created: Some(1_717_657_274_123) });
        assert!(!like(json!({"extensionNumber": "201", "contact": {"firstName": "Bob"}})).unwrap().exact);
        assert!(like(json!({"extensionNumber": "202"})).is_none());
        assert!(!like(json!({"contact": {"email": "A@X.io"}})).unwrap().unique);
    }

    #[test]
    fn what_has_neither_number_nor_address_is_looked_for_by_type_and_name() {
        let queue = json!({"type": "Department", "contact": {"firstName": "Night desk"}});
        assert_eq!(filter(&queue).unwrap().kind, ["Department"]);
        assert!(filter(&json!({"type": "User"})).is_none());
        assert_eq!(filter(&json!({"contact": {"email": "A@x.io"}})).unwrap().email, ["A@x.io", "a@x.io"]);
    }
}
