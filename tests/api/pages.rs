//! Long lists, read to their end below HTTP.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use ringcentral::{Request, operations::READ_COMPANY_CALL_LOG};
use serde_json::Value;
use simulator::{Config, Limits};
use trunkline::TENANT;
use trunkline_tests::World;

#[tokio::test]
async fn the_call_log_is_read_to_its_end_page_after_page() {
    let config =
        Config { extensions: 20, calls: 430, messages: 5, limits: Limits::none(), ..Config::default() };
    let world = World::with(config).await;
    let (client, tenant) = (world.wiring.ringcentral(), TENANT.parse().unwrap());
    let month_ago = (world.time.simulator.now() - jiff::SignedDuration::from_hours(24 * 31)).to_string();
    let request = Request::of(&READ_COMPANY_CALL_LOG).query("perPage", "100").query("dateFrom", month_ago);
    let records: Vec<_> = ringcentral::records(&client, &tenant, request).try_collect().await.unwrap();
    let ids: BTreeSet<String> = records
        .iter()
        .map(|record| serde_json::from_str::<Value>(record.get()).unwrap()["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!((records.len(), ids.len()), (430, 430));
    assert_eq!(world.asked("readCompanyCallLog"), 5);
}
