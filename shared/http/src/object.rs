//! The JSON object of a request, read field by field: whatever is wrong with it is noted, and nothing of what it holds is told.

use serde_json::{Map, Value};

use crate::Violations;

/// The fields that nobody has read yet. Take what the request knows; what is left over at the end is noted as unknown.
#[derive(Debug)]
pub struct Object<'a> {
    /// Where it lies in the body: empty, or `contact.`.
    path: String,
    fields: Map<String, Value>,
    violations: &'a mut Violations,
}

impl<'a> Object<'a> {
    /// The object that a whole body is.
    pub(crate) fn new(fields: Map<String, Value>, violations: &'a mut Violations) -> Self {
        Self { path: String::new(), fields, violations }
    }

    /// A string.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.read(name, "must be a string", |value| match value {
            Value::String(text) => Some(text),
            _ => None,
        })
    }

    /// A string, or a whole number that is not negative: spreadsheets and RingCentral's own samples have ids and short numbers so.
    pub fn number_text(&mut self, name: &str) -> Option<String> {
        self.read(name, "must be a string, or a whole number that is not negative", |value| match value {
            Value::String(text) => Some(text),
            other => whole_text(&other),
        })
    }

    /// A whole number; the reason says which.
    pub fn whole(&mut self, name: &str, reason: &str, fits: impl Fn(i64) -> bool) -> Option<i64> {
        self.read(name, reason, |value| value.as_i64().filter(|number| fits(*number)))
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        self.read(name, "must be true or false", |value| value.as_bool())
    }

    /// A list of strings; each item that is none is named by its index.
    pub fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let items = self.read(name, "must be a list of strings", |value| match value {
            Value::Array(items) => Some(items),
            _ => None,
        })?;
        let texts = items.into_iter().enumerate().map(|(index, item)| match item {
            Value::String(text) => text,
            _ => {
                self.wrong(&format!("{name}[{index}]"), "must be a string");
                String::new()
            }
        });
        Some(texts.collect())
    }

    /// An object inside of this one.
    pub fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Object<'_>) -> T) -> Option<T> {
        let fields = self.read(name, "must be an object", |value| match value {
            Value::Object(fields) => Some(fields),
            _ => None,
        })?;
        let path = format!("{}{name}.", self.path);
        let mut inner = Object { path, fields, violations: &mut *self.violations };
        let value = read(&mut inner);
        inner.finish();
        Some(value)
    }

    /// A field that is known, and refused whatever it holds.
    pub fn refuse(&mut self, name: &str, reason: &str) {
        if self.fields.remove(name).is_some_and(|value| !value.is_null()) {
            self.wrong(name, reason);
        }
    }

    /// Everything that is left, to be passed on. `known` are the names that RingCentral's description has here: what is almost one
    /// of them is a slip and is refused, because RingCentral would drop it without a word.
    pub fn rest(&mut self, known: &[&str]) -> Map<String, Value> {
        let mut rest = std::mem::take(&mut self.fields);
        for name in rest.keys() {
            if let Some(meant) = meant(name, known) {
                self.wrong(name, &format!("is not a field of this request; {meant} is"));
            }
        }
        rest.values_mut().for_each(ids_as_text);
        rest
    }

    /// Whether a field of this name is still there, with anything but `null`.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|value| !value.is_null())
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Notes the field unless the condition holds.
    pub fn require(&mut self, holds: bool, name: &str, reason: &str) {
        if !holds {
            self.wrong(name, reason);
        }
    }

    /// Notes whatever nobody has read.
    pub(crate) fn finish(mut self) {
        for name in std::mem::take(&mut self.fields).keys() {
            self.wrong(name, "is not a field of this request");
        }
    }

    /// Takes a field. `null` is as good as none.
    fn read<T>(&mut self, name: &str, reason: &str, read: impl FnOnce(Value) -> Option<T>) -> Option<T> {
        let value = self.fields.remove(name).filter(|value| !value.is_null())?;
        let value = read(value);
        if value.is_none() {
            self.wrong(name, reason);
        }
        value
    }

    fn wrong(&mut self, name: &str, reason: &str) {
        self.violations.add(format!("{}{name}", self.path), reason);
    }
}

