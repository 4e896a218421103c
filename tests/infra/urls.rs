//! Functions with a URL of their own: the receiver, if that is asked for, and nobody else.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{complaints::Complaints, template::Template};

/// The condition under which there is such a URL.
const CONDITION: &str = "WithReceiveUrl";

/// Binaries that can be reached without the API.
pub(crate) fn own_urls(template: &Template) -> BTreeSet<String> {
    let urls = template.all("AWS::Lambda::Url").into_iter();
    let aliases: BTreeSet<_> = urls
        .map(|(_, url)| url["TargetFunctionArn"]["Ref"].as_str().unwrap_or_default().to_owned())
        .collect();
    let functions = template.functions().into_iter();
    functions.filter(|one| aliases.contains(&format!("{}.Alias", one.id))).map(|one| one.binary).collect()
}

/// Whoever lets everybody in does so for the receiver's URL, and for nothing but that URL.
pub(crate) fn only_the_receiver_is_open(template: &Template) -> Complaints {
    let mut complaints = Complaints::default();
    for binary in own_urls(template).iter().filter(|binary| *binary != "events-receive") {
        complaints.unless(false, format!("{binary} has a URL of its own"));
    }
    let asked_for = |id: &str| template.0["Resources"][id]["Condition"] == CONDITION;
    for (id, _) in template.all("AWS::Lambda::Url") {
        complaints.unless(asked_for(id), format!("{id} is there unasked"));
    }
    for (id, permission) in template.all("AWS::Lambda::Permission") {
        if permission["Principal"] != "*" {
            continue;
        }
        let by_url = match permission["Action"].as_str() {
            Some("lambda:InvokeFunctionUrl") => permission["FunctionUrlAuthType"] == "NONE",
            Some("lambda:InvokeFunction") => permission["InvokedViaFunctionUrl"] == Value::Bool(true),
            _ => false,
        };
        complaints.unless(by_url, format!("{id} lets everybody in without the URL"));
        let receiver = permission["FunctionName"] == json!({"Ref": "ReceiveFunction.Alias"});
        complaints.unless(receiver && asked_for(id), format!("{id} opens more than the receiver's URL"));
    }
    complaints
}

#[test]
fn only_the_receiver_can_be_reached_without_the_api() {
    only_the_receiver_is_open(&Template::load()).none();
}

#[test]
fn whoever_asks_for_it_is_delivered_to_by_the_receivers_own_url() {
    let default = Template::load();
    let asked = Template::load().with("/Parameters/WebhookEndpoint/Default", json!("function-url"));
    let open = ["ReceiveUrl", "ReceiveUrlPermission", "ReceiveThroughUrlPermission"];
    assert!(open.iter().all(|id| asked.is_there(id) && !default.is_there(id)));
    for binary in ["api-subscriptions", "events-renew"] {
        let told = |template: &Template| {
            let variables = template.function(binary).properties["Environment"]["Variables"].clone();
            template.resolved(&variables["TRUNKLINE_WEBHOOK_URL"])
        };
        assert_eq!(told(&default), "", "{binary}");
        assert!(told(&asked).starts_with("https://abc.lambda-url."), "{binary}");
    }
    // Without eventing there is nothing to deliver to.
    let nothing = asked.with("/Parameters/Eventing/Default", json!("disabled"));
    assert!(open.iter().all(|id| !nothing.is_there(id)));
}
