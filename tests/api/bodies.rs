//! Bodies that are nearly right: everything wrong is told at once, in plain words, and nothing of what they hold.

use serde_json::{Value, json};
use trunkline_tests::{Answer, World};

/// What a field may be of the wrong type.
fn kinds() -> [Value; 6] {
    [
        json!("s3cr3t"),
        json!(-77_001.5),
        json!(true),
        json!(["s3cr3t"]),
        json!({"s3cr3t": "s3cr3t"}),
        json!(1e20),
    ]
}

/// Whether a value is of the type that a field wants.
type Takes = fn(&Value) -> bool;

/// Method, path, a body that is right, and each field as a JSON pointer with what it takes.
type Model = (&'static str, &'static str, Value, &'static [(&'static str, Takes)]);

fn models() -> Vec<Model> {
    let contact = json!({"firstName": "A", "lastName": "B", "email": "a@example.com"});
    vec![
        (
            "POST",
            "/api/extensions",
            json!({"type": "User", "status": "Enabled", "extensionNumber": "7001", "contact": contact}),
            &[
                ("/extensionNumber", Value::is_string),
                ("/type", Value::is_string),
                ("/status", Value::is_string),
                ("/contact/firstName", Value::is_string),
                ("/contact/lastName", Value::is_string),
                ("/contact/email", Value::is_string),
                ("/contact", Value::is_object),
            ],
        ),
        (
            "PUT",
            "/api/extensions/5",
            json!({"status": "Enabled", "extensionNumber": "7001", "contact": contact}),
            &[
                ("/extensionNumber", Value::is_string),
                ("/status", Value::is_string),
                ("/contact/email", Value::is_string),
                ("/contact", Value::is_object),
            ],
        ),
        (
            "PUT",
            "/api/extensions/5/number",
            json!({"extensionNumber": "7001"}),
            &[("/extensionNumber", Value::is_string)],
        ),
        (
            "POST",
            "/api/sites",
            json!({"name": "A", "extensionNumber": "7001", "email": "a@example.com"}),
            &[
                ("/name", Value::is_string),
                ("/extensionNumber", Value::is_string),
                ("/email", Value::is_string),
            ],
        ),
        (
            "POST",
            "/api/webhooks/subscriptions",
            json!({
                "eventFilters": ["/restapi/v1.0/account/~/presence"], "expiresIn": 60,
                "deliveryMode": {"transportType": "WebHook", "encryption": false}
            }),
            &[
                ("/eventFilters/0", Value::is_string),
                ("/expiresIn", Value::is_i64),
                ("/deliveryMode/transportType", Value::is_string),
                ("/deliveryMode/address", Value::is_string),
                ("/deliveryMode/encryption", Value::is_boolean),
                ("/deliveryMode", Value::is_object),
                ("/eventFilters", Value::is_array),
            ],
        ),
        (
            "POST",
            "/api/webhooks/subscriptions/5/renew",
            json!({"expiresIn": 60}),
            &[("/expiresIn", Value::is_i64)],
        ),
    ]
}

/// A pointer as the API writes a path.
fn path(pointer: &str) -> String {
    pointer[1..].replace("/0", "[0]").replace('/', ".")
}

fn put(body: &mut Value, pointer: &str, value: Value) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap();
    match name.parse::<usize>() {
        Ok(index) => parent[index] = value,
        Err(_) => parent[name] = value,
    }
}

/// A refusal in our own words: none of serde's, no place in the text, nothing of the body.
fn plain(answer: &Answer) {
    assert_eq!((answer.status, answer.problem()), (400, "invalid-request"), "{answer:?}");
    for word in
        ["invalid type", "expected", "line ", "column", "u32", "i64", "missing field", "s3cr3t", "77001"]
    {
        assert!(!answer.text.contains(word), "{word}: {}", answer.text);
    }
}

#[tokio::test]
async fn regression_every_wrong_type_is_named_by_its_path_in_plain_words() {
    let world = World::new().await;
    for (method, route, right, fields) in models() {
        for (pointer, takes) in fields {
            for value in kinds().into_iter().filter(|value| !takes(value)) {
                let mut body = right.clone();
                put(&mut body, pointer, value);
                let answer = world.send(method, route, &body).await;
                plain(&answer);
                let named = answer.json["errors"].as_array().unwrap();
                let ours: Vec<_> = named.iter().filter(|error| error["field"] == path(pointer)).collect();
                assert_eq!(ours.len(), 1, "{pointer} in {body}: {}", answer.text);
                assert!(ours[0]["reason"].as_str().unwrap().starts_with("must be "), "{}", answer.text);
            }
        }
    }
    assert_eq!(world.asked_at_all(), 0);
}

