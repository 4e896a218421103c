//! Whatever can go wrong unseen raises an alarm, and every alarm reaches somebody.

use ringcentral::{CredentialsError, TokenError};
use serde_json::{Value, json};

use crate::{
    complaints::Complaints,
    queues::{dead_letters, sources},
    template::Template,
};

pub(crate) fn dimension(name: &str, value: &Value) -> Value {
    json!([{ "Name": name, "Value": value }])
}

/// Whether an alarm watches this metric of this resource.
pub(crate) fn watched(template: &Template, namespace: &str, metric: &str, dimensions: &Value) -> bool {
    template.all("AWS::CloudWatch::Alarm").iter().any(|(_, alarm)| {
        alarm["Namespace"] == namespace && alarm["MetricName"] == metric && alarm["Dimensions"] == *dimensions
    })
}

/// Every queue, its function and its dead letters are watched.
pub(crate) fn every_source_is_watched(template: &Template) -> Complaints {
    let mut complaints = Complaints::default();
    for function in template.functions() {
        for (_, queue) in sources(&function) {
            let by_function = dimension("FunctionName", &json!({ "Ref": function.id }));
            for metric in ["Errors", "Throttles"] {
                let watched = watched(template, "AWS/Lambda", metric, &by_function);
                complaints.unless(watched, format!("nobody watches {metric} of {}", function.id));
            }
            let by_queue =
                |queue: &str| dimension("QueueName", &json!({ "Fn::GetAtt": [queue, "QueueName"] }));
            let oldest = watched(template, "AWS/SQS", "ApproximateAgeOfOldestMessage", &by_queue(queue));
            complaints.unless(oldest, format!("nobody watches how long messages wait in {queue}"));
            let seen = dead_letters(template, queue).is_some_and(|dead| {
                watched(template, "AWS/SQS", "ApproximateNumberOfMessagesVisible", &by_queue(dead))
            });
            complaints.unless(seen, format!("nobody watches the dead letters of {queue}"));
        }
    }
    complaints
}

#[test]
fn every_queue_and_its_function_are_watched() {
    every_source_is_watched(&Template::load()).none();
}

#[test]
fn every_alarm_reaches_somebody_and_means_something() {
    let template = Template::load();
    let alarms = template.all("AWS::CloudWatch::Alarm");
    assert!(!alarms.is_empty());
    for (id, alarm) in alarms {
        assert_eq!(alarm["AlarmActions"]["Fn::If"][1], json!([{"Ref": "AlarmTopicArn"}]), "{id}");
        // Nothing happened is no reason to wake anybody.
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{id}");
        assert!(alarm["AlarmDescription"].as_str().is_some_and(|text| text.ends_with('.')), "{id}");
    }
}

#[test]
fn the_receiver_is_watched_from_all_sides() {
    let template = Template::load();
    let receiver = template.function("events-receive");
    let by_function = dimension("FunctionName", &json!({ "Ref": receiver.id }));
    for metric in ["Errors", "Throttles", "Duration"] {
        assert!(watched(&template, "AWS/Lambda", metric, &by_function), "{metric}");
    }
    let counted = counted(&template, "DeliveriesNotStored");
    assert_eq!(counted, [receiver.properties["LoggingConfig"]["LogGroup"]["Ref"].as_str().unwrap()]);
}

/// Where the lines of a metric of our own come from, after a look at whether somebody hears of it.
fn counted<'a>(template: &'a Template, metric: &str) -> Vec<&'a str> {
    let alarms = template.all("AWS::CloudWatch::Alarm");
    let (_, alarm) = alarms.iter().find(|(_, alarm)| alarm["MetricName"] == metric).unwrap();
    let filters = template.all("AWS::Logs::MetricFilter").into_iter().map(|(_, filter)| filter);
    let filters = filters.filter(|filter| {
        let transformed = &filter["MetricTransformations"][0];
        transformed["MetricName"] == metric && transformed["MetricNamespace"] == alarm["Namespace"]
    });
    filters.map(|filter| filter["LogGroupName"]["Ref"].as_str().unwrap()).collect()
}

#[test]
fn whoever_calls_ringcentral_is_heard_when_it_refuses() {
    let template = Template::load();
    assert_eq!(counted(&template, "ToldToComeLater"), ["ExtensionsLogs", "SubscriptionsLogs"]);
    let callers = ["ExtensionsLogs", "HealthLogs", "RenewLogs", "SubscriptionsLogs"];
    assert_eq!(counted(&template, "CredentialsRefused"), callers);
    // The word that the pattern looks for stands in what is logged.
    let tenant = || "acme".parse().unwrap();
    for error in [
        TokenError::Refused { tenant: tenant(), reason: "invalid_grant".to_owned(), until: None }.to_string(),
        CredentialsError::Unknown { tenant: tenant(), secret: "trunkline/tenants/acme".to_owned() }
            .to_string(),
        CredentialsError::Malformed { tenant: tenant(), reason: "no jwt".to_owned() }.to_string(),
    ] {
        assert!(error.contains("credentials"), "{error}");
    }
    for (id, filter) in template.all("AWS::Logs::MetricFilter") {
        let pattern = filter["FilterPattern"].as_str().unwrap();
        assert!(pattern.starts_with("{ $.target = \"invocation\" && $.status "), "{id}: {pattern}");
        let credentials = filter["MetricTransformations"][0]["MetricName"] == "CredentialsRefused";
        assert_eq!(pattern.contains("$.error = \"*credentials*\""), credentials, "{id}: {pattern}");
    }
}

#[test]
fn the_api_and_its_door_are_watched() {
    let template = Template::load();
    let api = template.all("AWS::ApiGatewayV2::Api")[0].0;
    for metric in ["5xx", "Latency"] {
        assert!(
            watched(&template, "AWS/ApiGateway", metric, &dimension("ApiId", &json!({ "Ref": api }))),
            "{metric}"
        );
    }
    let authorizer = template.function("api-authorizer").id;
    for metric in ["Errors", "Throttles"] {
        let dimensions = dimension("FunctionName", &json!({ "Ref": authorizer }));
        assert!(watched(&template, "AWS/Lambda", metric, &dimensions), "{metric}");
    }
}

#[test]
fn every_function_is_taken_back_by_an_alarm() {
    let template = Template::load();
    for function in template.functions() {
        let preference = &function.properties["DeploymentPreference"];
        assert_eq!(preference["Type"], json!({"Ref": "DeploymentPreference"}), "{}", function.id);
        let alarms = preference["Alarms"].as_array().cloned().unwrap_or_default();
        assert!(!alarms.is_empty(), "{} has no alarm that takes it back", function.id);
        for alarm in alarms {
            let id = alarm["Ref"].as_str().unwrap();
            assert_eq!(
                template.0["Resources"][id]["Type"], "AWS::CloudWatch::Alarm",
                "{}: {id}",
                function.id
            );
        }
    }
}

/// Metric filters see what is logged: a level that drops it would silence the alarm.
#[test]
fn regression_no_log_level_silences_an_alarm() {
    let template = Template::load();
    let levels = &template.0["Parameters"]["LogLevel"]["AllowedValues"];
    assert_eq!(*levels, json!(["TRACE", "DEBUG", "INFO", "WARN"]), "429 is logged at WARN, 5xx at ERROR");
    for (id, filter) in template.all("AWS::Logs::MetricFilter") {
        let pattern = filter["FilterPattern"].as_str().unwrap();
        let loud = ["$.status >= 500", "$.status = 429", "$.status = 503"];
        assert!(loud.iter().any(|loud| pattern.contains(loud)), "{id}: {pattern}");
    }
}
