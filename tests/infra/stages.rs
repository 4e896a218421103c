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

/// What a stage is deployed with, but for its parameters.
fn settings(stage: &str) -> String {
    let config = text("samconfig.toml");
    let (_, settings) = config.split_once(&format!("[{stage}.deploy.parameters]")).unwrap();
    settings.split_once("parameter_overrides").unwrap().0.to_owned()
}

#[test]
fn what_is_deployed_takes_over_step_by_step_and_is_asked_about() {
    let template = Template::load();
    // Roles, and a template within the template.
    assert!(
        !template.all("AWS::IAM::Role").is_empty() && !template.all("AWS::CloudFormation::Stack").is_empty()
    );
    let stages = stages();
    for stage in ["dev", "staging", "prod"] {
        let settings = settings(stage);
        assert!(settings.contains(r#"["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]"#), "{stage}");
        assert!(settings.contains(&format!("stack_name = \"trunkline-{stage}\"")), "{stage}");
        assert_eq!(settings.contains("confirm_changeset = true"), stage == "prod", "{stage}");
        let (_, preference) = stages[stage].iter().find(|(name, _)| name == "DeploymentPreference").unwrap();
        let at_once = preference == "AllAtOnce";
        assert_eq!(at_once, stage == "dev", "{stage}: {preference}");
    }
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
