//! The shared access tokens: record, lease and refusal of one (tenant, app, user) in one item.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use clock::Millis;
use ringcentral::{Claim, Refusal, TokenRecord, TokenState, TokenStore, TokenStoreError};
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
        })
    }

    fn refusal(&self) -> Option<Refusal> {
        Some(Refusal { reason: self.refused_reason.clone()?, until: self.refused_until })
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

    async fn try_claim(
        &self,
        key: &str,
        owner: &str,
        seen: u64,
        now: Millis,
        until: Millis,
    ) -> Result<Claim, TableError> {
        let sent = self
            .update(key)
            .update_expression("SET lease_owner = :owner, lease_until = :until")
            .condition_expression(
                "(attribute_not_exists(lease_until) OR lease_until <= :now OR lease_owner = :owner) \
                 AND (attribute_not_exists(generation) OR generation <= :seen) \
                 AND (attribute_not_exists(refused_reason) OR refused_until <= :now)",
            )
            .expression_attribute_values(":owner", text(owner))
            .expression_attribute_values(":until", number(until))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":seen", number(seen))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        let stored = match update_outcome(sent, |output| output.attributes)? {
            Outcome::Written(new) => {
                return Ok(Claim::Granted { generation: Stored::of(new)?.generation });
            }
            Outcome::Refused(old) => Stored::of(old)?,
        };
        if let Some(token) = stored.token().filter(|token| token.generation > seen) {
            return Ok(Claim::Replaced(token));
        }
        Ok(stored.refusal().filter(|refusal| refusal.stands(now)).map_or(Claim::Busy, Claim::Refused))
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
                "SET access_token = :token, expires_at = :expires, refresh_at = :refresh, generation = :generation \
                 REMOVE lease_owner, lease_until, refused_reason, refused_until",
            )
            .condition_expression("lease_owner = :owner")
            .expression_attribute_values(":token", text(token.access_token.expose_secret()))
            .expression_attribute_values(":expires", number(token.expires_at))
            .expression_attribute_values(":refresh", number(token.refresh_at))
            .expression_attribute_values(":generation", number(token.generation))
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
            .expression_attribute_values(":reason", text(&refusal.reason));
        let request = match refusal.until {
            Some(until) => request
                .update_expression("SET refused_reason = :reason, refused_until = :until")
                .expression_attribute_values(":until", number(until)),
            None => request.update_expression("SET refused_reason = :reason REMOVE refused_until"),
        };
        update_outcome(request.send().await, |_| None).map(drop)
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
        Ok(TokenState { token: stored.token(), refusal: stored.refusal() })
    }

    async fn claim(
        &self,
        key: &str,
        owner: &str,
        seen: u64,
        now: Millis,
        until: Millis,
    ) -> Result<Claim, TokenStoreError> {
        self.try_claim(key, owner, seen, now, until).await.map_err(failed)
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
}
