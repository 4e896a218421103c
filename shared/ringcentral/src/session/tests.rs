use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use clock::{Clock, Manual};
use gate::{MemoryWindows, Policy};
use secrecy::ExposeSecret;

use super::*;
use crate::{Bid, MemoryTokens, NoReply, TokenReply, TokenState, TokenStoreError};

const LIFE: Millis = 600_000;

/// A deployment of which one container is looked at. What the others do is told by `meanwhile`.
struct World {
    clock: Manual,
    tokens: MemoryTokens,
    asked: AtomicUsize,
    meanwhile: Meanwhile,
}

#[derive(Clone, Copy, PartialEq)]
enum Meanwhile {
    Nothing,
    /// The container freezes over its first request, and another one takes over.
    Frozen,
    /// A claim takes this long.
    Slow(Millis),
    /// Nothing can be published.
    Mute,
}

fn world(meanwhile: Meanwhile) -> (Arc<World>, Session) {
    let clock = Manual::eager(1_000_000);
    let world = Arc::new(World {
        clock: clock.clone(),
        tokens: MemoryTokens::default(),
        asked: AtomicUsize::new(0),
        meanwhile,
    });
    let bounded = Bounded::new(Arc::new(clock), 0);
    let gate = Gate::new(Arc::new(MemoryWindows::default()), bounded.clone(), Policy::default());
    let session = Session::new(world.clone(), bounded, gate, world.clone(), RetryPolicy::default());
    (world, session)
}

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

fn credentials() -> Credentials {
    Credentials {
        server_url: "https://ringcentral.example".to_owned(),
        client_id: "app".to_owned(),
        client_secret: "secret".into(),
        jwt: "jwt".into(),
        version: 0,
    }
}

fn key() -> String {
    format!("acme#{}", credentials().fingerprint())
}

impl World {
    /// Another container has a token, or gets one if its lease lasts.
    async fn publish_elsewhere(&self, generation: u64, expires_at: Millis) {
        let now = self.clock.now();
        let token = TokenRecord {
            access_token: format!("elsewhere-{generation}").into(),
            expires_at,
            refresh_at: expires_at - LIFE / 5,
            generation,
            issued_at: now,
            user: None,
            strikes: 0,
        };
        let bid = Bid { owner: "elsewhere", seen: generation - 1, version: 0, now, until: now + 6_000 };
        self.tokens.claim(&key(), &bid).await.unwrap();
        assert!(self.tokens.publish(&key(), "elsewhere", &token).await.unwrap());
    }
}

#[async_trait]
impl TokenEndpoint for World {
    async fn jwt_bearer(&self, _: &Credentials) -> Result<TokenReply, NoReply> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        if self.meanwhile == Meanwhile::Frozen && asked == 0 {
            self.clock.advance(30_000);
            self.publish_elsewhere(1, self.clock.now() + LIFE).await;
        }
        let body = format!(r#"{{"access_token":"own-{asked}","expires_in":{}}}"#, LIFE / 1_000);
        Ok(TokenReply { status: 200, headers: http::HeaderMap::new(), body: body.into() })
    }
}

#[async_trait]
impl TokenStore for World {
    async fn read(&self, key: &str) -> Result<TokenState, TokenStoreError> {
        self.tokens.read(key).await
    }

    async fn claim(&self, key: &str, bid: &Bid<'_>) -> Result<Claim, TokenStoreError> {
        if let Meanwhile::Slow(span) = self.meanwhile {
            self.clock.advance(span);
        }
        self.tokens.claim(key, bid).await
    }

    async fn renew(&self, key: &str, owner: &str, until: Millis) -> Result<bool, TokenStoreError> {
        self.tokens.renew(key, owner, until).await
    }

    async fn publish(&self, key: &str, owner: &str, token: &TokenRecord) -> Result<bool, TokenStoreError> {
        match self.meanwhile {
            Meanwhile::Mute => Err(TokenStoreError("no answer".into())),
            _ => self.tokens.publish(key, owner, token).await,
        }
    }

    async fn release(&self, key: &str, owner: &str) -> Result<(), TokenStoreError> {
        self.tokens.release(key, owner).await
    }

    async fn refuse(&self, key: &str, seen: u64, refusal: &Refusal) -> Result<(), TokenStoreError> {
        self.tokens.refuse(key, seen, refusal).await
    }

    async fn doubt(&self, key: &str, doubt: &Doubt) -> Result<(), TokenStoreError> {
        self.tokens.doubt(key, doubt).await
    }

    async fn clear(&self, key: &str, generation: u64) -> Result<(), TokenStoreError> {
        self.tokens.clear(key, generation).await
    }
}

