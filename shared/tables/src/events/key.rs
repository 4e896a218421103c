//! Where events and journal entries lie.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use clock::Millis;
use events::{Entry, Event};
use jiff::{civil::Date, tz::TimeZone};
use sha2::{Digest, Sha256};
use tenant::TenantId;

/// The key of an item, without the tenant that leads its partition: `call#…` or `event#…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) partition: String,
    pub(super) place: String,
}

impl Key {
    /// Of an event. What is the same by [`events::Envelope::key`] lies in the same place.
    pub(super) fn of(event: &Event) -> Self {
        // Half of a SHA-256: whoever could make two of these meet holds a token of RingCentral's.
        let identity = URL_SAFE_NO_PAD.encode(&Sha256::digest(event.key.as_bytes())[..16]);
        match &event.session {
            Some((id, sequence)) => {
                // What says no place in its call lies where a call begins.
                let place = format!("{}#{identity}", sortable(sequence.unwrap_or(0)));
                Self { partition: call(id), place }
            }
            None => Self { partition: format!("event#{identity}"), place: "event".to_owned() },
        }
    }

    /// The partition as the table has it.
    pub(super) fn pk(&self, tenant: &TenantId) -> String {
        pk(tenant, &self.partition)
    }
}

/// The partition of a call's events.
pub(super) fn call(id: &str) -> String {
    format!("call#{id}")
}

/// A tenant's partition.
pub(super) fn pk(tenant: &TenantId, partition: &str) -> String {
    format!("{tenant}#{partition}")
}

/// The partition of the journal's entries whose latest event was received on this day, in UTC.
pub(super) fn journal(tenant: &TenantId, day: Date) -> String {
    pk(tenant, &format!("journal#{day}"))
}

pub(super) fn entry(latest: Millis, entry: Entry) -> String {
    format!("{}#{}", sortable(latest), entry.simple())
}

/// Reads [`entry`] back.
pub(super) fn read_entry(place: &str) -> Option<(Millis, Entry)> {
    let (_, entry) = place.split_once('#')?;
    Some((instant(place)?, entry.parse().ok()?))
}

/// The instant under which a place lies.
pub(super) fn instant(place: &str) -> Option<Millis> {
    let digits = place.get(..16).filter(|digits| digits.bytes().all(|c| c.is_ascii_hexdigit()))?;
    let shifted = u64::from_str_radix(digits, 16).ok()?;
    Some((shifted ^ (1 << 63)).cast_signed())
}

pub(super) fn day(at: Millis) -> Date {
    clock::timestamp(at).to_zoned(TimeZone::UTC).date()
}

/// The first instant of a day, in UTC.
pub(super) fn midnight(day: Date) -> Millis {
    day.to_zoned(TimeZone::UTC).map_or(Millis::MIN, |at| at.timestamp().as_millisecond())
}

/// Sorts like its number: shifted into the positive, in hexadecimal digits of one length.
pub(super) fn sortable(number: i64) -> String {
    format!("{:016x}", number.cast_unsigned() ^ (1 << 63))
}

/// After everything that begins with this number.
pub(super) fn after(number: i64) -> String {
    format!("{}~", sortable(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_sort_like_their_numbers() {
        let numbers = [i64::MIN, -5, 0, 9, 10, 1_763_600_000_000, i64::MAX];
        let places = numbers.map(|number| entry(number, Entry::max()));
        assert!(places.is_sorted());
        for (place, number) in places.iter().zip(numbers) {
            assert!(sortable(number) < *place && *place < after(number));
            assert_eq!(read_entry(place), Some((number, Entry::max())));
        }
    }
}
