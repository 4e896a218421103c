//! JSON as it is written, read only as far as it is asked for.
//!
//! A text of JSON may hold what no type of ours has room for: half of an emoji, a number beyond every float, names that come
//! twice, a list a thousand levels deep. All of it is grammatical, so none of it may lose an event. Nothing here recurses or
//! converts a number, and what is not asked for is only stepped over.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A body that is no JSON object: nothing RingCentral ever sends.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// Some editors and languages write one. JSON has no place for it (RFC 8259, §8.1).
    #[error("the body begins with a byte order mark")]
    ByteOrderMark,
    /// It breaks JSON's grammar; the parser says where, and never what is there.
    #[error("the body is not JSON: {0}")]
    NotJson(serde_json::Error),
    /// It is another value of JSON.
    #[error("the body is JSON, but not an object")]
    NotObject,
}

/// A value as it is written.
#[derive(Clone, Copy)]
pub(crate) struct Json<'a>(&'a str);

/// A text, and whether it is exactly what was written: half a surrogate pair becomes U+FFFD.
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) exact: bool,
}

impl<'a> Json<'a> {
    /// An object: the one check of its grammar, which is the receiver's too.
    pub(crate) fn object(text: &'a str) -> Result<Self, Unreadable> {
        if text.starts_with('\u{feff}') {
            return Err(Unreadable::ByteOrderMark);
        }
        let value = serde_json::from_str::<&RawValue>(text).map_err(Unreadable::NotJson)?.get();
        if value.starts_with('{') { Ok(Self(value)) } else { Err(Unreadable::NotObject) }
    }

    /// These fields of an object, in one pass. Of a name that comes twice the last one counts; anything but an object has none.
    pub(crate) fn fields<const N: usize>(self, names: [&str; N]) -> [Option<Self>; N] {
        let mut reader = serde_json::Deserializer::from_str(self.0);
        let read = reader.deserialize_map(Fields(names));
        read.map_or([None; N], |fields| fields.map(|field| field.map(|raw| Self(raw.get()))))
    }

    /// What lies under these names, one in the other.
    pub(crate) fn at(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self, |value, name| value.fields([name])[0])
    }

    /// The items of a list. Where one thing came without its list, it is the only one.
    pub(crate) fn items(self) -> Vec<Self> {
        if self.0.starts_with('{') {
            return vec![self];
        }
        let items = serde_json::from_str::<Vec<&RawValue>>(self.0).unwrap_or_default();
        items.into_iter().map(|item| Self(item.get())).collect()
    }

    pub(crate) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// A string, or a number with the digits it was written with; any other shape is nothing.
    pub(crate) fn text(self) -> Option<Text> {
        match self.0.as_bytes().first()? {
            b'"' => serde_json::from_str(self.0).ok(),
            b'-' | b'0'..=b'9' => Some(Text { text: self.0.to_owned(), exact: true }),
            _ => None,
        }
    }

    /// The string, if it is one.
    pub(crate) fn string(self) -> Option<String> {
        self.0.starts_with('"').then(|| self.text()).flatten().map(|text| text.text)
    }

    /// A whole number of 64 bits, if it is written as one.
    pub(crate) fn integer(self) -> Option<i64> {
        self.0.parse().ok()
    }

    pub(crate) fn boolean(self) -> Option<bool> {
        self.0.parse().ok()
    }
}

struct Fields<'n, const N: usize>([&'n str; N]);

impl<'de, const N: usize> Visitor<'de> for Fields<'_, N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = [None; N];
        while let Some(name) = map.next_key::<Text>()? {
            let value = map.next_value()?;
            if let Some(place) = self.0.iter().position(|wanted| *wanted == name.text) {
                fields[place] = Some(value);
            }
        }
        Ok(fields)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // As bytes, because serde_json gives half a surrogate pair as bytes, and refuses it as a string.
        deserializer.deserialize_bytes(Bytes)
    }
}

struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Text, E> {
        let exact = std::str::from_utf8(bytes).is_ok();
        Ok(Text { text: String::from_utf8_lossy(bytes).into_owned(), exact })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Json<'_> {
        Json::object(text).unwrap()
    }

    #[test]
    fn what_is_no_object_is_called_by_its_name() {
        let told = |text: &str| Json::object(text).map(drop).unwrap_err().to_string();
        assert_eq!(told("[1]"), "the body is JSON, but not an object");
        assert_eq!(told("\u{feff}{}"), "the body begins with a byte order mark");
        assert_eq!(told("{\"a\":01}"), "the body is not JSON: invalid number at line 1 column 7");
        assert!(told("\u{a0}{}").starts_with("the body is not JSON"));
        assert!(told("").starts_with("the body is not JSON"));
    }

    #[test]
    fn texts_and_numbers_are_kept_as_they_are_written() {
        let value =
            object(r#" {"a":"x\ud83dy","b":123456789012345678901,"c":-1.10e400,"d":null,"a\u0062":"é"} "#);
        let [a, b, c, d, ab] = value.fields(["a", "b", "c", "d", "ab"]);
        let text = |value: Option<Json<'_>>| value?.text().map(|text| (text.text, text.exact));
        let (cut, exact) = text(a).unwrap();
        assert!(cut.starts_with('x') && cut.ends_with('y') && cut.contains('\u{fffd}') && !exact);
        assert_eq!(text(b), Some(("123456789012345678901".to_owned(), true)));
        assert_eq!(text(c), Some(("-1.10e400".to_owned(), true)));
        assert_eq!(text(d), None);
        assert_eq!(text(ab), Some(("é".to_owned(), true)));
        assert_eq!((b.unwrap().string(), ab.unwrap().string()), (None, Some("é".to_owned())));
    }

    #[test]
    fn a_whole_number_is_one_only_if_it_is_written_as_one() {
        let value =
            object(r#"{"a":7,"b":"7","c":7.0,"d":9223372036854775808,"e":-9223372036854775808,"f":true}"#);
        let [a, b, c, d, e, f] = value.fields(["a", "b", "c", "d", "e", "f"]);
        let integers = [a, b, c, d, e, f].map(|value| value.unwrap().integer());
        assert_eq!(integers, [Some(7), None, None, None, Some(i64::MIN), None]);
        assert_eq!((f.unwrap().boolean(), a.unwrap().boolean()), (Some(true), None));
    }

    #[test]
    fn the_last_of_two_names_counts_and_one_thing_is_a_list_of_it() {
        let value = object(r#"{"a":{"b":1},"a":{"b":[{"c":2},3],"d":{"c":4}}}"#);
        let items = value.at(&["a", "b"]).unwrap().items();
        assert_eq!(items[0].at(&["c"]).unwrap().integer(), Some(2));
        assert_eq!((items.len(), items[1].items().len(), items[1].at(&["c"]).is_none()), (2, 0, true));
        assert_eq!(value.at(&["a", "d"]).unwrap().items()[0].at(&["c"]).unwrap().integer(), Some(4));
    }
}
