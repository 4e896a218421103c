//! The dashboards show what there is: metrics of resources that exist, fields that the functions write, every alarm.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::template::{Template, text};

/// Words of a query that are no fields.
const WORDS: [&str; 17] = [
    "filter",
    "stats",
    "count",
    "sum",
    "avg",
    "min",
    "as",
    "by",
    "bin",
    "m",
    "sort",
    "desc",
    "limit",
    "like",
    "and",
    "ispresent",
    "target",
];

/// The widgets of a dashboard, as CloudWatch would get them.
fn widgets(dashboard: &str) -> Vec<Value> {
    let template = Template::of("infra/dashboards.yaml");
    let body = template.properties(dashboard)["DashboardBody"]["Fn::Sub"].as_str().unwrap();
    let body = body
        .replace("${Name}", "trunkline")
        .replace("${ApiId}", "HttpApi")
        .replace("${AWS::Region}", embedded_aws::REGION)
        .replace("${Alarms}", "arn:1\",\"arn:2");
    assert!(!body.contains("${"), "{dashboard} has a parameter that is not filled in");
    let body: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{dashboard}: {error}"));
    body["widgets"].as_array().unwrap().clone()
}

/// Every metric of these widgets: its namespace, and the dimension it is looked at by.
fn metrics(widgets: &[Value]) -> Vec<(String, String, String)> {
    let metrics = widgets.iter().flat_map(|widget| widget["properties"]["metrics"].as_array()).flatten();
    let part = |metric: &Value, index: usize| metric[index].as_str().unwrap().to_owned();
    metrics.map(|metric| (part(metric, 0), part(metric, 2), part(metric, 3))).collect()
}

/// What metrics can be of: the names of the deployment's resources.
fn existing(template: &Template) -> BTreeSet<(String, String, String)> {
    let mut all = BTreeSet::from([("AWS/ApiGateway".to_owned(), "ApiId".to_owned(), "HttpApi".to_owned())]);
    for (kind, namespace, dimension) in [
        ("AWS::Serverless::Function", "AWS/Lambda", "FunctionName"),
        ("AWS::SQS::Queue", "AWS/SQS", "QueueName"),
        ("AWS::DynamoDB::Table", "AWS/DynamoDB", "TableName"),
    ] {
        for (_, properties) in template.all(kind) {
            let name = template.resolved(&properties[dimension]);
            all.insert((namespace.to_owned(), dimension.to_owned(), name));
        }
    }
    all
}

#[test]
fn metrics_are_of_what_there_is_and_all_of_it() {
    let existing = existing(&Template::load());
    let shown: BTreeSet<_> = metrics(&widgets("ResourcesDashboard")).into_iter().collect();
    assert_eq!(shown, existing, "shown, and deployed");
    for metric in metrics(&widgets("BusinessDashboard")) {
        assert!(existing.contains(&metric), "{metric:?}");
    }
}

#[test]
fn queries_read_logs_and_fields_that_are_written() {
    let template = Template::load();
    let groups: BTreeSet<_> = template
        .all("AWS::Logs::LogGroup")
        .into_iter()
        .map(|(_, group)| template.resolved(&group["LogGroupName"]))
        .collect();
    let source = text("shared/telemetry/src/invocation.rs");
    let event = source.split_once("tracing::$level!(").unwrap().1.split_once(");").unwrap().0;
    let fields: BTreeSet<_> = event
        .lines()
        .filter_map(|line| line.trim().trim_end_matches(',').split(" = ").next())
        .filter(|field| !field.is_empty() && !field.contains('"'))
        .collect();
    let mut queries = 0;
    for widget in widgets("BusinessDashboard") {
        let Some(query) = widget["properties"]["query"].as_str() else { continue };
        let (sources, commands): (Vec<_>, Vec<_>) =
            query.split(" | ").partition(|command| command.starts_with("SOURCE"));
        for source in sources {
            let group = source.trim_start_matches("SOURCE ").trim_matches('\'');
            assert!(groups.contains(group), "{group} is no log group: {query}");
        }
        let commands = commands.join(" ").replace("'invocation'", "").replace("/credentials/", "");
        let words: Vec<_> = commands
            .split(|c: char| !(c.is_ascii_lowercase() || "._".contains(c)))
            .filter(|word| !word.is_empty())
            .collect();
        let named: BTreeSet<_> =
            words.windows(2).filter(|pair| pair[0] == "as").map(|pair| pair[1]).collect();
        for word in words {
            let known = WORDS.contains(&word) || named.contains(word) || fields.contains(word);
            assert!(known, "{word} is no field of the functions' events: {query}");
        }
        queries += 1;
    }
    assert!(queries > 0);
}

#[test]
fn every_alarm_is_shown() {
    let template = Template::load();
    let (_, stack) = template.all("AWS::CloudFormation::Stack")[0];
    assert_eq!(stack["TemplateURL"], "infra/dashboards.yaml");
    let join = &stack["Parameters"]["Alarms"]["Fn::Join"];
    assert_eq!(join[0], "\",\"");
    let shown: BTreeSet<_> = join[1]
        .as_array()
        .unwrap()
        .iter()
        .map(|arn| arn.get("Fn::If").map_or(arn, |parts| &parts[1]))
        .map(|arn| arn["Fn::GetAtt"][0].as_str().unwrap())
        .collect();
    let all: BTreeSet<_> = template.all("AWS::CloudWatch::Alarm").into_iter().map(|(id, _)| id).collect();
    assert_eq!(shown, all);
    assert_eq!(widgets("ResourcesDashboard")[0]["properties"]["alarms"], json!(["arn:1", "arn:2"]));
}

#[test]
fn widgets_do_not_lie_on_each_other() {
    for dashboard in ["BusinessDashboard", "ResourcesDashboard"] {
        let mut taken = BTreeSet::new();
        for widget in widgets(dashboard) {
            let at = |side: &str| widget[side].as_u64().unwrap();
            assert!(at("x") + at("width") <= 24, "{dashboard}: {}", widget["properties"]["title"]);
            for x in at("x")..at("x") + at("width") {
                for y in at("y")..at("y") + at("height") {
                    assert!(
                        taken.insert((x, y)),
                        "{dashboard}: {} at {x}, {y}",
                        widget["properties"]["title"]
                    );
                }
            }
        }
    }
}
