//! Idempotency keys of API requests: one item from the first attempt to the kept answer.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use clock::Millis;
use serde::{Deserialize, Serialize};
use trunkline_http::{Begun, IdempotencyError, IdempotencyStore, StoredAnswer};

use crate::{
    TableError, Tables,
    client::{Outcome, failed, item, number, put_outcome, read, text, update_outcome},
    schema::KEY,
};

/// [`IdempotencyStore`] in DynamoDB.
#[derive(Debug, Clone)]
pub struct RequestTable(Tables);

#[derive(Serialize, Deserialize)]
struct Stored {
    pk: String,
    fingerprint: String,
    holder: String,
    lease_until: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    /// Seconds.
    expires_at: Millis,
}

impl RequestTable {
    /// The requests of a deployment.
    #[must_use]
    pub fn new(tables: Tables) -> Self {
        Self(tables)
    }

    async fn try_begin(&self, wanted: &Stored, now: Millis) -> Result<Begun, TableError> {
        let sent = self
            .0
            .client()
            .put_item()
            .table_name(self.0.name("requests"))
            .set_item(Some(item(wanted)?))
            .condition_expression(
                "attribute_not_exists(pk) OR expires_at < :seconds \
                 OR (attribute_not_exists(answer) AND lease_until <= :now AND fingerprint = :fingerprint)",
            )
            .expression_attribute_values(":seconds", number(now / 1_000))
            .expression_attribute_values(":now", number(now))
            .expression_attribute_values(":fingerprint", text(&wanted.fingerprint))
            .return_values(ReturnValue::AllOld)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match put_outcome(sent, |output| output.attributes)? {
            Outcome::Written(None) => Ok(Begun::First),
            Outcome::Written(Some(old)) => {
                let old: Stored = read(old)?;
                Ok(if old.expires_at < now / 1_000 { Begun::First } else { Begun::Resumed })
            }
            // Deleted between the condition and its report: whoever asks again will be the first.
            Outcome::Refused(None) => Ok(Begun::InFlight),
            Outcome::Refused(Some(standing)) => {
                let standing: Stored = read(standing)?;
                // Our own attempt, whose answer was lost on the way and which the SDK has repeated.
                if standing.holder == wanted.holder {
                    return Ok(Begun::First);
                }
                if standing.fingerprint != wanted.fingerprint {
                    return Ok(Begun::Different);
                }
                match standing.answer {
                    Some(answer) => serde_json::from_str(&answer).map(Begun::Done).map_err(failed),
                    None => Ok(Begun::InFlight),
                }
            }
        }
    }

    async fn try_complete(
        &self,
        key: &str,
        owner: &str,
        answer: &StoredAnswer,
        kept: Millis,
    ) -> Result<(), TableError> {
        let sent = self
            .0
            .client()
            .update_item()
            .table_name(self.0.name("requests"))
            .key(KEY, text(key))
            .update_expression("SET answer = :answer, expires_at = :kept")
            .condition_expression("holder = :owner")
            .expression_attribute_values(":answer", text(serde_json::to_string(answer).map_err(failed)?))
            .expression_attribute_values(":kept", number(kept / 1_000))
            .expression_attribute_values(":owner", text(owner))
            .send()
            .await;
        update_outcome(sent, |_| None).map(drop)
    }

    async fn try_release(&self, key: &str, owner: &str) -> Result<(), TableError> {
        let sent = self
            .0
            .client()
            .delete_item()
            .table_name(self.0.name("requests"))
            .key(KEY, text(key))
            .condition_expression("holder = :owner")
            .expression_attribute_values(":owner", text(owner))
            .send()
            .await;
        match sent.map_err(aws_sdk_dynamodb::error::SdkError::into_service_error) {
            Ok(_) => Ok(()),
            Err(error) if error.is_conditional_check_failed_exception() => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

fn refused(error: TableError) -> IdempotencyError {
    IdempotencyError(Box::new(error))
}

#[async_trait]
impl IdempotencyStore for RequestTable {
    async fn begin(
        &self,
        key: &str,
        fingerprint: &str,
        owner: &str,
        now: Millis,
        until: Millis,
    ) -> Result<Begun, IdempotencyError> {
        let wanted = Stored {
            pk: key.to_owned(),
            fingerprint: fingerprint.to_owned(),
            holder: owner.to_owned(),
            lease_until: until,
            answer: None,
            // An attempt that never ends is remembered for a day, so that its repetition still looks first.
            expires_at: now / 1_000 + 86_400,
        };
        self.try_begin(&wanted, now).await.map_err(refused)
    }

    async fn complete(
        &self,
        key: &str,
        owner: &str,
        answer: &StoredAnswer,
        kept: Millis,
    ) -> Result<(), IdempotencyError> {
        self.try_complete(key, owner, answer, kept).await.map_err(refused)
    }

    async fn release(&self, key: &str, owner: &str) -> Result<(), IdempotencyError> {
        self.try_release(key, owner).await.map_err(refused)
    }
}