/// A whole number that is not negative, in digits.
fn whole_text(value: &Value) -> Option<String> {
    value.as_u64().map(|number| number.to_string())
}

/// RingCentral's requests have ids as strings (its OpenAPI description); whoever sends them as numbers means the same.
fn ids_as_text(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match whole_text(value).filter(|_| name == "id") {
                    Some(text) => *value = Value::String(text),
                    None => ids_as_text(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(ids_as_text),
        _ => {}
    }
}

/// The known name that an unknown one is a slip of: another case, other separators, or one letter more, less, wrong or swapped.
fn meant<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    if known.contains(&name) {
        return None;
    }
    let plain = |name: &str| -> Vec<char> {
        name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
    };
    let given = plain(name);
    known.iter().copied().find(|known| is_slip(&given, &plain(known)))
}

fn is_slip(given: &[char], known: &[char]) -> bool {
    let same = given.iter().zip(known).take_while(|(a, b)| a == b).count();
    let (given, known) = (&given[same..], &known[same..]);
    match (given, known) {
        ([], []) => true,
        // Two letters of three in common are no likeness.
        _ if same + known.len() < 4 => false,
        ([a, b, given @ ..], [c, d, known @ ..]) if (a, b) == (d, c) && given == known => true,
        _ => {
            let behind = |letters: &[char]| letters.get(1..).unwrap_or_default().to_vec();
            behind(given) == behind(known) || behind(given) == known || given == behind(known)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_slip_is_told_and_a_stranger_is_not() {
        let known = ["status", "extensionNumber", "contact", "site", "type", "code"];
        for (name, expected) in [
            ("statuss", Some("status")),
            ("Status", Some("status")),
            ("sttaus", Some("status")),
            ("statu", Some("status")),
            ("stotus", Some("status")),
            ("extension_number", Some("extensionNumber")),
            ("contacts", Some("contact")),
            ("status", None),
            ("statusInfo", None),
            ("foo", None),
            ("x-badge", None),
            ("tie", None),
            ("", None),
        ] {
            assert_eq!(meant(name, &known), expected, "{name}");
        }
    }

    #[test]
    fn ids_that_are_passed_on_are_text() {
        let mut value = json!({"id": 5, "level": 5, "of": [{"id": 18_446_744_073_709_551_615_u64}, {"id": -1}, {"id": 1.5}]});
        ids_as_text(&mut value);
        let expected =
            json!({"id": "5", "level": 5, "of": [{"id": "18446744073709551615"}, {"id": -1}, {"id": 1.5}]});
        assert_eq!(value, expected);
    }

    #[test]
    fn everything_wrong_is_noted_once_and_by_its_path() {
        let mut violations = Violations::default();
        let Value::Object(fields) = json!({"a": 5, "b": {"c": "x", "more": 1}, "d": ["x", 5], "e": 1.5, "f": null, "g": 7, "h": -7, "i": 0})
        else {
            return;
        };
        let mut object = Object::new(fields, &mut violations);
        assert_eq!(object.text("a"), None);
        object.require(false, "a", "is required");
        assert_eq!(object.object("b", |inner| inner.flag("c")), Some(None));
        assert_eq!(object.texts("d").map(|items| items.len()), Some(2));
        assert_eq!(object.whole("e", "must be 1", |number| number == 1), None);
        assert_eq!((object.text("f"), object.number_text("g").as_deref()), (None, Some("7")));
        assert_eq!(object.number_text("h"), None);
        object.refuse("i", "must be left out");
        object.finish();
        let named: Vec<_> = violations.fields().collect();
        assert_eq!(named, ["a", "b.c", "b.more", "d[1]", "e", "h", "i"]);
    }
}
