//! Hostile requests, each sent twice: on one machine as bytes on a socket, and to the functions as the events that API Gateway
//! makes of it. The answers are the same, and none of them is a 5xx.

use std::collections::BTreeMap;

use edge::{Answer, Event, Routes};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use trunkline_http::Role;
use trunkline_tests::World;

use crate::{
    routes,
    template::{Template, text},
};

/// One request and its answer: the status and the fields that are named.
#[derive(Deserialize)]
struct Hostile {
    send: String,
    #[serde(default)]
    headers: Vec<(String, Option<String>)>,
    body: Option<String>,
    hex: Option<String>,
    /// `socket`, if there is no such event.
    only: Option<String>,
    /// Why there is none, or why the two answers have other words.
    why: Option<String>,
    #[serde(default)]
    answer: String,
}

impl Hostile {
    fn bytes(&self) -> Vec<u8> {
        let hex = self.hex.as_deref().map(|hex| {
            let digits = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            (0..hex.len()).step_by(2).map(digits).collect()
        });
        hex.unwrap_or_else(|| self.body.clone().unwrap_or_default().into_bytes())
    }

    /// Its headers, with what every client sends unless this one says otherwise.
    fn headers(&self, token: &str) -> Vec<(String, String)> {
        let bearer = format!("Bearer {token}");
        let length = self.bytes().len().to_string();
        let mut headers =
            vec![("host", "gateway.example"), ("authorization", &*bearer), ("connection", "close")];
        if self.body.is_some() || self.hex.is_some() {
            headers.push(("content-length", &length));
        }
        headers.retain(|(name, _)| {
            let framed =
                *name == "content-length" && self.headers.iter().any(|(own, _)| own == "transfer-encoding");
            !framed && self.headers.iter().all(|(own, _)| own != name)
        });
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let own = self.headers.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
        headers.chain(own.map(|(name, value)| (name, value.replace("TOKEN", token)))).collect()
    }
}

/// What is compared of an answer.
#[derive(Debug, PartialEq)]
struct Told {
    status: u16,
    kind: String,
    body: Value,
}

impl Told {
    fn of(status: u16, kind: Option<&str>, body: &[u8]) -> Self {
        let mut body: Value =
            serde_json::from_slice(body).unwrap_or_else(|_| json!(String::from_utf8_lossy(body)));
        body.as_object_mut().map(|members| members.remove("ringcentralRequestId"));
        Self { status, kind: kind.unwrap_or_default().to_owned(), body }
    }

