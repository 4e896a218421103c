//! The checks are checked: each template here is broken in one place, and somebody has to complain of just that.

use serde_json::{Value, json};

use crate::{
    alarms::every_source_is_watched,
    complaints::Complaints,
    encryption::{everything_at_rest, no_secret_in_a_variable},
    functions::{ends_in_time, logs_end},
    ports::roles_are_for_ports,
    queues::{
        each_record_for_itself, hidden_long_enough, nothing_is_given_up_silently, only_who_goes_round_says_so,
    },
    roles::{lambda_can_do_its_part, nothing_is_wide},
    routes::secured_where_described,
    schedules::{a_schedule_only_wakes, nothing_scheduled_is_lost},
    template::Template,
    urls::only_the_receiver_is_open,
};

type Check = fn(&Template) -> Complaints;

/// Breaks the template and hears who complains.
#[track_caller]
fn broken(pointer: &str, value: Value, check: Check, complaint: &str) {
    check(&Template::load()).none();
    let complaints = check(&Template::load().with(pointer, value));
    assert!(complaints.of(complaint), "{pointer}: expected {complaint:?}, heard {complaints:?}");
}

/// A statement of a role's own policy.
fn statement(role: &str, number: usize) -> String {
    format!("/Resources/{role}/Properties/Policies/0/PolicyDocument/Statement/{number}")
}

#[test]
fn a_permission_that_is_missing() {
    let action = format!("{}/Action", statement("ReceiveRole", 2));
    let complaint = "events-receive may do nothing of what its port DeliveryQueue is for";
    broken(&action, json!("sqs:PurgeQueue"), roles_are_for_ports, complaint);
    let poll = format!("{}/Action", statement("DispatchRole", 1));
    broken(
        &poll,
        json!(["sqs:ReceiveMessage"]),
        lambda_can_do_its_part,
        "DispatchFunction can't read EventsQueue",
    );
}

#[test]
fn a_permission_that_is_too_much() {
    let action = format!("{}/Action", statement("PlatformRole", 2));
    let scan = json!(["dynamodb:GetItem", "dynamodb:DeleteItem"]);
    broken(&action, scan, roles_are_for_ports, "api-platform has no port that needs dynamodb:DeleteItem");
    let resource = format!("{}/Resource", statement("PlatformRole", 2));
    let other = json!({"Fn::GetAtt": ["TokensTable", "Arn"]});
    // A port of RingCentral's may look at tokens; one of the docs may not.
    let docs = json!({"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": other});
    broken(
        &statement("DocsRole", 0),
        docs,
        roles_are_for_ports,
        "api-docs has no port that needs dynamodb:GetItem",
    );
    broken(&resource, json!("*"), nothing_is_wide, "PlatformFunction: dynamodb:GetItem on * is wide");
    let every = json!({"Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/*"});
    broken(&resource, every, nothing_is_wide, "table/* is wide");
    broken(&action, json!("dynamodb:*"), nothing_is_wide, "dynamodb:* on");
}

#[test]
fn a_queue_without_dead_letters() {
    let redrive = "/Resources/EventsQueue/Properties/RedrivePolicy";
    broken(redrive, Value::Null, nothing_is_given_up_silently, "EventsQueue has no dead letters");
    broken(redrive, Value::Null, every_source_is_watched, "nobody watches the dead letters of EventsQueue");
    let kept = "/Resources/EventsDeadLetterQueue/Properties/MessageRetentionPeriod";
    broken(
        kept,
        json!(86_400),
        nothing_is_given_up_silently,
        "the dead letters of EventsQueue end too early",
    );
    let schedule =
        json!({"Nightly": {"Type": "ScheduleV2", "Properties": {"ScheduleExpression": "rate(1 day)"}}});
    let events = "/Resources/HealthFunction/Properties/Events";
    broken(
        events,
        schedule,
        nothing_is_given_up_silently,
        "HealthFunction is woken by Nightly, which has no dead",
    );
}

#[test]
fn a_schedule_without_dead_letters() {
    let schedule = "/Resources/RenewFunction/Properties/Events/Renewal/Properties";
    let config = format!("{schedule}/DeadLetterConfig");
    let complaint = "RenewFunction is woken by Renewal, which has no dead letters";
    broken(&config, Value::Null, nothing_is_given_up_silently, complaint);
    broken(&config, Value::Null, nothing_scheduled_is_lost, "Renewal has no dead letters");
    // A scheduler hears nothing of an invocation that fails.
    let of_function = "/Resources/RenewFunction/Properties/DeadLetterQueue";
    broken(of_function, Value::Null, nothing_scheduled_is_lost, "RenewFunction has no dead letters");
    let kept = "/Resources/SchedulesDeadLetterQueue/Properties/MessageRetentionPeriod";
    broken(kept, json!(86_400), nothing_scheduled_is_lost, "the dead letters of Renewal end too early");
    let alarm = "/Resources/SchedulesDeadLettersAlarm";
    broken(alarm, Value::Null, nothing_scheduled_is_lost, "nobody watches the dead letters of RenewFunction");
    let alarm = "/Resources/RenewErrorsAlarm";
    broken(alarm, Value::Null, nothing_scheduled_is_lost, "nobody watches Errors of RenewFunction");
    let sends = format!("{}/Action", statement("RenewRole", 4));
    let complaint = "RenewFunction can't leave its dead letters";
    broken(&sends, json!("sqs:ReceiveMessage"), lambda_can_do_its_part, complaint);
}

