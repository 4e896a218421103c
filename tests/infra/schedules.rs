//! What is done by the clock: every schedule may wake its function and nothing else, and what comes to nothing is kept and told.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    alarms::{dimension, watched},
    complaints::Complaints,
    queues::{LONGEST, events},
    statement::Statement,
    template::{Function, Template},
};

/// The schedules of a function: their names and properties.
pub(crate) fn schedules(function: &Function) -> Vec<(&str, &Value)> {
    let schedules = events(function).filter(|(_, event)| event["Type"] == "ScheduleV2");
    schedules.map(|(name, event)| (name.as_str(), &event["Properties"])).collect()
}

/// The role that a schedule wakes its function in.
pub(crate) fn role(schedule: &Value) -> Option<&str> {
    schedule["RoleArn"]["Fn::GetAtt"][0].as_str()
}

/// The queue that takes what a function failed to do that nobody waits for.
pub(crate) fn of_function(function: &Function) -> &Value {
    &function.properties["DeadLetterQueue"]["TargetArn"]
}

/// What can't be handed over, and what fails after it was, is kept for two weeks; somebody hears of either.
pub(crate) fn nothing_scheduled_is_lost(template: &Template) -> Complaints {
    let mut complaints = Complaints::default();
    for function in template.functions() {
        for (name, schedule) in schedules(&function) {
            let id = &function.id;
            for (what, arn) in
                [(name, &schedule["DeadLetterConfig"]["Arn"]), (id.as_str(), of_function(&function))]
            {
                let Some(dead) = arn["Fn::GetAtt"][0].as_str() else {
                    complaints.unless(false, format!("{what} has no dead letters"));
                    continue;
                };
                let kept = template.properties(dead)["MessageRetentionPeriod"] == LONGEST;
                complaints.unless(kept, format!("the dead letters of {what} end too early"));
                let by_queue = dimension("QueueName", &json!({ "Fn::GetAtt": [dead, "QueueName"] }));
                let seen = watched(template, "AWS/SQS", "ApproximateNumberOfMessagesVisible", &by_queue);
                complaints.unless(seen, format!("nobody watches the dead letters of {what}"));
            }
            let by_function = dimension("FunctionName", &json!({ "Ref": id }));
            for metric in ["Errors", "Throttles"] {
                let watched = watched(template, "AWS/Lambda", metric, &by_function);
                complaints.unless(watched, format!("nobody watches {metric} of {id}"));
            }
            let again = function.properties["EventInvokeConfig"]["MaximumRetryAttempts"].as_u64();
            complaints.unless(again == Some(2), format!("{id} is not tried again"));
        }
    }
    complaints
}

/// A schedule wakes the alias of its function, leaves its dead letters, and does nothing else.
pub(crate) fn a_schedule_only_wakes(template: &Template) -> Complaints {
    let mut complaints = Complaints::default();
    for function in template.functions() {
        for (name, schedule) in schedules(&function) {
            let Some(role) = role(schedule) else {
                complaints.unless(false, format!("{name} has no role of its own"));
                continue;
            };
            let trusted = &template.properties(role)["AssumeRolePolicyDocument"]["Statement"];
            let ours = trusted[0]["Condition"]["StringEquals"]["aws:SourceAccount"].is_object();
            let scheduler = trusted[0]["Principal"] == json!({"Service": "scheduler.amazonaws.com"});
            let alone = trusted.as_array().is_some_and(|statements| statements.len() == 1);
            complaints.unless(scheduler && ours && alone, format!("others can take the role of {name}"));
            let alias = template.resolved(&json!({ "Ref": format!("{}.Alias", function.id) }));
            let mut may = vec![("lambda:InvokeFunction".to_owned(), alias)];
            if schedule["DeadLetterConfig"].is_object() {
                let dead = template.resolved(&schedule["DeadLetterConfig"]["Arn"]);
                may.push(("sqs:SendMessage".to_owned(), dead));
            }
            let statements = template.statements(role);
            let permissions = statements.iter().flat_map(Statement::permissions);
            let allowed: BTreeSet<_> =
                permissions.map(|(action, on)| (action.to_owned(), on.to_owned())).collect();
            let may = may.into_iter().collect();
            complaints.unless(allowed == may, format!("{name} may {allowed:?}, and should {may:?}"));
        }
    }
    complaints
}

#[test]
fn what_a_schedule_comes_to_is_never_lost() {
    let template = Template::load();
    assert!(template.functions().iter().any(|function| !schedules(function).is_empty()));
    nothing_scheduled_is_lost(&template).none();
}

#[test]
fn a_schedule_may_wake_its_function_and_nothing_else() {
    a_schedule_only_wakes(&Template::load()).none();
}

/// What the binary of one machine says it does when nobody asks for anything else.
#[test]
fn one_machine_keeps_the_schedule_of_a_deployment() {
    let template = Template::load();
    let renewal = template.function("events-renew");
    let (_, schedule) = schedules(&renewal)[0];
    let deployed = template.resolved(&schedule["ScheduleExpression"]).parse().unwrap();
    let args = <trunkline::Args as clap::Parser>::parse_from(["trunkline"]);
    assert_eq!(args.renewal_schedule, deployed);
}
