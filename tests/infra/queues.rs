//! Every queue that wakes a function has a place for what can't be processed, and time enough for what can.

use serde_json::Value;

use crate::{
    complaints::Complaints,
    statement::matches,
    template::{Function, Template},
};

/// Two weeks, in seconds: the longest SQS keeps anything.
pub(crate) const LONGEST: u64 = 14 * 86_400;

/// The events of a function that are queues: the event and the id of its queue.
pub(crate) fn sources(function: &Function) -> Vec<(&Value, &str)> {
    let queues = events(function).filter(|(_, event)| event["Type"] == "SQS");
    let queues = queues.map(|(_, event)| &event["Properties"]);
    queues.map(|event| (event, event["Queue"]["Fn::GetAtt"][0].as_str().unwrap())).collect()
}

/// Whatever wakes a function but the API.
pub(crate) fn events(function: &Function) -> impl Iterator<Item = (&String, &Value)> {
    function.properties["Events"].as_object().into_iter().flatten()
}

/// The queue that takes what this queue's function can't process.
pub(crate) fn dead_letters<'a>(template: &'a Template, queue: &str) -> Option<&'a str> {
    template.properties(queue)["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0].as_str()
}

/// A batch is not handed out again while it is worked on.
pub(crate) fn hidden_long_enough(template: &Template) -> Complaints {
    let mut complaints = Complaints::default();
    for function in template.functions() {
        for (event, queue) in sources(&function) {
            let timeout = function.properties["Timeout"].as_u64().unwrap();
            let window = event["MaximumBatchingWindowInSeconds"].as_u64().unwrap_or(0);
            let hidden = template.properties(queue)["VisibilityTimeout"].as_u64().unwrap_or(30);
            let complaint = format!("{queue} hides for {hidden} s, {} runs {timeout} s", function.id);
            complaints.unless(hidden >= 6 * timeout + window, complaint);
        }
    }
    complaints
}

/// One record never decides about its batch, and no queue about how busy its function gets.
pub(crate) fn each_record_for_itself(template: &Template) -> Complaints {
    let mut complaints = Complaints::default();
    for function in template.functions() {
        for (event, queue) in sources(&function) {
            let mut require =
                |holds, what| complaints.unless(holds, format!("{} reads {queue} {what}", function.id));
            let responses = event["FunctionResponseTypes"].as_array().cloned().unwrap_or_default();
            require(responses.contains(&"ReportBatchItemFailures".into()), "without ReportBatchItemFailures");
            let most = event["ScalingConfig"].get("MaximumConcurrency").map(|most| template.resolved(most));
            let most = most.and_then(|most| most.parse::<u32>().ok());
            require(most.is_some_and(|most| (2..=1_000).contains(&most)), "without a MaximumConcurrency");
            require(event["BatchSize"].as_u64().is_some_and(|size| size <= 10), "in larger batches than ten");
        }
    }
    complaints
}

/// What can't be processed is kept, for as long as SQS keeps anything.
pub(crate) fn nothing_is_given_up_silently(template: &Template) -> Complaints {
    let mut complaints = Complaints::default();
    for function in template.functions() {
        for (name, event) in events(&function) {
            let known = event["Type"] == "SQS" || event["Properties"]["DeadLetterConfig"].is_object();
            complaints
                .unless(known, format!("{} is woken by {name}, which has no dead letters", function.id));
        }
        for (_, queue) in sources(&function) {
            let properties = template.properties(queue);
            let Some(dead) = dead_letters(template, queue) else {
                complaints.unless(false, format!("{queue} has no dead letters"));
                continue;
            };
            let receives = &properties["RedrivePolicy"]["maxReceiveCount"];
            complaints.unless(receives == 5, format!("{queue} gives up after {receives}"));
            let dead = template.properties(dead);
            complaints.unless(
                dead["MessageRetentionPeriod"] == LONGEST,
                format!("the dead letters of {queue} end too early"),
            );
            // A message keeps its age when it moves.
            let kept = properties["MessageRetentionPeriod"].as_u64().unwrap_or_default();
            let lasting = (1..=LONGEST / 2).contains(&kept);
            complaints.unless(lasting, format!("messages of {queue} end as they become dead letters"));
            complaints.unless(
                dead["RedrivePolicy"].is_null(),
                format!("the dead letters of {queue} go on somewhere"),
            );
        }
    }
    complaints
}

/// Lambda cuts loops after sixteen rounds, unless a function that goes round on purpose says so; the others must not say it.
pub(crate) fn only_who_goes_round_says_so(template: &Template) -> Complaints {
    let mut complaints = Complaints::default();
    for function in template.functions() {
        let statements = template.statements(function.role());
        let round = sources(&function).into_iter().any(|(event, _)| {
            let queue = template.resolved(&event["Queue"]);
            let sends = |action: &String| action == "sqs:SendMessage";
            statements.iter().any(|statement| {
                statement.actions.iter().any(sends)
                    && statement.resources.iter().any(|resource| matches(resource, &queue))
            })
        });
        let allowed = function.properties["RecursiveLoop"] == "Allow";
        complaints.unless(
            round == allowed,
            format!("{}: RecursiveLoop is not what its permissions say", function.id),
        );
    }
    complaints
}

#[test]
fn a_batch_is_not_handed_out_again_while_it_is_worked_on() {
    let template = Template::load();
    assert!(template.functions().iter().any(|function| !sources(function).is_empty()));
    hidden_long_enough(&template).none();
}

#[test]
fn one_record_never_decides_about_its_batch() {
    each_record_for_itself(&Template::load()).none();
}

#[test]
fn what_can_not_be_processed_is_kept_for_two_weeks() {
    nothing_is_given_up_silently(&Template::load()).none();
}

/// Groups keep one tenant from crowding out the others only as long as nothing is kept in order.
#[test]
fn queues_are_fair_not_in_order() {
    let template = Template::load();
    for (id, queue) in template.all("AWS::SQS::Queue") {
        assert!(queue["FifoQueue"].is_null(), "{id}");
        assert!(!template.resolved(&queue["QueueName"]).ends_with(".fifo"), "{id}");
    }
}

#[test]
fn a_function_that_wakes_itself_says_so() {
    only_who_goes_round_says_so(&Template::load()).none();
}
