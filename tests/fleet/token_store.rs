//! The contract of token stores, held against the table and against the one in memory that the seeded world uses.

use clock::Millis;
use ringcentral::{Bid, Claim, Doubt, MemoryTokens, Refusal, TokenRecord, TokenStore};
use secrecy::ExposeSecret;
use tables::TokenTable;
use trunkline_tests::World;

const KEY: &str = "acme#1";
const NOW: Millis = 1_795_000_000_000;

fn token(generation: u64) -> TokenRecord {
    let access_token = format!("token-{generation}").into();
    let user = Some("user-1".to_owned());
    let (expires_at, refresh_at) = (NOW + 60_000, NOW + 48_000);
    TokenRecord { access_token, expires_at, refresh_at, generation, issued_at: NOW, user, strikes: 0 }
}

/// Claims for a while and says what came of it.
async fn claim(store: &dyn TokenStore, owner: &str, seen: u64, after: Millis) -> String {
    let bid = Bid { owner, seen, version: 0, now: NOW + after, until: NOW + after + 6_000 };
    match store.claim(KEY, &bid).await.unwrap() {
        Claim::Granted { generation, .. } => format!("granted {generation}"),
        Claim::Busy => "busy".to_owned(),
        Claim::Replaced(token) => token.access_token.expose_secret().to_owned(),
        Claim::Refused(refusal) => refusal.reason,
    }
}

async fn contract(store: &dyn TokenStore) {
    assert!(store.read(KEY).await.unwrap().token.is_none());

    // One lease at a time, until it is over; sent twice, it is granted twice.
    assert_eq!(claim(store, "a", 0, 0).await, "granted 0");
    assert_eq!(claim(store, "a", 0, 0).await, "granted 0");
    assert_eq!(claim(store, "b", 0, 5_999).await, "busy");
    assert!(store.renew(KEY, "a", NOW + 9_000).await.unwrap());
    assert_eq!(claim(store, "b", 0, 8_999).await, "busy");
    assert_eq!(claim(store, "b", 0, 9_000).await, "granted 0");

    // Whoever lost it can neither renew nor use it, nor give it back.
    assert!(!store.renew(KEY, "a", NOW + 99_000).await.unwrap());
    assert!(!store.publish(KEY, "a", &token(1)).await.unwrap());
    store.release(KEY, "a").await.unwrap();
    assert_eq!(claim(store, "c", 0, 9_001).await, "busy");

    // Whoever gave it back can't renew it either: a renewal may be late.
    store.release(KEY, "b").await.unwrap();
    assert!(!store.renew(KEY, "b", NOW + 99_000).await.unwrap());
    assert_eq!(claim(store, "c", 0, 9_002).await, "granted 0");

    // A token ends the lease, and whoever saw an older one is told of it.
    assert!(store.publish(KEY, "c", &token(1)).await.unwrap());
    assert!(!store.renew(KEY, "c", NOW + 99_000).await.unwrap());
    assert_eq!(claim(store, "d", 0, 9_003).await, "token-1");
    let stored = store.read(KEY).await.unwrap().token.unwrap();
    let whole =
        (stored.access_token.expose_secret(), stored.expires_at, stored.refresh_at, stored.generation);
    assert_eq!(whole, ("token-1", NOW + 60_000, NOW + 48_000, 1));

    // A refusal of an older token comes too late; one of this token stands until it ends.
    let refusal = |until| Refusal { reason: "refused".to_owned(), until, version: 0 };
    store.refuse(KEY, 0, &refusal(None)).await.unwrap();
    assert_eq!(store.read(KEY).await.unwrap().refusal, None);
    store.refuse(KEY, 1, &refusal(Some(NOW + 20_000))).await.unwrap();
    assert_eq!(store.read(KEY).await.unwrap().refusal, Some(refusal(Some(NOW + 20_000))));
    assert_eq!(claim(store, "d", 1, 19_999).await, "refused");
    assert_eq!(claim(store, "d", 1, 20_000).await, "granted 1");

    // One that has no end stands until there is a token after all.
    store.refuse(KEY, 1, &refusal(None)).await.unwrap();
    assert_eq!(claim(store, "e", 1, 900_000).await, "refused");
    assert!(store.publish(KEY, "d", &token(2)).await.unwrap());
    assert_eq!(store.read(KEY).await.unwrap().refusal, None);
    assert_eq!(claim(store, "e", 2, 900_000).await, "granted 2");

    // A newer version of the credentials is not refused.
    store.refuse(KEY, 2, &refusal(None)).await.unwrap();
    assert_eq!(claim(store, "e", 2, 900_000).await, "refused");
    let bid = Bid { owner: "e", seen: 2, version: 1, now: NOW + 900_000, until: NOW + 906_000 };
    let Claim::Granted { user, .. } = store.claim(KEY, &bid).await.unwrap() else { panic!("not granted") };
    assert_eq!(user.as_deref(), Some("user-1"));

    // A doubt about a token is noted once, and ended by its success alone.
    assert!(store.publish(KEY, "e", &token(3)).await.unwrap());
    let doubt = |generation, strikes| Doubt {
        generation,
        strikes,
        ask_from: NOW + 1_000,
        refusal: Some(refusal(Some(NOW + 30_000))),
    };
    store.doubt(KEY, &doubt(2, 9)).await.unwrap();
    assert_eq!(store.read(KEY).await.unwrap().dead, None);
    store.doubt(KEY, &doubt(3, 1)).await.unwrap();
    store.doubt(KEY, &doubt(3, 2)).await.unwrap();
    store.clear(KEY, 2).await.unwrap();
    let state = store.read(KEY).await.unwrap();
    assert_eq!((state.dead, state.ask_from, state.token.unwrap().strikes), (Some(3), NOW + 1_000, 1));
    assert_eq!(state.refusal, Some(refusal(Some(NOW + 30_000))));
    store.clear(KEY, 3).await.unwrap();
    let state = store.read(KEY).await.unwrap();
    assert_eq!((state.dead, state.refusal, state.token.unwrap().strikes), (None, None, 0));
}

#[tokio::test]
async fn tokens_in_memory_keep_the_contract() {
    contract(&MemoryTokens::default()).await;
}

#[tokio::test]
async fn the_table_of_tokens_keeps_the_contract() {
    let world = World::new().await;
    contract(&TokenTable::new(world.wiring.tables())).await;
}
