//! The shared access tokens: record, lease and refusal of one (tenant, app, user) in one item.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use clock::Millis;
use ringcentral::{Bid, Claim, Doubt, Refusal, TokenRecord, TokenState, TokenStore, TokenStoreError};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use crate::{
    TableError, Tables,
    client::{Item, Outcome, number, read, text, update_outcome},
    schema::KEY,
};

/// [`TokenStore`] in DynamoDB.
#[derive(Debug, Clone)]
pub struct TokenTable(Tables);

#[derive(Deserialize, Default)]
struct Stored {
    access_token: Option<SecretString>,
    #[serde(default)]
    expires_at: Millis,
    #[serde(default)]
    refresh_at: Millis,
    #[serde(default)]
    generation: u64,
    refused_reason: Option<String>,
    refused_until: Option<Millis>,
    /// A refusal without one is of an earlier version of this gateway, and is tried once more.
    refused_version: Option<Millis>,
    #[serde(default)]
    issued_at: Millis,
    #[serde(default)]
    strikes: u32,
    token_user: Option<String>,
    dead: Option<u64>,
    #[serde(default)]
    ask_from: Millis,
}

impl Stored {
    fn of(item: Option<Item>) -> Result<Self, TableError> {
        item.map_or_else(|| Ok(Self::default()), read)
    }

    fn token(&self) -> Option<TokenRecord> {
        Some(TokenRecord {
            access_token: self.access_token.clone()?,
            expires_at: self.expires_at,
            refresh_at: self.refresh_at,
            generation: self.generation,
            issued_at: self.issued_at,
            user: self.token_user.clone(),
            strikes: self.strikes,
        })
    }

    fn refusal(&self) -> Option<Refusal> {
        Some(Refusal {
            reason: self.refused_reason.clone()?,
            until: self.refused_until,
            version: self.refused_version?,
        })
    }
}

impl TokenTable {
    /// The tokens of a deployment.
    #[must_use]
    pub fn new(tables: Tables) -> Self {
        Self(tables)
    }

    fn update(
        &self,
        key: &str,
    ) -> aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder {
        self.0
            .client()
            .update_item()
            .table_name(self.0.name("tokens"))
            .key(KEY, text(key))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    async fn try_claim(&self, key: &str, bid: &Bid<'_>) -> Result<Claim, TableError> {
        let Bid { owner, seen, version, now, until } = *bid;
        let sent = self
            .update(key)
            .update_expression("SET lease_owner = :owner, lease_until = :until")
            .condition_expression(
                "(attribute_not_exists(lease_until) OR lease_until <= :now OR lease_owner = :owner) \
                 AND (attribute_not_exists(generation) OR generation <= :seen) \
                 AND (attribute_not_exists(refused_reason) OR refused_until <= :now \
                 OR attribute_not_exists(refused_version) OR refused_version < :version)",
            )
            .expression_attribute_values(":owner", text(owner))
            .expression_attribute_values(":until", number(until))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":seen", number(seen))
            .expression_attribute_values(":version", number(version))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        let stored = match update_outcome(sent, |output| output.attributes)? {
            Outcome::Written(new) => {
                let Stored { generation, strikes, token_user, dead, .. } = Stored::of(new)?;
                let strikes = if dead == Some(generation) { strikes } else { 0 };
                return Ok(Claim::Granted { generation, strikes, user: token_user });
            }
            Outcome::Refused(old) => Stored::of(old)?,
        };
        if let Some(token) = stored.token().filter(|token| token.generation > seen) {
            return Ok(Claim::Replaced(token));
        }
        Ok(stored
            .refusal()
            .filter(|refusal| refusal.stands(now, version))
            .map_or(Claim::Busy, Claim::Refused))
    }

    async fn try_renew(&self, key: &str, owner: &str, until: Millis) -> Result<bool, TableError> {
        let sent = self
            .update(key)
            .update_expression("SET lease_until = :until")
            .condition_expression("lease_owner = :owner")
            .expression_attribute_values(":until", number(until))
            .expression_attribute_values(":owner", text(owner))
            .send()
            .await;
        Ok(matches!(update_outcome(sent, |_| None)?, Outcome::Written(_)))
    }

    async fn try_publish(&self, key: &str, owner: &str, token: &TokenRecord) -> Result<bool, TableError> {
        let sent = self
            .update(key)
            .update_expression(
                "SET access_token = :token, expires_at = :expires, refresh_at = :refresh, generation = :generation, \
                 issued_at = :issued, strikes = :strikes, token_user = :user \
                 REMOVE lease_owner, lease_until, refused_reason, refused_until, refused_version, dead, ask_from",
            )
            .condition_expression("lease_owner = :owner")
            .expression_attribute_values(":token", text(token.access_token.expose_secret()))
            .expression_attribute_values(":expires", number(token.expires_at))
            .expression_attribute_values(":refresh", number(token.refresh_at))
            .expression_attribute_values(":generation", number(token.generation))
            .expression_attribute_values(":issued", number(token.issued_at))
            .expression_attribute_values(":strikes", number(token.strikes))
            .expression_attribute_values(":user", token.user.as_deref().map_or(AttributeValue::Null(true), text))
            .expression_attribute_values(":owner", text(owner))
            .send()
            .await;
        Ok(matches!(update_outcome(sent, |_| None)?, Outcome::Written(_)))
    }

