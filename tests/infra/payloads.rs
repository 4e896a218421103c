//! The sample invocations in `events/` are what Lambda would send to the function they are filed under.

use std::collections::{BTreeMap, BTreeSet};

use aws_lambda_events::event::{
    apigw::{ApiGatewayV2CustomAuthorizerV2Request, ApiGatewayV2httpRequest},
    sqs::SqsEvent,
};

use crate::{
    functions::crates,
    queues::sources,
    routes,
    schedules::schedules,
    template::{Template, path, text},
    urls::own_urls,
};

/// The door of the API, which is asked about requests to other functions.
const AUTHORIZER: &str = "api-authorizer";
/// What stands in payloads for a token that holds, and for one that does not.
const BEARERS: [&str; 2] = ["Bearer DEV_TOKEN", "Bearer FORGED_TOKEN"];

/// Every payload: the binary it is for and its path.
fn payloads() -> Vec<(String, String)> {
    let binaries: BTreeMap<_, _> = crates()
        .into_iter()
        .map(|(folder, binary)| (folder.rsplit_once('/').unwrap().1.to_owned(), binary))
        .collect();
    let mut payloads = Vec::new();
    for folder in std::fs::read_dir(path("events")).unwrap() {
        let folder = folder.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let binary = binaries.get(&name).unwrap_or_else(|| panic!("events/{name} is for no function"));
        for file in std::fs::read_dir(&folder).unwrap() {
            let file = file.unwrap().file_name();
            payloads.push((binary.clone(), format!("events/{name}/{}", file.to_str().unwrap())));
        }
    }
    let covered: BTreeSet<_> = payloads.iter().map(|(binary, _)| binary).collect();
    assert_eq!(covered, binaries.values().collect(), "functions with payloads, and all functions");
    payloads
}

#[test]
fn every_request_reaches_the_function_it_is_filed_under() {
    let template = Template::load();
    let routes = routes::routes(&template);
    let mut seen = 0;
    for (binary, file) in payloads() {
        let function = template.function(&binary);
        let asked = sources(&function).is_empty() && schedules(&function).is_empty();
        if !asked || binary == AUTHORIZER {
            continue;
        }
        let request: ApiGatewayV2httpRequest =
            serde_json::from_str(&text(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let http = &request.request_context.http;
        assert_eq!(request.version.as_deref(), Some("2.0"), "{file}");
        assert_eq!(request.raw_path, http.path, "{file}");
        match request.route_key.as_deref().unwrap() {
            // A function's own URL knows no routes.
            "$default" => assert!(own_urls(&template).contains(&binary), "{file}"),
            key => {
                let pattern = key.split_once(' ').unwrap().1;
                let chosen = routes::route(&routes, http.method.as_str(), pattern);
                assert_eq!(chosen, Some((key, binary.as_str())), "{file}");
                let filled = pattern.split('/').map(|segment| {
                    let name = segment.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
                    name.map_or(segment, |name| request.path_parameters[name.trim_end_matches('+')].as_str())
                });
                assert_eq!(Some(filled.collect::<Vec<_>>().join("/")), request.raw_path, "{file}");
            }
        }
        let length = request.headers.get("content-length").map(|length| length.to_str().unwrap());
        let body = request.body.as_deref().map_or(0, str::len);
        assert_eq!(length.map_or(0, |length| length.parse().unwrap()), body, "{file}: content-length");
        // As the function's own runtime reads it.
        let request = serde_json::from_str::<edge::Event>(&text(&file)).unwrap().request();
        assert_eq!(request.uri().path(), http.path.as_deref().unwrap(), "{file}");
        seen += 1;
    }
    assert!(seen > 0);
}

#[test]
fn every_batch_is_what_the_queue_carries() {
    let template = Template::load();
    let (mut readable, mut unreadable) = (0, 0);
    for (binary, file) in payloads() {
        let function = template.function(&binary);
        if sources(&function).is_empty() {
            continue;
        }
        let batch: SqsEvent =
            serde_json::from_str(&text(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!((1..=10).contains(&batch.records.len()), "{file}");
        for record in batch.records {
            let id = record.message_id.clone().unwrap();
            assert_eq!(record.event_source.as_deref(), Some("aws:sqs"), "{file}: {id}");
            // Only a delivery that can be read, and whose body is one, is processed.
            let incoming = queues::read(&record).ok();
            let event = incoming.as_ref().and_then(|incoming| events::Envelope::read(&incoming.body).ok());
            match event {
                Some(event) => {
                    assert_ne!(event.kind, events::Kind::Unknown, "{file}: {id}");
                    readable += 1;
                }
                None => {
                    assert!(file.ends_with("/unreadable.json"), "{file}: {id} can't be read");
                    unreadable += 1;
                }
            }
        }
    }
    assert!(readable > 0 && unreadable > 0);
}

/// What EventBridge Scheduler hands over when a schedule says nothing else.
#[test]
fn every_schedule_hands_over_what_it_says_of_itself() {
    let template = Template::load();
    let mut seen = 0;
    for (binary, file) in payloads() {
        let function = template.function(&binary);
        for (name, schedule) in schedules(&function) {
            assert!(schedule["Input"].is_null(), "{name}");
            let event: serde_json::Value = serde_json::from_str(&text(&file)).unwrap();
            assert_eq!(event["source"], "aws.scheduler", "{file}");
            assert_eq!(event["detail-type"], "Scheduled Event", "{file}");
            let by = event["resources"][0].as_str().unwrap();
            assert!(by.ends_with(&format!("/{}", template.resolved(&schedule["Name"]))), "{file}: {by}");
            seen += 1;
        }
    }
    assert!(seen > 0);
}

#[test]
fn every_question_is_about_a_secured_route() {
    let template = Template::load();
    let secured: BTreeSet<_> = template
        .all("AWS::ApiGatewayV2::Route")
        .into_iter()
        .filter(|(_, route)| route["AuthorizerId"]["Ref"] == "Authorizer")
        .map(|(_, route)| route["RouteKey"].as_str().unwrap().to_owned())
        .collect();
    let mut seen = BTreeSet::new();
    for (_, file) in payloads().into_iter().filter(|(binary, _)| binary == AUTHORIZER) {
        let question: ApiGatewayV2CustomAuthorizerV2Request =
            serde_json::from_str(&text(&file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let key = question.route_key.unwrap();
        assert!(secured.contains(&key), "{file}: nobody is asked about {key}");
        assert_eq!(question.request_context.route_key.as_ref(), Some(&key), "{file}");
        assert_eq!(question.request_context.http.path, question.raw_path, "{file}");
        let source = question.identity_source.unwrap();
        assert_eq!(source, [question.headers["authorization"].to_str().unwrap()], "{file}");
        seen.extend(source);
    }
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), BEARERS);
}

#[test]
fn no_payload_holds_a_token() {
    for (_, file) in payloads() {
        let payload: serde_json::Value = serde_json::from_str(&text(&file)).unwrap();
        let headers = &payload["headers"];
        let bearer = headers["authorization"].as_str().unwrap_or(BEARERS[0]);
        assert!(BEARERS.contains(&bearer), "{file}");
        let verification = headers["verification-token"].as_str().unwrap_or("VERIFICATION_TOKEN");
        let forged = "0".repeat(64);
        assert!(["VERIFICATION_TOKEN", forged.as_str()].contains(&verification), "{file}");
    }
}
