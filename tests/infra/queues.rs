//! Every queue that wakes a function has a place for what can't be processed, and time enough for what can.

use serde_json::Value;

use crate::template::{Function, Template};

/// The events of a function that are queues: the event and the id of its queue.
pub(crate) fn sources(function: &Function) -> Vec<(&Value, &str)> {
    let events = function.properties["Events"].as_object().into_iter().flat_map(|events| events.values());
    let queues = events.filter(|event| event["Type"] == "SQS").map(|event| &event["Properties"]);
    queues.map(|event| (event, event["Queue"]["Fn::GetAtt"][0].as_str().unwrap())).collect()
}

#[test]
fn a_batch_is_not_handed_out_again_while_it_is_worked_on() {
    let template = Template::load();
    let mut seen = 0;
    for function in template.functions() {
        for (event, queue) in sources(&function) {
            let timeout = function.properties["Timeout"].as_u64().unwrap();
            let window = event["MaximumBatchingWindowInSeconds"].as_u64().unwrap_or(0);
            let hidden = template.properties(queue)["VisibilityTimeout"].as_u64().unwrap_or(30);
            assert!(
                hidden >= 6 * timeout + window,
                "{queue} hides for {hidden} s, {} runs {timeout} s",
                function.id
            );
            seen += 1;
        }
    }
    assert!(seen > 0, "no queue wakes a function");
}

#[test]
fn one_record_never_decides_about_its_batch() {
    let template = Template::load();
    for function in template.functions() {
        for (event, queue) in sources(&function) {
            let responses = event["FunctionResponseTypes"].as_array().cloned().unwrap_or_default();
            assert!(responses.contains(&"ReportBatchItemFailures".into()), "{} reads {queue}", function.id);
            let most =
                template.resolved(&event["ScalingConfig"]["MaximumConcurrency"]).parse::<u32>().unwrap();
            assert!((2..=1_000).contains(&most), "{} reads {queue} {most} at once", function.id);
            assert!(event["BatchSize"].as_u64().is_some_and(|size| size <= 10), "{}", function.id);
        }
    }
}

#[test]
fn what_can_not_be_processed_is_kept_for_two_weeks() {
    let template = Template::load();
    for function in template.functions() {
        for (_, queue) in sources(&function) {
            let properties = template.properties(queue);
            let redrive = &properties["RedrivePolicy"];
            assert_eq!(redrive["maxReceiveCount"], 5, "{queue}");
            let dead = redrive["deadLetterTargetArn"]["Fn::GetAtt"][0].as_str();
            let dead = dead.unwrap_or_else(|| panic!("{queue} has no dead letters"));
            let dead = template.properties(dead);
            assert_eq!(dead["MessageRetentionPeriod"], 14 * 86_400, "{queue}");
            // A message keeps its age when it moves.
            let kept = properties["MessageRetentionPeriod"].as_u64().unwrap();
            assert!(
                kept <= 7 * 86_400,
                "{queue} keeps messages so long that they end as they become dead letters"
            );
            assert!(dead["RedrivePolicy"].is_null(), "dead letters go nowhere else");
        }
    }
}
