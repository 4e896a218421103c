//! The shared access token and its store: what one container writes, all others use.

pub(crate) mod endpoint;
pub(crate) mod grant;
pub(crate) mod lease;
mod memory;

use async_trait::async_trait;
use clock::Millis;
use secrecy::SecretString;
use tenant::TenantId;

use crate::Rejection;

pub use endpoint::{HttpEndpoint, NoReply, TokenEndpoint, TokenReply};
pub use memory::MemoryTokens;

/// The access token of one (tenant, app, user), as the whole fleet sees it.
#[derive(Debug, Clone)]
pub struct TokenRecord {
    /// Sent as `Authorization: Bearer`.
    pub access_token: SecretString,
    /// Until then RingCentral certainly accepts it, by the `expires_in` it came with; the store's time.
    pub expires_at: Millis,
    /// From here on a new one is fetched while this one still works; jittered, so that tenants don't agree on it.
    pub refresh_at: Millis,
    /// Grows with every new token; a token that was refused is replaced only if nobody did so already.
    pub generation: u64,
    /// When it was asked for; the store's time.
    pub issued_at: Millis,
    /// RingCentral's id of the user it speaks for (`owner_id`), if the answer named one.
    pub user: Option<String>,
    /// How many tokens in a row were refused while they were young, the last of them before this one or this one.
    pub strikes: u32,
}

/// RingCentral refused a token: it is not sent again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// Of the token that was refused.
    pub generation: u64,
    /// How many tokens in a row were refused while they were young, this one included.
    pub strikes: u32,
    /// Before this instant nobody asks for another.
    pub ask_from: Millis,
    /// Set once there were so many that the credentials are to blame.
    pub refusal: Option<Refusal>,
}

/// What a container offers that wants to fetch a token.
#[derive(Debug, Clone, Copy)]
pub struct Bid<'a> {
    /// Who it is.
    pub owner: &'a str,
    /// The newest generation it has seen; 0 if there was no token.
    pub seen: u64,
    /// The version of the credentials that it would ask with.
    pub version: Millis,
    /// What time it certainly is at the store.
    pub now: Millis,
    /// Until when it wants the lease.
    pub until: Millis,
}

/// RingCentral said no to the credentials themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// RingCentral's code and message.
    pub reason: String,
    /// When they may be tried again; `None`: not before they are stored anew.
    pub until: Option<Millis>,
    /// The version of the credentials that were refused: a newer one may be tried at once.
    pub version: Millis,
}

impl Refusal {
    /// Nobody may try this version of the credentials at this instant.
    #[must_use]
    pub fn stands(&self, now: Millis, version: Millis) -> bool {
        version <= self.version && self.until.is_none_or(|until| now < until)
    }
}

/// What the fleet knows about the access to one (tenant, app, user).
#[derive(Debug, Clone, Default)]
pub struct TokenState {
    /// The current token.
    pub token: Option<TokenRecord>,
    /// Why there will be no other, if RingCentral refused.
    pub refusal: Option<Refusal>,
    /// The newest generation that RingCentral is known to refuse.
    pub dead: Option<u64>,
    /// Before this instant nobody asks for another token.
    pub ask_from: Millis,
}

/// What a container that wants to fetch a token is told.
#[derive(Debug)]
pub enum Claim {
    /// It may ask RingCentral; the stored generation is given back for the new record to grow from.
    Granted {
        /// The generation to be replaced; 0 if there was no token.
        generation: u64,
        /// [`TokenRecord::strikes`] of the token to be replaced if that was refused, else 0.
        strikes: u32,
        /// [`TokenRecord::user`] of the token to be replaced.
        user: Option<String>,
    },
    /// Somebody else is asking.
    Busy,
    /// There is a newer token already.
    Replaced(TokenRecord),
    /// RingCentral refused the credentials, and that stands.
    Refused(Refusal),
}

/// The token store can't be reached; the cause is kept.
#[derive(Debug, thiserror::Error)]
#[error("the token store failed")]
pub struct TokenStoreError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Why there is no access token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// RingCentral refuses the credentials; asking again would lock the user out.
    #[error("RingCentral refuses the credentials of tenant {tenant}: {reason}")]
    Refused {
        /// Whose credentials they are.
        tenant: TenantId,
        /// RingCentral's code and message.
        reason: String,
        /// When they may be tried again; `None`: not before they are changed.
        until: Option<Millis>,
    },
    /// The token endpoint can't be reached or failed.
    #[error("no access token could be had from RingCentral: {0}")]
    Unavailable(String),
    /// The token endpoint failed so often in a row that nobody asks it for a while.
    #[error("the circuit of the RingCentral Auth group is open until {at} ms")]
    CircuitOpen {
        /// When to come back.
        at: Millis,
    },
    /// The token budget is used up.
    #[error("the RingCentral Auth budget is used up until {at} ms")]
    RateLimited {
        /// When to come back.
        at: Millis,
    },
    /// The token endpoint itself answered with a 429.
    #[error("RingCentral throttles token requests until {at} ms: {rejection}")]
    Throttled {
        /// When to come back.
        at: Millis,
        /// What it said.
        rejection: Box<Rejection>,
    },
    /// The store of tokens can't be reached.
    #[error(transparent)]
    Store(#[from] TokenStoreError),
    /// The store of rate windows can't be reached.
    #[error(transparent)]
    Windows(#[from] gate::StoreError),
}

/// Where tokens live. Keys are `tenant#fingerprint`, so changed credentials start with nothing. All instants are the store's own
/// time, as far as whoever names them knows it.
#[async_trait]
pub trait TokenStore: Send + Sync {
    /// The current token and a standing refusal, if there are any, with what was written last.
    async fn read(&self, key: &str) -> Result<TokenState, TokenStoreError>;

    /// Takes the lease, unless there is a token newer than the one seen, a refusal that stands, or a lease of another container
    /// that is not over. Its holder gets it again: a request may be sent twice.
    async fn claim(&self, key: &str, bid: &Bid<'_>) -> Result<Claim, TokenStoreError>;

    /// Makes the lease last longer; does nothing and says false if it was lost or given back meanwhile.
    async fn renew(&self, key: &str, owner: &str, until: Millis) -> Result<bool, TokenStoreError>;

    /// Stores a new token and gives the lease back; does nothing and says false if the lease was lost meanwhile.
    async fn publish(&self, key: &str, owner: &str, token: &TokenRecord) -> Result<bool, TokenStoreError>;

    /// Gives the lease back without a token.
    async fn release(&self, key: &str, owner: &str) -> Result<(), TokenStoreError>;

    /// Remembers that RingCentral refuses these credentials, for everybody; does nothing if there is a token newer than the one `seen`.
    async fn refuse(&self, key: &str, seen: u64, refusal: &Refusal) -> Result<(), TokenStoreError>;

    /// Remembers for everybody that RingCentral refuses a token; does nothing if there is a newer one, or if that is known.
    async fn doubt(&self, key: &str, doubt: &Doubt) -> Result<(), TokenStoreError>;

    /// Forgets a doubt about the current token, with what it led to; does nothing if there is none about this generation.
    async fn clear(&self, key: &str, generation: u64) -> Result<(), TokenStoreError>;
}
