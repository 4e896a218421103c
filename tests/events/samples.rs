//! Events that nobody here wrote: RingCentral's own samples, where they are at hand, and a few of each shape.

use std::collections::BTreeSet;

use events::Envelope;
use serde_json::json;
use trunkline::TENANT;
use trunkline_tests::{Answer, World};

#[tokio::test]
async fn every_shape_is_accepted_and_readable_afterwards() {
    let world = World::new().await;
    let mut samples: Vec<(String, String)> = [
        json!({"uuid": "a", "subscriptionId": "s", "event": "/restapi/v1.0/account/1/telephony/sessions",
            "timestamp": "2026-11-20T08:00:00.000+0000", "body": {"telephonySessionId": "s-1", "sequence": 1}}),
        json!({"uuid": 1_823_485_288_313_944_239_u64, "event": "/restapi/v1.0/account/~/directory/entries", "body": []}),
        json!({"pn_apns": {"uuid": "b", "event": "/restapi/v1.0/account/1/extension/2/telephony/sessions", "body": {}}}),
        json!({"text": "\u{ffff} needs an encoding"}),
        json!({}),
    ]
    .iter()
    .enumerate()
    .map(|(index, sample)| (format!("our own {index}"), sample.to_string()))
    .collect();
    // Set by the project's CI where RingCentral's samples lie beside the checkout.
    if let Ok(folder) = std::env::var("RINGCENTRAL_SAMPLES") {
        let files: Vec<_> = std::fs::read_dir(format!("{folder}/events")).unwrap().collect();
        assert!(files.len() >= 20, "{} samples", files.len());
        for file in files {
            let path = file.unwrap().path();
            samples.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
    let (path, token) = world.signed_address().await;
    for (name, sample) in &samples {
        let request =
            world.anonymous("POST", &path).header("verification-token", &token).body(sample.clone());
        assert_eq!(Answer::of(request).await.status, 200, "{name}");
    }
    world.dispatch().await;
    let events = world.events("").await;
    let mut keys = BTreeSet::new();
    for (name, sample) in &samples {
        let key = Envelope::read(sample).unwrap().key(&TENANT.parse().unwrap(), sample);
        assert!(events.iter().any(|event| event["id"] == *key), "{name} can't be read back");
        keys.insert(key);
    }
    // Some of RingCentral's samples are one event, written down twice with the same ids.
    assert_eq!(events.len(), keys.len());
    assert!(keys.len() + 2 >= samples.len(), "{} of {}", keys.len(), samples.len());
    if std::env::var("RINGCENTRAL_SAMPLES").is_ok() {
        let unknown: Vec<_> = events.iter().filter(|event| event["kind"] == "unknown").collect();
        assert!(unknown.len() <= 3, "only our own shapes have no kind: {unknown:?}");
    }
}