#[test]
fn a_schedule_that_may_not_wake_or_may_more() {
    let wakes = format!("{}/Resource", statement("RenewScheduleRole", 0));
    let unpublished = json!({"Fn::GetAtt": ["RenewFunction", "Arn"]});
    broken(&wakes, unpublished, a_schedule_only_wakes, "Renewal may");
    let trusted =
        "/Resources/RenewScheduleRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal/Service";
    broken(
        trusted,
        json!("lambda.amazonaws.com"),
        a_schedule_only_wakes,
        "others can take the role of Renewal",
    );
}

#[test]
fn an_alarm_that_is_missing() {
    let complaint = "nobody watches the dead letters of EventsQueue";
    broken("/Resources/DeadLettersAlarm", Value::Null, every_source_is_watched, complaint);
    let complaint = "nobody watches how long messages wait in EventsQueue";
    broken("/Resources/OldestMessageAlarm", Value::Null, every_source_is_watched, complaint);
    let complaint = "nobody watches Errors of DispatchFunction";
    broken("/Resources/DispatchErrorsAlarm", Value::Null, every_source_is_watched, complaint);
}

#[test]
fn a_time_that_is_too_short_or_too_long() {
    let hidden = "/Resources/EventsQueue/Properties/VisibilityTimeout";
    broken(hidden, json!(179), hidden_long_enough, "EventsQueue hides for 179 s");
    let timeout = "/Globals/Function/Timeout";
    broken(timeout, json!(30), ends_in_time, "ExtensionsFunction runs up to 30 s");
    let timeout = "/Resources/AuthorizerFunction/Properties/Timeout";
    broken(timeout, json!(10), ends_in_time, "AuthorizerFunction runs up to 10 s");
    let retention = "/Resources/DocsLogs/Properties/RetentionInDays";
    broken(retention, Value::Null, logs_end, "DocsLogs keeps its logs for ever");
    let level = "/Globals/Function/LoggingConfig/SystemLogLevel";
    broken(level, json!("INFO"), logs_end, "ReceiveFunction: Lambda logs each start and end");
}

#[test]
fn a_batch_that_fails_as_a_whole_or_goes_round() {
    let event = "/Resources/DispatchFunction/Properties/Events/Deliveries/Properties";
    let responses = format!("{event}/FunctionResponseTypes");
    broken(&responses, Value::Null, each_record_for_itself, "without ReportBatchItemFailures");
    let scaling = format!("{event}/ScalingConfig");
    broken(&scaling, Value::Null, each_record_for_itself, "without a MaximumConcurrency");
    let sends = format!("{}/Resource", statement("DispatchRole", 2));
    let itself = json!({"Fn::GetAtt": ["EventsQueue", "Arn"]});
    broken(&sends, itself, only_who_goes_round_says_so, "DispatchFunction: RecursiveLoop");
    let says = "/Resources/DispatchFunction/Properties/RecursiveLoop";
    broken(says, json!("Allow"), only_who_goes_round_says_so, "DispatchFunction: RecursiveLoop");
}

#[test]
fn something_that_is_not_encrypted() {
    let sse = "/Resources/TokensTable/Properties/SSESpecification/SSEEnabled";
    broken(sse, json!(false), everything_at_rest, "TokensTable is not encrypted");
    let sqs = "/Resources/EventsDeadLetterQueue/Properties/SqsManagedSseEnabled";
    broken(sqs, json!(false), everything_at_rest, "EventsDeadLetterQueue is not encrypted");
    let key = "/Resources/AuthSecret/Properties/KmsKeyId";
    broken(key, Value::Null, everything_at_rest, "AuthSecret is not under our own key");
}

#[test]
fn a_secret_in_a_variable() {
    let variables = "/Resources/HealthFunction/Properties/Environment/Variables";
    let key = json!({"RC_JWT": "x"});
    broken(
        variables,
        key,
        no_secret_in_a_variable,
        "RC_JWT may be a secret in the variables of HealthFunction",
    );
    let resolved = json!({"CODE": "{{resolve:secretsmanager:trunkline/auth:SecretString:hs256}}"});
    broken(variables, resolved, no_secret_in_a_variable, "CODE may be a secret");
}

#[test]
fn a_route_that_is_open_or_shut_by_mistake() {
    let shut = "/Resources/LimitsRoute/Properties/AuthorizationType";
    broken(shut, json!("NONE"), secured_where_described, "ANY /api/platform/limits is open");
    let open = "/Resources/DeliveryRoute/Properties/AuthorizationType";
    broken(open, json!("CUSTOM"), secured_where_described, "asks for a bearer token");
}

#[test]
fn a_function_that_everybody_may_invoke() {
    let whose = "/Resources/ReceiveUrl/Properties/TargetFunctionArn";
    let other = json!({"Ref": "ExtensionsFunction.Alias"});
    broken(whose, other.clone(), only_the_receiver_is_open, "api-extensions has a URL of its own");
    let through = "/Resources/ReceiveThroughUrlPermission/Properties/InvokedViaFunctionUrl";
    let complaint = "ReceiveThroughUrlPermission lets everybody in without the URL";
    broken(through, Value::Null, only_the_receiver_is_open, complaint);
    let function = "/Resources/ReceiveUrlPermission/Properties/FunctionName";
    let complaint = "ReceiveUrlPermission opens more than the receiver's URL";
    broken(function, other, only_the_receiver_is_open, complaint);
    let condition = "/Resources/ReceiveUrl/Condition";
    broken(condition, Value::Null, only_the_receiver_is_open, "ReceiveUrl is there unasked");
}