#[tokio::test]
async fn regression_everything_wrong_is_told_at_once() {
    let world = World::new().await;
    for (method, route, right, fields) in models() {
        let mut body = right.clone();
        // Of a field and what is inside of it only one can be wrong.
        let inner: Vec<_> = fields
            .iter()
            .filter(|(pointer, _)| !fields.iter().any(|(other, _)| other.starts_with(&format!("{pointer}/"))))
            .collect();
        for (pointer, takes) in &inner {
            put(&mut body, pointer, kinds().into_iter().find(|value| !takes(value)).unwrap());
        }
        let answer = world.send(method, route, &body).await;
        plain(&answer);
        for (pointer, _) in &inner {
            assert!(answer.fields().contains(&&*path(pointer)), "{pointer} in {body}: {}", answer.text);
        }
    }
    // Types, values, places and names, all in one.
    let body = json!({
        "extensionNumber": 7103.5, "type": "Robot", "contact": {"firstName": 5, "email": "nobody"}, "statuss": "Enabled"
    });
    let answer = world.send("POST", "/api/extensions", &body).await;
    plain(&answer);
    let mut fields = answer.fields();
    fields.sort_unstable();
    assert_eq!(fields, ["contact.email", "contact.firstName", "extensionNumber", "statuss", "type"]);
    let body = json!({
        "eventFilters": 5, "surprise": 1,
        "deliveryMode": {"transportType": "WebHook", "address": "https://crm.example/hook", "verificationToken": "s3cr3t", "secret": 1}
    });
    let answer = world.send("POST", "/api/webhooks/subscriptions", &body).await;
    plain(&answer);
    let mut fields = answer.fields();
    fields.sort_unstable();
    let all = [
        "deliveryMode.address",
        "deliveryMode.secret",
        "deliveryMode.verificationToken",
        "eventFilters",
        "surprise",
    ];
    assert_eq!(fields, all);
}

#[tokio::test]
async fn regression_a_password_in_the_wrong_place_comes_back_nowhere() {
    // C33.
    let world = World::new().await;
    let secret = "Kiln-Ferry-5521!";
    for body in [
        json!({"contact": {"firstName": {"password": secret}, "email": secret}, "password": secret}),
        json!({"contact": secret, "extensionNumber": secret, "type": secret, "status": secret}),
        json!(secret),
    ] {
        for _ in 0..2 {
            let request =
                world.request("POST", "/api/extensions").header("idempotency-key", "b-1").json(&body);
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, 400, "{answer:?}");
            assert!(!answer.text.contains(secret), "{}", answer.text);
            assert_eq!(answer.header("idempotency-replayed"), "", "nothing is kept under the key");
        }
    }
    let broken = format!(r#"{{"contact": {{"email": "a@example.com"}}, "password": "{secret}" "x"}}"#);
    let request = world.request("POST", "/api/extensions").header("content-type", "application/json");
    let answer = Answer::of(request.body(broken)).await;
    plain(&answer);
    assert!(!answer.text.contains(secret), "{}", answer.text);
}

