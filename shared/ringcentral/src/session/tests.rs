use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use clock::{Clock, Manual};
use gate::{MemoryWindows, Policy};
use secrecy::ExposeSecret;

use super::*;
use crate::{MemoryTokens, NoReply, TokenReply, TokenState, TokenStoreError};

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
        };
        self.tokens.claim(&key(), "elsewhere", generation - 1, now, now + 6_000).await.unwrap();
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

    async fn claim(
        &self,
        key: &str,
        owner: &str,
        seen: u64,
        now: Millis,
        until: Millis,
    ) -> Result<Claim, TokenStoreError> {
        if let Meanwhile::Slow(span) = self.meanwhile {
            self.clock.advance(span);
        }
        self.tokens.claim(key, owner, seen, now, until).await
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
    world.tokens.claim(&key(), "elsewhere", 1, now, now + 6_000).await.unwrap();
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