    /// The status and the fields that are named.
    fn short(&self) -> String {
        let fields =
            self.body["errors"].as_array().into_iter().flatten().filter_map(|error| error["field"].as_str());
        std::iter::once(self.status.to_string())
            .chain(fields.map(str::to_owned))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// Sends the bytes of a request to a socket and reads until it closes.
async fn by_socket(world: &World, hostile: &Hostile, token: &str) -> Told {
    let mut sent = format!("{} HTTP/1.1\r\n", hostile.send).into_bytes();
    for (name, value) in hostile.headers(token) {
        sent.extend(format!("{name}: {value}\r\n").into_bytes());
    }
    sent.extend(b"\r\n");
    sent.extend(hostile.bytes());
    let mut socket =
        tokio::net::TcpStream::connect(world.url.strip_prefix("http://").unwrap()).await.unwrap();
    socket.write_all(&sent).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let kind = head.lines().find_map(|line| line.strip_prefix("content-type: "));
    Told::of(status, kind, &answer[end + 4..])
}

/// The functions, and the routes that API Gateway chooses them by.
struct Functions {
    by_binary: BTreeMap<&'static str, Routes>,
    receiver: events_receive::Context,
    routes: BTreeMap<String, String>,
}

impl Functions {
    fn of(world: &World) -> Self {
        let wiring = &world.wiring;
        let by_binary = [
            ("api-docs", api_docs::router()),
            ("api-extensions", api_extensions::router(api_extensions::Context::new(wiring))),
            ("api-health", api_health::router(api_health::Context::new(wiring))),
            ("api-platform", api_platform::router(api_platform::Context::new(wiring))),
            ("api-subscriptions", api_subscriptions::router(api_subscriptions::Context::new(wiring))),
        ];
        Self {
            by_binary: by_binary.into_iter().map(|(name, router)| (name, Routes::new(router))).collect(),
            receiver: events_receive::Context::new(wiring),
            routes: routes::routes(&Template::load()),
        }
    }

    /// The route of a path that fits best: names before parameters, and the parameters' values, decoded.
    fn route(&self, method: &str, path: &str) -> Option<(&str, &str, BTreeMap<String, String>)> {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let mut found: Vec<_> = self
            .routes
            .iter()
            .filter_map(|(key, binary)| {
                let (own, pattern) = key.split_once(' ')?;
                let mut parameters = BTreeMap::new();
                let mut segments = path.split('/');
                for part in pattern.split('/') {
                    match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                        Some(name) if name.ends_with('+') => {
                            let rest: Vec<_> = segments.by_ref().map(decoded).collect();
                            parameters.insert(name.trim_end_matches('+').to_owned(), rest.join("/"));
                        }
                        Some(name) => {
                            let value = segments.next().filter(|value| !value.is_empty())?;
                            parameters.insert(name.to_owned(), decoded(value));
                        }
                        None => (segments.next().map(decoded)? == part).then_some(())?,
                    }
                }
                let fits = segments.next().is_none() && (own == "ANY" || own == method);
                fits.then_some((key.as_str(), binary.as_str(), parameters))
            })
            .collect();
        found.sort_by_key(|(key, _, parameters)| (parameters.len(), key.starts_with("ANY")));
        found.into_iter().next()
    }

    /// What API Gateway makes of a request. A path without a route arrives as it would by a function's own URL.
    fn event(&self, hostile: &Hostile, token: &str) -> (Value, &str) {
        let (method, target) = hostile.send.split_once(' ').unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = BTreeMap::<_, String>::new();
        for (name, value) in hostile.headers(token) {
            let joined = headers.entry(name).or_default();
            *joined = if joined.is_empty() { value } else { format!("{joined},{value}") };
        }
        let bytes = hostile.bytes();
        let (body, encoded) = match String::from_utf8(bytes) {
            Ok(text) => (text, false),
            Err(error) => (base64::Engine::encode(&base64::prelude::BASE64_STANDARD, error.as_bytes()), true),
        };
        let route = self.route(method, path);
        let (key, binary, parameters) = route.unwrap_or(("$default", "api-health", BTreeMap::new()));
        let raw = match key {
            "$default" => path.to_owned(),
            _ => percent_decode_str(path).decode_utf8_lossy().into_owned(),
        };
        let event = json!({
            "version": "2.0", "routeKey": key, "rawPath": raw, "rawQueryString": query, "headers": headers,
            "pathParameters": parameters, "body": body, "isBase64Encoded": encoded,
            "requestContext": { "stage": "$default", "http": { "method": method, "path": raw } },
        });
        (event, binary)
    }

    async fn answer(&self, event: &Value, binary: &str) -> Told {
        let request = serde_json::from_value::<Event>(event.clone()).unwrap().request();
        let answer = match self.by_binary.get(binary) {
            Some(routes) => Answer::of(routes.answer(request).await).await,
            None => Answer::of(events_receive::receive(&self.receiver, request).await).await,
        };
        assert!(!answer.is_base64_encoded, "{}", answer.body);
        Told::of(
            answer.status_code,
            answer.headers.get("content-type").map(String::as_str),
            answer.body.as_bytes(),
        )
    }
}

#[tokio::test]
async fn regression_hostile_requests_are_answered_alike_on_lambda_and_on_one_machine() {
    let world = World::new().await;
    let token = world.token(Role::Admin);
    let functions = Functions::of(&world);
    let (mut wrong, mut both) = (Vec::new(), 0);
    for line in text("tests/infra/hostile.ndjson").lines() {
        let hostile: Hostile = serde_json::from_str(line).unwrap();
        let told = by_socket(&world, &hostile, &token).await;
        if told.short() != hostile.answer || told.status >= 500 {
            wrong.push(format!("{line}\n    socket: {} {}", told.short(), told.body));
        }
        if hostile.only.is_some() {
            assert!(hostile.why.is_some(), "{line}");
            continue;
        }
        let (event, binary) = functions.event(&hostile, &token);
        let by_event = functions.answer(&event, binary).await;
        let alike = match hostile.why {
            Some(_) => by_event.short() == told.short(),
            None => by_event == told,
        };
        if !alike {
            wrong.push(format!("{line}\n    socket: {told:?}\n    event:  {by_event:?}"));
        }
        both += 1;
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(both >= 300, "{both}");
}

/// Sends one of the payloads of `events/`, changed.
async fn invoked(world: &World, file: &str, change: impl FnOnce(&mut Value)) -> Told {
    let functions = Functions::of(world);
    let mut event: Value = serde_json::from_str(&text(&format!("events/{file}.json"))).unwrap();
    let route = event["routeKey"].as_str().unwrap().to_owned();
    if event["headers"]["authorization"].is_string() {
        event["headers"]["authorization"] = json!(format!("Bearer {}", world.token(Role::Admin)));
    }
    change(&mut event);
    functions.answer(&event, functions.routes.get(&route).unwrap()).await
}

/// Field case C68, with the payload as it is told there: the route and the path contradict each other.
#[tokio::test]
async fn regression_a_decoded_path_is_never_read_as_a_url() {
    let world = World::new().await;
    let list = world.get("/api/extensions?perPage=1").await.json;
    let id = &list["records"][0]["id"];
    for (path, query, answer) in [
        (format!("/api/extensions/{id}#2"), "", "400 id"),
        (format!("/api/extensions/{id}#2"), "perPage=1", "400 id"),
        (format!("/api/extensions/{id}?x=1"), "", "400 id"),
        (format!("/api/extensions/{id} 2"), "", "400 id"),
        ("/api/extensions/%".to_owned(), "", "400 id"),
        ("/api/extensions/\u{e9}".to_owned(), "", "400 id"),
        ("/api/extensions/../sites".to_owned(), "", "400 path"),
        ("//evil.example/x".to_owned(), "", "404"),
        ("/api/extensions/1/2/3".to_owned(), "", "404"),
        ("/api/extensions".to_owned(), "a=b c", "400 a"),
        ("/api/extensions".to_owned(), "a=%zz", "400 a"),
        ("/api/extensions".to_owned(), "a=#&perPage=0", "400 perPage a"),
    ] {
        let told = invoked(&world, "extensions/list", |event| {
            event["rawPath"] = json!(path);
            event["rawQueryString"] = json!(query);
        });
        let told = told.await;
        assert_eq!(
            (told.short().as_str(), told.kind.as_str()),
            (answer, "application/problem+json"),
            "{path}?{query}"
        );
    }
}

/// Field case C67. `$default` is the stage of the template; with another one everything works alike.
#[tokio::test]
async fn regression_a_stage_with_a_name_changes_nothing() {
    let world = World::new().await;
    for file in ["health/shallow", "extensions/list", "receive/handshake", "receive/forged"] {
        let plain = invoked(&world, file, |_| {}).await;
        for prefix in ["/prod", "/prod/prod", "/v1"] {
            let staged = invoked(&world, file, |event| {
                event["requestContext"]["stage"] = json!("prod");
                event["rawPath"] = json!(format!("{prefix}{}", event["rawPath"].as_str().unwrap()));
            });
            assert_eq!(staged.await, plain, "{prefix} {file}");
        }
    }
}

/// Field case C69.
#[tokio::test]
async fn regression_a_body_in_base64_is_the_body_and_a_broken_one_is_refused() {
    let world = World::new().await;
    let (address, token) = world.signed_address().await;
    let deliver = async |change: fn(&mut Value)| {
        invoked(&world, "receive/delivery", |event| {
            event["rawPath"] = json!(address);
            event["headers"]["verification-token"] = json!(token);
            change(event);
        })
        .await
    };
    let encode = |event: &mut Value| {
        let text = event["body"].as_str().unwrap();
        event["body"] = json!(base64::Engine::encode(&base64::prelude::BASE64_STANDARD, text));
        event["isBase64Encoded"] = json!(true);
    };
    for change in [encode, |_: &mut Value| {}] {
        assert_eq!(deliver(change).await.short(), "200");
    }
    world.dispatch().await;
    assert_eq!(world.events("").await.len(), 1, "both are one event");
    let broken = |event: &mut Value| event["isBase64Encoded"] = json!(true);
    assert_eq!(deliver(broken).await.short(), "400 body");
    let api = invoked(&world, "extensions/create", broken).await;
    assert_eq!((api.short().as_str(), api.kind.as_str()), ("400 body", "application/problem+json"));
}

#[tokio::test]
async fn regression_an_event_that_is_no_request_is_a_400_problem() {
    let world = World::new().await;
    let functions = Functions::of(&world);
    for (change, answer) in [
        (json!({ "requestContext": { "http": { "method": "G T" } } }), "400 method"),
        (json!({ "requestContext": null }), "400 method"),
        (json!({ "headers": { "a b": "c" } }), "400 headers"),
        (json!({ "headers": { "a": "b\r\nc" } }), "400 headers"),
        (json!({ "rawPath": format!("/{}", "x".repeat(70_000)) }), "400 path"),
        (json!({ "rawPath": null, "headers": null, "cookies": null, "body": null }), "404"),
        (json!({ "cookies": ["a=1", "b=\n"] }), "200"),
    ] {
        let mut event: Value = serde_json::from_str(&text("events/health/shallow.json")).unwrap();
        event["routeKey"] = json!("$default");
        event.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let told = functions.answer(&event, "api-health").await;
        assert_eq!(told.short(), answer, "{change}");
        // To the receiver it is no delivery, and it says so as always.
        let told = functions.answer(&event, "events-receive").await;
        assert_eq!((told.status, told.kind.as_str()), (405, "application/json"), "{change}");
    }
}
