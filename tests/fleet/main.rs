//! Several containers of one deployment: one token, one rate budget.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a story that can't go on fails")]
#![allow(clippy::print_stdout, reason = "a story that measures shows its figures")]

mod budget;
mod gate;
mod keys;
mod refuted;
mod seeds;
mod session;
mod session_troubles;
mod token_store;
mod tokens;
mod world;

use std::time::Duration;

use futures::{StreamExt, stream};
use simulator::{Config, Group, Limits};
use trunkline_http::Role;
use trunkline_tests::{Answer, World};

/// A world of this many containers, with limits.
async fn fleet(containers: usize) -> (World, Vec<String>) {
    let config =
        Config { extensions: 5, calls: 5, messages: 5, limits: Limits::default(), ..Config::default() };
    let mut world = World::with(config).await;
    let mut urls = vec![world.url.clone()];
    for _ in 1..containers {
        urls.push(world.container().await);
    }
    (world, urls)
}

async fn ask(world: &World, urls: &[String], requests: usize) -> Vec<Answer> {
    let token = world.token(Role::Viewer);
    let answers = (0..requests).map(|index| {
        let url = format!("{}/api/extensions?perPage=1", urls[index % urls.len()]);
        Answer::of(world.http.get(url).bearer_auth(&token))
    });
    stream::iter(answers).buffer_unordered(requests).collect().await
}

fn largest(world: &World, group: Group) -> usize {
    let buckets = world.simulator.stats().buckets;
    let largest =
        buckets.iter().filter(|bucket| bucket.group == group).map(|bucket| bucket.largest_in_window);
    largest.max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_first_requests_make_one_token_request() {
    let (world, urls) = fleet(4).await;
    let answers = ask(&world, &urls, 100).await;
    assert_eq!(world.asked("getToken"), 1);
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 429)), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_never_asks_more_than_the_window_holds() {
    let (world, urls) = fleet(4).await;
    let mut served = 0;
    for _ in 0..4 {
        for answer in ask(&world, &urls, 60).await {
            match answer.status {
                200 => served += 1,
                429 => assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1, "{answer:?}"),
                _ => panic!("{answer:?}"),
            }
        }
        world.time.advance(Duration::from_secs(31));
    }
    assert_eq!(world.simulator.stats().throttled, 0);
    assert!(largest(&world, Group::Medium) <= 40);
    assert!(served >= 80, "{served} served in two minutes of 40 each");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn regression_a_limit_that_one_container_hears_of_holds_for_all_of_them() {
    let limits = Limits { medium: simulator::Limit::per_minute(10), ..Limits::default() };
    let mut world = World::with(Config { extensions: 5, limits, ..Config::default() }).await;
    let other = world.container().await;
    let first = ask(&world, std::slice::from_ref(&world.url), 1).await;
    assert_eq!(first[0].header("ratelimit-policy"), "\"medium\";q=10;w=60");
    let answers = ask(&world, &[other], 30).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 9);
    assert_eq!(world.simulator.stats().throttled, 0);
}
