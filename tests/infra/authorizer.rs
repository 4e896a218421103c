//! The door of the API lets in whom the functions let in, and nobody else.

use std::time::Duration;

use api_authorizer::{Question, Verdict};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use trunkline_http::{Claims, Role, TokenKeySource, TokenKeys};
use trunkline_tests::{Answer, World};

use crate::template::{Template, text};

/// What API Gateway asks about a request with this header.
fn question(authorization: Option<&str>) -> Question {
    let mut question: Value = serde_json::from_str(&text("events/authorizer/allowed.json")).unwrap();
    question["headers"]["authorization"] = authorization.into();
    if authorization.is_none() {
        question["headers"].as_object_mut().unwrap().remove("authorization");
    }
    serde_json::from_value(question).unwrap()
}

#[tokio::test]
async fn its_verdict_is_the_one_the_functions_come_to() {
    let world = World::new().await;
    let context = api_authorizer::Context::new(&world.wiring);
    let bearer = |keys: &TokenKeys, exp| {
        let claims = Claims::new("somebody", "acme".parse().unwrap(), Role::Viewer, exp);
        format!("Bearer {}", keys.issue(&claims).unwrap().expose_secret())
    };
    let ours = world.wiring.secrets().token_keys().await.unwrap();
    let theirs = TokenKeys::hs256("somebody else's".to_owned().into());
    let later = 4_000_000_000;
    let mut seen = [0, 0];
    for header in [
        Some(bearer(&ours, later)),
        Some(bearer(&ours, later).replace("Bearer", "bearer")),
        Some(bearer(&ours, later).replace("Bearer", "Basic")),
        Some(bearer(&ours, 1)),
        Some(bearer(&theirs, later)),
        Some("Bearer".to_owned()),
        Some(String::new()),
        None,
    ] {
        let verdict = api_authorizer::authorize(&context, question(header.as_deref())).await.unwrap();
        let request = world.anonymous("GET", "/api/platform/limits");
        let request = header.iter().fold(request, |request, header| request.header("authorization", header));
        let refused = Answer::of(request).await.status == 401;
        assert_eq!(verdict.is_authorized, !refused, "{header:?}");
        assert_eq!(verdict.context.map(|known| known.tenant), (!refused).then(|| "acme".to_owned()));
        seen[usize::from(refused)] += 1;
    }
    assert_eq!(seen, [2, 6]);
}

/// C66. The verdict is kept for every route, so it must not depend on one; and what it leaves open the functions decide.
#[tokio::test]
async fn a_kept_verdict_opens_no_route_that_a_role_or_an_end_closes() {
    let world = World::new().await;
    let context = api_authorizer::Context::new(&world.wiring);
    let header = format!("Bearer {}", world.token(Role::Viewer));
    let mut verdicts = Vec::new();
    for route in ["GET /api/extensions", "DELETE /api/extensions/{id}"] {
        let mut asked: Value = serde_json::from_str(&text("events/authorizer/allowed.json")).unwrap();
        asked["headers"]["authorization"] = header.as_str().into();
        asked["routeKey"] = route.into();
        asked["routeArn"] =
            format!("arn:aws:execute-api:eu-central-1:123456789012:abc/$default/{route}").into();
        let verdict =
            api_authorizer::authorize(&context, serde_json::from_value(asked).unwrap()).await.unwrap();
        verdicts.push(serde_json::to_value(verdict).unwrap());
    }
    assert_eq!(verdicts[0], verdicts[1]);
    assert_eq!(verdicts[0]["isAuthorized"], json!(true));
    let refused = world.anonymous("DELETE", "/api/extensions/5").header("authorization", &header);
    assert_eq!(Answer::of(refused).await.status, 403);
    // A verdict of five minutes ago was about this token too.
    let claims = Claims::new("somebody", "default".parse().unwrap(), Role::Admin, 1);
    let ended = world.wiring.secrets().token_keys().await.unwrap().issue(&claims).unwrap();
    let ended = world.anonymous("GET", "/api/extensions").bearer_auth(ended.expose_secret());
    assert_eq!(Answer::of(ended).await.status, 401);
    assert_eq!(world.asked_at_all(), 0);
}