    async fn try_release(&self, key: &str, owner: &str) -> Result<(), TableError> {
        let sent = self
            .update(key)
            .update_expression("REMOVE lease_owner, lease_until")
            .condition_expression("lease_owner = :owner")
            .expression_attribute_values(":owner", text(owner))
            .send()
            .await;
        update_outcome(sent, |_| None).map(drop)
    }

    async fn try_refuse(&self, key: &str, seen: u64, refusal: &Refusal) -> Result<(), TableError> {
        let request = self
            .update(key)
            .condition_expression("attribute_not_exists(generation) OR generation <= :seen")
            .expression_attribute_values(":seen", number(seen))
            .expression_attribute_values(":reason", text(&refusal.reason))
            .expression_attribute_values(":version", number(refusal.version));
        let request = match refusal.until {
            Some(until) => request
                .update_expression(
                    "SET refused_reason = :reason, refused_version = :version, refused_until = :until",
                )
                .expression_attribute_values(":until", number(until)),
            None => request.update_expression(
                "SET refused_reason = :reason, refused_version = :version REMOVE refused_until",
            ),
        };
        update_outcome(request.send().await, |_| None).map(drop)
    }

    async fn try_doubt(&self, key: &str, doubt: &Doubt) -> Result<(), TableError> {
        let set = "SET dead = :generation, strikes = :strikes, ask_from = :from";
        let request = self
            .update(key)
            .condition_expression(
                "(attribute_not_exists(generation) OR generation <= :generation) \
                 AND (attribute_not_exists(dead) OR dead < :generation)",
            )
            .expression_attribute_values(":generation", number(doubt.generation))
            .expression_attribute_values(":strikes", number(doubt.strikes))
            .expression_attribute_values(":from", number(doubt.ask_from));
        let request = match &doubt.refusal {
            None => request.update_expression(set),
            Some(Refusal { reason, until, version }) => request
                .update_expression(format!(
                    "{set}, refused_reason = :reason, refused_version = :version, refused_until = :until"
                ))
                .expression_attribute_values(":reason", text(reason))
                .expression_attribute_values(":version", number(*version))
                .expression_attribute_values(":until", number(until.unwrap_or(Millis::MAX))),
        };
        update_outcome(request.send().await, |_| None).map(drop)
    }

    async fn try_clear(&self, key: &str, generation: u64) -> Result<(), TableError> {
        let sent = self
            .update(key)
            .update_expression(
                "SET strikes = :none REMOVE dead, ask_from, refused_reason, refused_until, refused_version",
            )
            .condition_expression("generation = :generation AND dead = :generation")
            .expression_attribute_values(":none", number(0))
            .expression_attribute_values(":generation", number(generation))
            .send()
            .await;
        update_outcome(sent, |_| None).map(drop)
    }
}

fn failed(error: TableError) -> TokenStoreError {
    TokenStoreError(Box::new(error))
}

#[async_trait]
impl TokenStore for TokenTable {
    async fn read(&self, key: &str) -> Result<TokenState, TokenStoreError> {
        let stored: Option<Stored> = self.0.get("tokens", key).await.map_err(failed)?;
        let stored = stored.unwrap_or_default();
        let (token, refusal) = (stored.token(), stored.refusal());
        Ok(TokenState { token, refusal, dead: stored.dead, ask_from: stored.ask_from })
    }

    async fn claim(&self, key: &str, bid: &Bid<'_>) -> Result<Claim, TokenStoreError> {
        self.try_claim(key, bid).await.map_err(failed)
    }

    async fn renew(&self, key: &str, owner: &str, until: Millis) -> Result<bool, TokenStoreError> {
        self.try_renew(key, owner, until).await.map_err(failed)
    }

    async fn publish(&self, key: &str, owner: &str, token: &TokenRecord) -> Result<bool, TokenStoreError> {
        self.try_publish(key, owner, token).await.map_err(failed)
    }

    async fn release(&self, key: &str, owner: &str) -> Result<(), TokenStoreError> {
        self.try_release(key, owner).await.map_err(failed)
    }

    async fn refuse(&self, key: &str, seen: u64, refusal: &Refusal) -> Result<(), TokenStoreError> {
        self.try_refuse(key, seen, refusal).await.map_err(failed)
    }

    async fn doubt(&self, key: &str, doubt: &Doubt) -> Result<(), TokenStoreError> {
        self.try_doubt(key, doubt).await.map_err(failed)
    }

    async fn clear(&self, key: &str, generation: u64) -> Result<(), TokenStoreError> {
        self.try_clear(key, generation).await.map_err(failed)
    }
}
