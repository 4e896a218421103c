//! The table of `docs/events.md`, held against what the code says of each filter.

use std::collections::BTreeSet;

use events::Kind;

#[test]
fn the_table_of_filters_is_what_the_code_says() {
    let page = include_str!("../../docs/events.md");
    let rows = page.lines().filter(|line| line.starts_with("| `/"));
    let mut kinds = BTreeSet::from([Kind::Unknown]);
    for row in rows {
        let cells: Vec<_> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [_, filter, kind, permission, _] = cells[..] else { panic!("{row}") };
        assert_eq!(Kind::of(filter).as_str(), kind, "{row}");
        assert!(!permission.is_empty(), "{row}");
        kinds.extend(Kind::named(kind));
    }
    assert_eq!(kinds, Kind::ALL.iter().copied().collect(), "each kind has a filter in the table");
}

#[test]
fn the_event_of_the_page_is_read_as_it_says() {
    let page = include_str!("../../docs/events.md");
    let example = page.split("```json").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let example: serde_json::Value = serde_json::from_str(example).unwrap();
    let raw = example["delivery"].to_string();
    let event = events::Event::read("default".parse().unwrap(), raw, 0, 0).unwrap();
    let (session, sequence) = event.session.unwrap();
    for (member, said) in [
        ("kind", event.kind.as_str()),
        ("uuid", &*event.uuid.unwrap()),
        ("subscriptionId", &*event.subscription_id.unwrap()),
        ("event", &*event.event),
        ("timestamp", &*event.timestamp.unwrap()),
        ("telephonySessionId", &*session),
    ] {
        assert_eq!(example[member], said, "{member}");
    }
    assert_eq!(example["sequence"].as_i64(), sequence);
}
