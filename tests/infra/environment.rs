//! The variables of a function are those its configuration is read from.

use std::{cell::RefCell, collections::BTreeSet};

use context::{Config, ConfigError};

use crate::{
    functions::crates,
    roles::by_lambda,
    statement::Statement,
    template::{Function, Template, text},
};

/// Read by `telemetry`, which every function has.
const OUTSIDE_CONFIG: [&str; 1] = ["LOG_LEVEL"];

/// Every variable the configuration looks at.
fn read() -> BTreeSet<String> {
    let names = RefCell::new(BTreeSet::new());
    let everything = Config::read(|name| {
        names.borrow_mut().insert(name.to_owned());
        Some("1".to_owned())
    });
    everything.unwrap();
    names.into_inner()
}

/// Those it can't do without.
fn required() -> BTreeSet<String> {
    let missing = |name: &str| Config::read(|asked| (asked != name).then(|| "1".to_owned())).is_err();
    read().into_iter().filter(|name| missing(name)).collect()
}

/// Functions with a wiring; the others have no configuration.
fn wired(template: &Template) -> Vec<Function> {
    let wired: BTreeSet<_> = crates()
        .into_iter()
        .filter(|(folder, _)| text(&format!("{folder}/Cargo.toml")).contains("\ncontext.workspace = true"))
        .map(|(_, name)| name)
        .collect();
    template.functions().into_iter().filter(|function| wired.contains(&function.binary)).collect()
}

/// What a function finds in its environment, by name.
pub(crate) fn variable(template: &Template, function: &Function, name: &str) -> Option<String> {
    Some(template.resolved(function.properties["Environment"]["Variables"].get(name)?))
}

#[test]
fn every_function_starts_with_what_it_is_given() {
    let template = Template::load();
    let required = required();
    assert!(required.contains("TRUNKLINE_TABLES"), "{required:?}");
    let wired = wired(&template);
    assert!(wired.len() >= 5, "{wired:?}");
    for function in wired {
        for name in &required {
            assert!(variable(&template, &function, name).is_some(), "{} is not told {name}", function.id);
        }
        match Config::read(|name| variable(&template, &function, name)) {
            Ok(config) => assert!(config.public_url.starts_with("https://"), "{}", function.id),
            Err(error @ (ConfigError::Missing(_) | ConfigError::Invalid { .. })) => {
                panic!("{} does not start: {error}", function.id)
            }
        }
    }
}

#[test]
fn whatever_can_be_configured_is_configured_somewhere() {
    let template = Template::load();
    let read = read();
    let mut given = BTreeSet::new();
    for function in template.functions() {
        for name in function.properties["Environment"]["Variables"].as_object().unwrap().keys() {
            let known = read.contains(name) || OUTSIDE_CONFIG.contains(&name.as_str());
            assert!(known, "{}: nobody reads {name}", function.id);
            given.insert(name.clone());
        }
    }
    let missing: Vec<_> = read.difference(&given).collect();
    assert!(missing.is_empty(), "no function is given {missing:?}");
}

#[test]
fn a_queue_is_named_to_those_who_may_use_it() {
    let template = Template::load();
    for function in template.functions() {
        for (name, queue) in
            [("EVENTS_QUEUE_URL", "EventsQueue"), ("EVENTS_DEAD_LETTER_QUEUE_URL", "EventsDeadLetterQueue")]
        {
            let told = function.properties["Environment"]["Variables"].get(name).is_some();
            let arn = template.resolved(&serde_json::json!({ "Fn::GetAtt": [queue, "Arn"] }));
            // Lambda polls in the function's name; the function itself needs no address for that.
            let statements = template.statements(function.role());
            let permissions = statements.iter().flat_map(Statement::permissions);
            let may = permissions
                .filter(|(_, resource)| *resource == arn)
                .any(|(action, resource)| !by_lambda(&template, &function, action, resource));
            assert_eq!(told, may, "{}: told {name}, and allowed to use it", function.id);
        }
    }
}