/// A refusal would be kept, for a token that may well hold.
#[tokio::test]
async fn what_nobody_can_tell_is_no_refusal() {
    let world = World::new().await;
    let context = api_authorizer::Context::new(&world.wiring);
    let header = format!("Bearer {}", world.token(Role::Admin));
    let secrets = aws_sdk_secretsmanager::Client::new(&world.cloud.sdk);
    secrets.put_secret_value().secret_id("trunkline/auth").secret_string("{}").send().await.unwrap();
    world.time.advance(Duration::from_secs(61));
    assert!(api_authorizer::authorize(&context, question(Some(&header))).await.is_err());
    let answer = world.get("/api/platform/limits").await;
    assert_eq!((answer.status, answer.problem()), (503, "store-unavailable"));
}

#[test]
fn api_gateway_understands_its_verdict() {
    let refused = Verdict { is_authorized: false, context: None };
    assert_eq!(serde_json::to_value(refused).unwrap(), json!({"isAuthorized": false}));
    let known = api_authorizer::Known { tenant: "acme".to_owned() };
    let allowed = Verdict { is_authorized: true, context: Some(known) };
    assert_eq!(
        serde_json::to_value(allowed).unwrap(),
        json!({"isAuthorized": true, "context": {"tenant": "acme"}})
    );
}

#[test]
fn a_verdict_is_kept_under_all_it_depends_on() {
    let template = Template::load();
    let (id, authorizer) = template.all("AWS::ApiGatewayV2::Authorizer")[0];
    assert_eq!(authorizer["AuthorizerType"], "REQUEST");
    assert_eq!(authorizer["AuthorizerPayloadFormatVersion"], "2.0");
    assert_eq!(authorizer["EnableSimpleResponses"], true);
    assert_eq!(authorizer["IdentitySource"], json!(["$request.header.Authorization"]));
    assert_eq!(authorizer["AuthorizerResultTtlInSeconds"], json!({"Ref": "AuthorizerCacheSeconds"}));
    let uri = template.resolved(&authorizer["AuthorizerUri"]);
    assert!(uri.ends_with(":function:trunkline-authorizer:live/invocations"), "{uri}");
    let permissions = template.all("AWS::Lambda::Permission");
    let mut permissions = permissions.iter().map(|(_, permission)| permission);
    let own = permissions.find(|permission| permission["FunctionName"]["Ref"] == "AuthorizerFunction.Alias");
    let source = template.resolved(&own.unwrap()["SourceArn"]);
    assert!(source.ends_with(&format!("/authorizers/{id}")), "{source}");
}

/// The access log is paid by the byte, for each delivery: `trunkline cost` must not count fewer.
#[test]
fn the_line_of_a_delivery_in_the_access_log_has_the_bytes_that_the_bill_says() {
    let template = Template::load();
    let (_, stage) = template.all("AWS::ApiGatewayV2::Stage")[0];
    let mut line = stage["AccessLogSettings"]["Format"].as_str().unwrap().to_owned();
    for (variable, value) in [
        ("$context.requestId", "JkQ2pjMGIAMEPmA="),
        ("$context.identity.sourceIp", "199.255.120.176"),
        ("$context.authorizer.tenant", "-"),
        ("$context.routeKey", "POST /api/webhooks/events/{tenant}/{subscription}"),
        ("$context.status", "200"),
        ("$context.responseLatency", "100"),
        ("$context.authorizer.error", "-"),
        ("$context.integrationErrorMessage", "-"),
    ] {
        assert!(line.contains(variable), "{variable}: {line}");
        line = line.replace(variable, value);
    }
    assert!(!line.contains("$context"), "{line}");
    let told: Value = serde_json::from_str(&line).unwrap();
    // It tells who asked, where there is an authorizer to say so.
    assert_eq!((&told["tenant"], &told["status"]), (&json!("-"), &json!(200)));
    println!("{} bytes: {line}", line.len());
    assert!(line.len() as f64 <= trunkline::LOG_OF_API_GATEWAY * 1_000.0, "{} bytes: {line}", line.len());
}
