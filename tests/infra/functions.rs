//! Every function that is written is deployed, within the bounds of what wakes it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    complaints::Complaints,
    template::{Template, path, text},
};

/// Every function crate: its folder and its name.
pub(crate) fn crates() -> BTreeMap<String, String> {
    let folders = |of: &str| {
        let entries = std::fs::read_dir(path(of)).unwrap().map(|entry| entry.unwrap().path());
        let folders = entries.filter(|entry| entry.is_dir());
        folders.map(|folder| folder.file_name().unwrap().to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let mut crates = BTreeMap::new();
    for group in folders("functions") {
        for folder in folders(&format!("functions/{group}")) {
            let folder = format!("functions/{group}/{folder}");
            let manifest = text(&format!("{folder}/Cargo.toml"));
            let name = manifest.lines().find_map(|line| line.strip_prefix("name = ")).unwrap();
            crates.insert(folder, name.trim_matches('"').to_owned());
        }
    }
    crates
}

#[test]
fn every_function_that_is_written_is_deployed() {
    let deployed: BTreeMap<_, _> = Template::load()
        .functions()
        .into_iter()
        .map(|function| (function.properties["CodeUri"].as_str().unwrap().to_owned(), function.binary))
        .collect();
    assert_eq!(deployed, crates(), "deployed, and written");
}

#[test]
fn every_function_runs_as_it_was_built_and_measured() {
    for function in Template::load().functions() {
        let expect = |property: &str, value: Value| {
            assert_eq!(function.properties[property], value, "{}: {property}", function.id);
        };
        expect("Runtime", "provided.al2023".into());
        expect("Handler", "bootstrap".into());
        expect("Architectures", vec!["arm64"].into());
        let webhooks = function.binary.starts_with("events-");
        let traced = if webhooks { json!({"Ref": "WebhookTracing"}) } else { "Active".into() };
        expect("Tracing", traced);
        // Without it a change can't be taken back.
        expect("AutoPublishAlias", "live".into());
        // Its hash is of what is written, not of what parameters make of it: see `SourceKMSKeyArn` in the template.
        expect("AutoPublishAliasAllProperties", Value::Null);
        assert!(function.properties["MemorySize"].as_u64().unwrap() >= 256, "{}", function.id);
    }
}

/// Every parameter and condition that a value refers to.
fn named<'a>(value: &'a Value, template: &'a Template, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| named(item, template, found)),
        Value::Object(entries) => {
            for (key, inner) in entries {
                let name = inner.as_str().unwrap_or_default();
                if key == "Ref" && template.0["Parameters"][name].is_object() {
                    found.insert(name.to_owned());
                } else if key == "Condition" || key == "Fn::If" {
                    let condition = inner.as_str().or_else(|| inner[0].as_str()).unwrap_or_default();
                    named(&template.0["Conditions"][condition], template, found);
                    named(inner, template, found);
                } else {
                    named(inner, template, found);
                }
            }
        }
        _ => {}
    }
}

/// The alias points at a version, and SAM publishes one for each change of what a function names here. The translator itself is
/// asked by `tests/infra/published`, which needs SAM.
#[test]
fn regression_a_changed_parameter_publishes_every_function_that_reads_it() {
    let template = Template::load();
    assert_eq!(
        template.0["Conditions"]["Never"],
        json!({"Fn::Equals": [{"Ref": "AWS::Partition"}, "nowhere"]})
    );
    for function in template.functions() {
        let published = &function.properties["SourceKMSKeyArn"]["Fn::If"];
        assert_eq!((&published[0], &published[2]), (&json!("Never"), &json!({"Ref": "AWS::NoValue"})));
        let (mut names, mut read) = (BTreeSet::new(), BTreeSet::new());
        named(&published[1], &template, &mut names);
        for property in ["Environment", "LoggingConfig", "Tracing", "MemorySize", "Timeout"] {
            named(&function.properties[property], &template, &mut read);
        }
        // A function that is left out with its part is not published at all.
        read.retain(|name| template.0["Parameters"][name]["AllowedValues"] != json!(["enabled", "disabled"]));
        assert_eq!(names, read, "{}: named, and read", function.id);
    }
}

/// A function ends before whoever waits for it gives up: the API after 30 s, and for its authorizer after 10 s.
pub(crate) fn ends_in_time(template: &Template) -> Complaints {
    let mut complaints = Complaints::default();
    let authorizers = template.all("AWS::ApiGatewayV2::Authorizer").into_iter();
    let authorizers =
        authorizers.map(|(_, authorizer)| (&authorizer["AuthorizerUri"]["Fn::Sub"][1]["Alias"], 10_000));
    let integrations = template.all("AWS::ApiGatewayV2::Integration").into_iter().map(|(_, integration)| {
        (&integration["IntegrationUri"], integration["TimeoutInMillis"].as_u64().unwrap_or(30_000))
    });
    for (uri, patience) in authorizers.chain(integrations) {
        let alias = uri["Ref"].as_str().unwrap_or_default();
        let Some(id) = alias.strip_suffix(".Alias") else {
            complaints.unless(false, format!("{uri} passes the alias by"));
            continue;
        };
        let functions = template.functions();
        let function = functions.iter().find(|deployed| deployed.id == id).unwrap();
        let timeout = function.properties["Timeout"].as_u64().unwrap();
        complaints.unless(
            timeout * 1_000 < patience.min(30_000),
            format!("{id} runs up to {timeout} s, its API waits {patience} ms"),
        );
    }
    complaints
}

/// Every function writes where what it writes ends some day.
pub(crate) fn logs_end(template: &Template) -> Complaints {
    let mut complaints = Complaints::default();
    for function in template.functions() {
        let logging = &function.properties["LoggingConfig"];
        let id = &function.id;
        complaints.unless(logging["LogFormat"] == "JSON", format!("{id} does not log JSON"));
        complaints
            .unless(logging["SystemLogLevel"] == "WARN", format!("{id}: Lambda logs each start and end"));
        complaints.unless(
            logging["ApplicationLogLevel"] == function.properties["Environment"]["Variables"]["LOG_LEVEL"],
            format!("{id}: Lambda would drop what it is told to write"),
        );
        let Some(group) = logging["LogGroup"]["Ref"].as_str() else {
            complaints.unless(false, format!("{id} has no logs"));
            continue;
        };
        let name = template.resolved(&template.properties(group)["LogGroupName"]);
        let expected = format!("/aws/lambda/{}", template.resolved(&function.properties["FunctionName"]));
        complaints.unless(name == expected, format!("{id} logs to {name}"));
    }
    for (id, group) in template.all("AWS::Logs::LogGroup") {
        let days = group.get("RetentionInDays").map(|days| template.resolved(days));
        let days = days.and_then(|days| days.parse::<u32>().ok());
        complaints.unless(
            days.is_some_and(|days| (1..=3653).contains(&days)),
            format!("{id} keeps its logs for ever"),
        );
    }
    complaints
}

#[test]
fn a_function_behind_the_api_ends_before_the_api_gives_up() {
    ends_in_time(&Template::load()).none();
}

#[test]
fn the_logs_of_every_function_end() {
    logs_end(&Template::load()).none();
}
