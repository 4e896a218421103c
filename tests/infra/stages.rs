//! `samconfig.toml` sets parameters that exist to values that are allowed.

use std::collections::BTreeMap;

use crate::template::{Template, text};

/// The `Name=Value` strings of each stage's deployment.
fn stages() -> BTreeMap<String, Vec<(String, String)>> {
    let mut stages = BTreeMap::new();
    let mut section = String::new();
    for line in text("samconfig.toml").lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = header.strip_suffix(".deploy.parameters").unwrap_or_default().to_owned();
        }
        let quoted = line.strip_prefix('"').and_then(|line| line.trim_end_matches(',').strip_suffix('"'));
        if let Some((name, value)) = quoted.and_then(|line| line.split_once('=')) {
            let stage: &mut Vec<_> = stages.entry(section.clone()).or_default();
            stage.push((name.to_owned(), value.to_owned()));
        }
    }
    stages
}

#[test]
fn every_stage_can_be_deployed() {
    let template = Template::load();
    let stages = stages();
    assert_eq!(stages.keys().collect::<Vec<_>>(), ["dev", "prod", "staging"]);
    for (stage, overrides) in stages {
        assert!(overrides.contains(&("Stage".to_owned(), stage.clone())), "{stage}");
        for (name, value) in overrides {
            let parameter = &template.0["Parameters"][&name];
            assert!(parameter.is_object(), "{stage} sets {name}, which is no parameter");
            if let Some(allowed) = parameter["AllowedValues"].as_array() {
                let fits = allowed.iter().any(|one| one.to_string().trim_matches('"') == value);
                assert!(fits, "{stage}: {name} can't be {value}");
            }
            let number = |bound: &str| parameter[bound].as_f64();
            if let (Some(least), Ok(value)) = (number("MinValue"), value.parse::<f64>()) {
                assert!(value >= least, "{stage}: {name} can't be {value}");
            }
            if let (Some(most), Ok(value)) = (number("MaxValue"), value.parse::<f64>()) {
                assert!(value <= most, "{stage}: {name} can't be {value}");
            }
        }
    }
}
