//! What can be left out takes its functions along, and never data.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::template::Template;

/// What each capability is made of: binaries, and a resource that is no function.
fn switches() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    BTreeMap::from([
        ("Provisioning", BTreeSet::from(["api-extensions"])),
        (
            "Eventing",
            BTreeSet::from(["api-subscriptions", "events-dispatch", "events-receive", "events-renew"]),
        ),
        ("ApiDocs", BTreeSet::from(["api-docs"])),
        ("Dashboards", BTreeSet::new()),
    ])
}

/// Parameters that are enabled or disabled.
fn offered(template: &Template) -> BTreeSet<&str> {
    let parameters = template.0["Parameters"].as_object().unwrap().iter();
    let switches =
        parameters.filter(|(_, parameter)| parameter["AllowedValues"] == json!(["enabled", "disabled"]));
    switches.map(|(name, _)| name.as_str()).collect()
}

#[test]
fn whatever_is_left_out_takes_its_functions_along() {
    let template = Template::load();
    let switches = switches();
    assert_eq!(offered(&template), switches.keys().copied().collect());
    let all: BTreeSet<_> = template.functions().into_iter().map(|function| function.binary).collect();
    for (switch, binaries) in switches {
        let without = Template::load().with(&format!("/Parameters/{switch}/Default"), json!("disabled"));
        let mut gone = all.clone();
        for function in without.functions().iter().filter(|function| without.is_there(&function.id)) {
            gone.remove(&function.binary);
        }
        assert_eq!(gone.iter().map(String::as_str).collect::<BTreeSet<_>>(), binaries, "{switch}");
        let resources = |template: &Template| {
            let all = template.0["Resources"].as_object().unwrap().keys();
            all.filter(|id| template.is_there(id)).cloned().collect::<BTreeSet<_>>()
        };
        let left = resources(&without);
        assert!(left.len() < resources(&template).len(), "{switch} leaves nothing out");
    }
}

#[test]
fn no_data_is_ever_left_out() {
    let template = Template::load();
    let data =
        ["AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::SecretsManager::Secret", "AWS::Logs::LogGroup"];
    for kind in data {
        for (id, _) in template.all(kind) {
            let resource = &template.0["Resources"][id];
            assert!(resource["Condition"].is_null(), "{id} goes, and what it holds with it");
        }
    }
}
