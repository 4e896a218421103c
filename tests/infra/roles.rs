//! Every function has a role of its own, which names what it is for.

use std::collections::BTreeSet;

use serde_json::json;

use crate::{
    complaints::Complaints,
    queues::sources,
    schedules::{of_function, role, schedules},
    statement::Statement,
    template::{Function, Template},
};

/// What Lambda itself does in a function's name, not the function.
const WRITES_LOGS: [&str; 2] = ["logs:CreateLogStream", "logs:PutLogEvents"];
const TRACES: [&str; 2] = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"];
const LEAVES: &str = "sqs:SendMessage";
const POLLS: [&str; 3] = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];

/// Whether Lambda does this in a function's name: writing its logs and traces, polling its queues, leaving its dead letters.
pub(crate) fn by_lambda(template: &Template, function: &Function, action: &str, resource: &str) -> bool {
    let polled = || {
        let mut queues = sources(function).into_iter();
        queues.any(|(event, _)| template.resolved(&event["Queue"]) == resource)
    };
    let left = || of_function(function).is_object() && template.resolved(of_function(function)) == resource;
    WRITES_LOGS.contains(&action)
        || TRACES.contains(&action)
        || (POLLS.contains(&action) && polled())
        || (action == LEAVES && left())
}

/// What Lambda does in a function's name is allowed.
pub(crate) fn lambda_can_do_its_part(template: &Template) -> Complaints {
    let mut complaints = Complaints::default();
    for function in &template.functions() {
        let logs = template.resolved(&json!({
            "Fn::GetAtt": [function.properties["LoggingConfig"]["LogGroup"]["Ref"], "Arn"]
        }));
        let statements = template.statements(function.role());
        let allows = |action: &str, arn: &str| statements.iter().any(|one| one.allows(action, arn));
        let mut all = |actions: &[&str], arn: &str, what: &str| {
            let allowed = actions.iter().all(|action| allows(action, arn));
            complaints.unless(allowed, format!("{} {what}", function.id));
        };
        all(&WRITES_LOGS, &logs, "can't log");
        all(&TRACES, "*", "can't be traced");
        for (event, queue) in sources(function) {
            all(&POLLS, &template.resolved(&event["Queue"]), &format!("can't read {queue}"));
        }
        if of_function(function).is_object() {
            all(&[LEAVES], &template.resolved(of_function(function)), "can't leave its dead letters");
        }
    }
    complaints
}

/// No permission is wider than what it is for.
pub(crate) fn nothing_is_wide(template: &Template) -> Complaints {
    let mut complaints = Complaints::default();
    for function in template.functions() {
        let statements = template.statements(function.role());
        for (action, resource) in statements.iter().flat_map(Statement::permissions) {
            let wide = match resource.split_once('*') {
                None => !resource.starts_with("arn:aws:"),
                // X-Ray's actions have no resource to name: AWS takes nothing else than `*` for them.
                Some(("", "")) => !TRACES.contains(&action),
                // The streams of a log group, which Lambda names as it likes, and the secrets of tenants, who come and go.
                Some((before, "")) => {
                    let streams = before.contains(":log-group:/aws/lambda/") && before.ends_with(':');
                    let tenants = before.ends_with(":secret:trunkline/tenants/");
                    !(streams || tenants)
                }
                Some(_) => true,
            };
            complaints.unless(
                !wide && !action.contains('*'),
                format!("{}: {action} on {resource} is wide", function.id),
            );
        }
    }
    complaints
}

#[test]
fn every_function_has_a_role_of_its_own() {
    let template = Template::load();
    let functions = template.functions();
    let roles: BTreeSet<_> = functions.iter().map(Function::role).collect();
    assert_eq!(roles.len(), functions.len());
    let mut all: BTreeSet<_> = template.all("AWS::IAM::Role").into_iter().map(|(id, _)| id).collect();
    let woken = functions.iter().flat_map(schedules).filter_map(|(_, schedule)| role(schedule));
    let wakers: BTreeSet<_> = woken.collect();
    all.retain(|id| !roles.contains(id) && !wakers.contains(id));
    assert!(all.is_empty(), "nobody has the roles {all:?}");
    lambda_can_do_its_part(&template).none();
}

#[test]
fn permissions_name_what_they_are_for() {
    nothing_is_wide(&Template::load()).none();
}
