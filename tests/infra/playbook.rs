//! The operations playbook names what there is: somebody who is woken at night has to be able to type what it says.

use std::collections::BTreeSet;

use crate::{
    routes,
    template::{Template, path, text},
};

const PLAYBOOK: &str = "docs/operations-playbook.md";
/// The stack the playbook speaks of, which is `trunkline` in the tests.
const STACK: &str = "trunkline-prod";

/// Everything between blanks, quotes and marks.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let part = |c: char| c.is_ascii_alphanumeric() || "-_/{}=.".contains(c);
    text.split(move |c| !part(c)).map(|word| word.trim_end_matches('.')).filter(|word| !word.is_empty())
}

/// The section under a heading.
fn section<'a>(playbook: &'a str, heading: &str) -> &'a str {
    let (_, rest) = playbook.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split("\n## ").next().unwrap()
}

/// The names in the first column of a section's table.
fn first_column(section: &str) -> Vec<&str> {
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2)).collect()
}

fn keys(template: &Template, part: &str) -> BTreeSet<String> {
    template.0[part].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn every_alarm_has_its_advice() {
    let (template, playbook) = (Template::load(), text(PLAYBOOK));
    let advised = first_column(section(&playbook, "Alarms"));
    let alarms: BTreeSet<_> = template.all("AWS::CloudWatch::Alarm").into_iter().map(|(id, _)| id).collect();
    assert_eq!(advised.iter().copied().collect::<BTreeSet<_>>(), alarms);
    assert_eq!(advised.len(), alarms.len(), "an alarm is there twice");
    for word in words(&playbook).filter(|word| word.len() > 5 && word.ends_with("Alarm")) {
        assert!(alarms.contains(word), "there is no {word}");
    }
}

#[test]
fn every_parameter_is_told_of_and_set_to_what_it_can_be() {
    let (template, playbook) = (Template::load(), text(PLAYBOOK));
    let told: BTreeSet<_> =
        first_column(section(&playbook, "What can be set")).into_iter().map(str::to_owned).collect();
    assert_eq!(told, keys(&template, "Parameters"));
    let mut set = 0;
    for (name, value) in words(&playbook).filter_map(|word| word.split_once('=')) {
        // The shell's own variables are all capitals, and a query compares.
        let capital = |c: char| c.is_ascii_uppercase();
        let parameter = name.starts_with(capital) && !name.chars().all(capital) && !value.starts_with('=');
        if !parameter {
            continue;
        }
        assert!(told.contains(name), "there is no parameter {name}");
        if let Some(allowed) = template.0["Parameters"][name]["AllowedValues"].as_array() {
            assert!(allowed.contains(&value.into()), "{name} can't be {value}");
        }
        set += 1;
    }
    assert!(set > 0);
}

#[test]
fn outputs_routes_and_files_exist() {
    let (template, playbook) = (Template::load(), text(PLAYBOOK));
    let outputs = keys(&template, "Outputs");
    let calls = playbook.split("output ").skip(1).filter_map(|rest| words(rest).next());
    let named: Vec<_> = calls.filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase())).collect();
    assert!(!named.is_empty());
    for name in named {
        assert!(outputs.contains(name), "there is no output {name}");
    }
    let routes: BTreeSet<_> =
        routes::routes(&template).into_keys().map(|key| key.split_once(' ').unwrap().1.to_owned()).collect();
    for path in words(&playbook).filter(|word| word.starts_with("/api/")) {
        assert!(routes.contains(path), "there is no {path}");
    }
    for file in words(&playbook)
        .filter(|word| ["infra/", "docs/", ".ci/", ".github/"].iter().any(|folder| word.starts_with(folder)))
    {
        assert!(path(file).is_file(), "there is no {file}");
    }
}

#[test]
fn resources_are_called_what_they_are_called() {
    let (template, playbook) = (Template::load(), text(PLAYBOOK));
    let mut names = BTreeSet::from(["trunkline".to_owned(), "/trunkline".to_owned()]);
    for (kind, property) in [
        ("AWS::Serverless::Function", "FunctionName"),
        ("AWS::SQS::Queue", "QueueName"),
        ("AWS::DynamoDB::Table", "TableName"),
        ("AWS::Logs::LogGroup", "LogGroupName"),
        ("AWS::SecretsManager::Secret", "Name"),
    ] {
        names.extend(
            template.all(kind).into_iter().map(|(_, properties)| template.resolved(&properties[property])),
        );
    }
    for (_, dashboard) in Template::of("infra/dashboards.yaml").all("AWS::CloudWatch::Dashboard") {
        let name = dashboard["DashboardName"]["Fn::Sub"].as_str().unwrap();
        names.insert(name.replace("${Name}", "trunkline"));
    }
    let mut seen = 0;
    for word in words(&playbook) {
        let Some(at) = word.find(STACK) else { continue };
        let name = format!("{}trunkline{}", &word[..at], &word[at + STACK.len()..]);
        let name = name.rsplit_once('=').map_or(name.as_str(), |(_, name)| name);
        assert!(names.contains(name) || name.starts_with("trunkline/tenants/"), "nothing is called {word}");
        seen += 1;
    }
    assert!(seen > 0);
}