#[tokio::test]
async fn regression_a_token_that_only_its_container_knows_is_older_than_everybody_elses() {
    let (world, session) = world(Meanwhile::Frozen);
    let mut strikes = Strikes::default();
    let own = session.token(&tenant(), &credentials(), strikes).await.unwrap();
    assert_eq!(own.access_token.expose_secret(), "own-0");
    assert!(session.refused(&tenant(), &credentials(), &mut strikes, &own, "401").await.unwrap());
    let other = session.token(&tenant(), &credentials(), strikes).await.unwrap();
    assert_eq!(other.access_token.expose_secret(), "elsewhere-1");
    assert_eq!(world.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn regression_a_token_that_ended_during_a_slow_claim_is_not_handed_out() {
    let (world, session) = world(Meanwhile::Slow(3_000));
    let now = world.clock.now();
    world.publish_elsewhere(1, now + 5_500).await;
    let bid = Bid { owner: "elsewhere", seen: 1, version: 0, now, until: now + 6_000 };
    world.tokens.claim(&key(), &bid).await.unwrap();
    let token = session.token(&tenant(), &credentials(), Strikes::default()).await.unwrap();
    assert_eq!(token.access_token.expose_secret(), "own-0");
}

#[tokio::test]
async fn a_token_that_can_not_be_stored_is_used_and_forgotten() {
    let (world, session) = world(Meanwhile::Mute);
    for asked in 1..=2 {
        session.token(&tenant(), &credentials(), Strikes::default()).await.unwrap();
        assert_eq!(world.asked.load(Ordering::Relaxed), asked);
    }
}

#[tokio::test]
async fn three_tokens_in_a_row_are_refused_before_the_credentials_are() {
    let (world, session) = world(Meanwhile::Nothing);
    let mut strikes = Strikes::default();
    for again in [true, true, false] {
        let token = session.token(&tenant(), &credentials(), strikes).await.unwrap();
        let tried = session.refused(&tenant(), &credentials(), &mut strikes, &token, "OAU-213").await;
        assert_eq!(tried.unwrap(), again);
    }
    let rests = session.token(&tenant(), &credentials(), strikes).await.unwrap_err();
    assert!(matches!(&rests, TokenError::Refused { reason, .. } if reason == "OAU-213"), "{rests:?}");
    assert_eq!(world.asked.load(Ordering::Relaxed), 3);
    world.clock.advance(REST);
    session.token(&tenant(), &credentials(), strikes).await.unwrap();
}

#[tokio::test]
async fn regression_a_token_that_one_call_saw_refused_is_given_to_no_other() {
    let (world, session) = world(Meanwhile::Nothing);
    let mut strikes = Strikes::default();
    let dead = session.token(&tenant(), &credentials(), strikes).await.unwrap();
    assert!(session.refused(&tenant(), &credentials(), &mut strikes, &dead, "OAU-213").await.unwrap());
    let next = session.token(&tenant(), &credentials(), Strikes::default()).await.unwrap();
    assert_eq!(next.access_token.expose_secret(), "own-1");
    assert_eq!(world.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn regression_a_valid_token_in_the_record_is_used_beside_a_refusal() {
    let (world, session) = world(Meanwhile::Nothing);
    world.publish_elsewhere(1, world.clock.now() + LIFE).await;
    let refusal = Refusal { reason: "OAU-140".to_owned(), until: None, version: 0 };
    world.tokens.refuse(&key(), 1, &refusal).await.unwrap();
    let token = session.token(&tenant(), &credentials(), Strikes::default()).await.unwrap();
    assert_eq!(token.access_token.expose_secret(), "elsewhere-1");
}

#[tokio::test]
async fn regression_a_new_version_of_the_secret_lifts_a_refusal() {
    let (world, session) = world(Meanwhile::Nothing);
    let refusal = Refusal { reason: "OAU-140".to_owned(), until: None, version: 0 };
    world.tokens.refuse(&key(), 0, &refusal).await.unwrap();
    session.token(&tenant(), &credentials(), Strikes::default()).await.unwrap_err();
    let stored_anew = Credentials { version: 1, ..credentials() };
    session.token(&tenant(), &stored_anew, Strikes::default()).await.unwrap();
}

#[tokio::test]
async fn regression_refused_tokens_shut_a_tenant_out_for_half_a_minute_at_first() {
    let (world, session) = world(Meanwhile::Nothing);
    let mut strikes = Strikes::default();
    let began = world.clock.now();
    for _ in 0..3 {
        let token = session.token(&tenant(), &credentials(), strikes).await.unwrap();
        session.refused(&tenant(), &credentials(), &mut strikes, &token, "OAU-213").await.unwrap();
    }
    assert_eq!(world.clock.now() - began, 5_000, "a pause of one second, and one of four");
    session.token(&tenant(), &credentials(), Strikes::default()).await.unwrap_err();
    world.clock.advance(30_000);
    session.token(&tenant(), &credentials(), Strikes::default()).await.unwrap();
}

#[tokio::test]
async fn a_success_after_the_doubt_ends_it() {
    let (world, session) = world(Meanwhile::Nothing);
    let token = session.token(&tenant(), &credentials(), Strikes::default()).await.unwrap();
    let before = world.clock.now() - 1;
    session.refused(&tenant(), &credentials(), &mut Strikes::default(), &token, "OAU-213").await.unwrap();
    session.accepted(&tenant(), &credentials(), &token, before).await;
    assert_eq!(world.tokens.read(&key()).await.unwrap().dead, Some(1));
    session.accepted(&tenant(), &credentials(), &token, world.clock.now()).await;
    assert_eq!(world.tokens.read(&key()).await.unwrap().dead, None);
}
