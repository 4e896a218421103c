//! Every function that is written is deployed, within the bounds of what wakes it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::template::{Template, path, text};

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
        expect("Tracing", "Active".into());
        // Without the first a change can't be taken back, without the second a changed parameter is never published.
        expect("AutoPublishAlias", "live".into());
        expect("AutoPublishAliasAllProperties", true.into());
        assert!(function.properties["MemorySize"].as_u64().unwrap() >= 256, "{}", function.id);
    }
}

#[test]
fn a_function_behind_the_api_ends_before_the_api_gives_up() {
    let template = Template::load();
    for (id, integration) in template.all("AWS::ApiGatewayV2::Integration") {
        let alias = integration["IntegrationUri"]["Ref"].as_str().unwrap();
        let function = alias.strip_suffix(".Alias").unwrap_or_else(|| panic!("{id} passes the alias by"));
        let functions = template.functions();
        let function = functions.iter().find(|deployed| deployed.id == function).unwrap();
        let timeout = function.properties["Timeout"].as_u64().unwrap();
        let patience = integration["TimeoutInMillis"].as_u64().unwrap_or(30_000);
        assert!(
            timeout * 1_000 < patience,
            "{} runs up to {timeout} s, its API waits {patience} ms",
            function.id
        );
        assert!(timeout < 30, "{}", function.id);
    }
}

#[test]
fn the_logs_of_every_function_end() {
    let template = Template::load();
    for function in template.functions() {
        let logging = &function.properties["LoggingConfig"];
        assert_eq!(logging["LogFormat"], "JSON", "{}", function.id);
        assert_eq!(
            logging["ApplicationLogLevel"], function.properties["Environment"]["Variables"]["LOG_LEVEL"],
            "{}: Lambda would drop what the function is told to write",
            function.id
        );
        let group =
            logging["LogGroup"]["Ref"].as_str().unwrap_or_else(|| panic!("{} has no logs", function.id));
        let name = template.resolved(&template.properties(group)["LogGroupName"]);
        assert_eq!(name, format!("/aws/lambda/{}", template.resolved(&function.properties["FunctionName"])));
    }
    for (id, group) in template.all("AWS::Logs::LogGroup") {
        let days: u32 = template.resolved(&group["RetentionInDays"]).parse().unwrap();
        assert!((1..=3653).contains(&days), "{id} keeps its logs for {days} days");
    }
}
