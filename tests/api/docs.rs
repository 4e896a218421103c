//! The page that people read the API on.

use std::io::Read;

use flate2::read::GzDecoder;
use trunkline_tests::{Answer, World};

const PARTS: [&str; 6] = [
    "/docs/",
    "/docs/icon.svg",
    "/docs/page.css",
    "/docs/page.js",
    "/docs/swagger-ui.css",
    "/docs/swagger-ui-bundle.js",
];

#[tokio::test]
async fn the_page_needs_no_internet_and_shows_no_other_api() {
    let world = World::new().await;
    let page = Answer::of(world.anonymous("GET", "/docs/")).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"), "{page:?}");
    assert!(page.text.contains("<title>Trunkline API</title>") && !page.text.contains("//"), "{}", page.text);
    for part in PARTS {
        let named = part == "/docs/" || page.text.contains(&format!("\"{part}\""));
        assert!(named && Answer::of(world.anonymous("GET", part)).await.status == 200, "{part}");
    }
    for same in ["/docs", "/docs/index.html"] {
        assert_eq!(Answer::of(world.anonymous("GET", same)).await.text, page.text, "{same}");
    }
    // The one description it reads. The layout with a box for another's is not chosen, and no token outlives the tab.
    let script = Answer::of(world.anonymous("GET", "/docs/page.js")).await.text;
    assert!(script.contains("url: \"/api/openapi.json\"") && script.contains("layout: \"BaseLayout\""));
    assert!(script.contains("sessionStorage") && !script.contains("localStorage"));
}

#[tokio::test]
async fn regression_what_a_browser_has_already_is_not_sent_again() {
    let world = World::new().await;
    for path in PARTS.into_iter().chain(["/api/openapi.json"]) {
        let first = Answer::of(world.anonymous("GET", path)).await;
        assert_eq!((first.status, first.header("cache-control")), (200, "no-cache"), "{path}");
        let tag = first.header("etag");
        assert!(tag.starts_with("W/\""), "{path}: {tag}");
        let again =
            Answer::of(world.anonymous("GET", path).header("if-none-match", format!("\"x\", {tag}"))).await;
        assert_eq!((again.status, again.text.as_str(), again.header("etag")), (304, "", tag), "{path}");
        let other = Answer::of(world.anonymous("GET", path).header("if-none-match", "\"x\"")).await;
        assert_eq!((other.status, &other.text), (200, &first.text), "{path}");
    }
}

#[tokio::test]
async fn regression_a_browser_is_told_what_the_page_may_do() {
    let world = World::new().await;
    for path in ["/docs", "/docs/page.js", "/docs/nope", "/api/openapi.json"] {
        let answer = Answer::of(world.anonymous("GET", path)).await;
        let policy = answer.header("content-security-policy");
        for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
}

#[tokio::test]
async fn regression_a_part_that_the_page_does_not_have_is_a_problem() {
    let world = World::new().await;
    for path in
        ["/docs/nope", "/docs/nope/", "/docs/%ff", "/docs/swagger-ui.css/x", "/docs/swagger-initializer.js"]
    {
        let answer = Answer::of(world.anonymous("GET", path)).await;
        assert_eq!((answer.status, answer.problem()), (404, "not-found"), "{path}");
    }
    assert_eq!(Answer::of(world.anonymous("POST", "/docs")).await.problem(), "method-not-allowed");
}

#[tokio::test]
async fn regression_the_docs_page_is_compressed_only_for_whoever_can_read_it() {
    let world = World::new().await;
    let path = "/docs/swagger-ui-bundle.js";
    let plain = Answer::of(world.anonymous("GET", path)).await;
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), ("", "accept-encoding"));
    let browser = world.anonymous("GET", path).header("accept-encoding", "gzip, br").send().await.unwrap();
    assert_eq!(browser.headers()["content-encoding"], "gzip");
    let packed = browser.bytes().await.unwrap();
    let mut text = String::new();
    GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
    assert!(packed.len() * 3 < text.len());
    assert_eq!(text, plain.text);
}