#[tokio::test]
async fn regression_short_numbers_and_ids_may_be_json_numbers() {
    // C25.
    let world = World::new().await;
    let contact = json!({"firstName": "Ida", "email": "ida@example.com"});
    let harbour = world.send("POST", "/api/sites", &json!({"name": "Harbour"})).await;
    let site: u64 = harbour.json["id"].as_str().unwrap().parse().unwrap();
    let new =
        json!({"extensionNumber": 7025, "contact": contact, "site": {"id": site}, "roles": [{"id": 2}]});
    let made = world.send("POST", "/api/extensions", &new).await;
    assert_eq!((made.status, &made.json["extensionNumber"]), (201, &json!("7025")), "{made:?}");
    let ids = (&made.json["site"]["id"], &made.json["roles"][0]["id"]);
    assert_eq!(ids, (&json!(site.to_string()), &json!("2")), "{made:?}");
    let path = format!("/api/extensions/{}", made.json["id"]);
    let changed = world.send("PUT", &path, &json!({"extensionNumber": 7026})).await;
    assert_eq!((changed.status, &changed.json["extensionNumber"]), (200, &json!("7026")), "{changed:?}");
    let renumbered = world.send("PUT", &format!("{path}/number"), &json!({"extensionNumber": 7027})).await;
    assert_eq!(
        (renumbered.status, &renumbered.json["extensionNumber"]),
        (200, &json!("7027")),
        "{renumbered:?}"
    );
    let site = world.send("POST", "/api/sites", &json!({"name": "Perth", "extensionNumber": 7030})).await;
    assert_eq!((site.status, &site.json["extensionNumber"]), (201, &json!("7030")), "{site:?}");
    for number in ["7025.5", "-7", "1e3", "7025.0", "123456789", "true"] {
        for (method, path) in [
            ("POST", "/api/extensions"),
            ("PUT", &*path),
            ("PUT", &format!("{path}/number")),
            ("POST", "/api/sites"),
        ] {
            let body = format!(r#"{{"extensionNumber": {number}, "name": "A", "contact": {contact}}}"#);
            let request = world.request(method, path).header("content-type", "application/json").body(body);
            let answer = Answer::of(request).await;
            assert_eq!(answer.status, 400, "{number}: {answer:?}");
            assert!(answer.fields().contains(&"extensionNumber"), "{number}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn regression_a_slip_in_the_name_of_a_field_is_told() {
    // C29, and what RingCentral drops without a word.
    let world = World::new().await;
    let contact = json!({"firstName": "Ida", "email": "ida@example.com"});
    for (method, path, body, field, meant) in [
        ("PUT", "/api/extensions/5", json!({"statuss": "Disabled"}), "statuss", "status"),
        (
            "PUT",
            "/api/extensions/5",
            json!({"contact": {"first_name": "A"}}),
            "contact.first_name",
            "firstName",
        ),
        ("POST", "/api/extensions", json!({"contact": contact, "pasword": "x"}), "pasword", "password"),
        ("POST", "/api/sites", json!({"name": "Perth", "siteCode": "62"}), "siteCode", "code"),
        ("POST", "/api/sites", json!({"name": "Perth", "callerIDName": "P"}), "callerIDName", "callerIdName"),
    ] {
        let answer = world.send(method, path, &body).await;
        plain(&answer);
        assert_eq!(answer.fields(), [field], "{answer:?}");
        assert!(answer.text.contains(&format!("; {meant} is")), "{answer:?}");
    }
    assert_eq!(world.asked_at_all(), 0);
    // What is no slip is passed on.
    let site = json!({"name": "Perth", "code": "61", "foo": 1});
    let made = world.send("POST", "/api/sites", &site).await;
    assert_eq!((made.status, &made.json["code"]), (201, &json!("61")), "{made:?}");
}

#[tokio::test]
async fn regression_a_field_that_is_there_twice_is_named() {
    let world = World::new().await;
    for (body, field) in [
        (r#"{"status": "Enabled", "status": "Disabled"}"#, "status"),
        (r#"{"contact": {"email": "a@example.com", "email": "b@example.com"}}"#, "contact.email"),
        (r#"{"customFields": [{"value": 1, "value": 2}]}"#, "customFields[0].value"),
    ] {
        let request = world.request("PUT", "/api/extensions/5").header("content-type", "application/json");
        let answer = Answer::of(request.body(body)).await;
        plain(&answer);
        assert_eq!(answer.fields(), [field], "{answer:?}");
    }
}

#[tokio::test]
async fn regression_bodies_in_another_coding_are_told_which() {
    let world = World::new().await;
    let send = |headers: &[(&str, &str)], body: &[u8]| {
        let mut request = world.request("PUT", "/api/extensions/5");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request.body(body.to_vec()))
    };
    let json = ("content-type", "application/json");
    for headers in [&[json, ("content-encoding", "gzip")][..], &[json]] {
        let packed = send(headers, b"\x1f\x8b\x08\0").await;
        assert_eq!((packed.status, packed.fields()), (415, vec!["Content-Encoding"]), "{packed:?}");
        assert_eq!(packed.header("accept-encoding"), "identity");
    }
    let charset = send(&[("content-type", "application/json; charset=utf-16")], b"{}").await;
    assert_eq!((charset.status, charset.fields()), (415, vec!["Content-Type"]), "{charset:?}");
    for (body, reason) in [
        (&b"\xef\xbb\xbf{}"[..], "must not begin with a byte order mark"),
        (b"\xff\xfe{\0}\0", "must be UTF-8, not UTF-16"),
        (b"{\0}\0", "must be UTF-8, not UTF-16"),
        (b"{\"a\":\"\xff\"}", "must be UTF-8"),
        (b" ", "must be a JSON object, and is empty"),
        (b"{\"a\":", "must be a JSON object, and breaks off"),
        (b"{a:1}", "must be a JSON object, and is not well-formed"),
        (b"{}}", "must be a JSON object, and is not well-formed"),
        (b"[]", "must be a JSON object"),
    ] {
        let answer = send(&[json], body).await;
        plain(&answer);
        assert_eq!(answer.json["errors"], json!([{"field": "body", "reason": reason}]), "{answer:?}");
    }
    assert_eq!(world.asked_at_all(), 0);
}
