//! Idempotency keys of API requests: one item from the first attempt to the kept answer.

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    operation::put_item::builders::PutItemFluentBuilder, types::ReturnValuesOnConditionCheckFailure,
};
use clock::Millis;
use serde::{Deserialize, Serialize};
use trunkline_http::{Begun, Earlier, IdempotencyError, IdempotencyStore, StoredAnswer, Wish};

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
    /// When the first attempt with this key began. Items from before there was this have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    began: Option<Millis>,
    /// From when on nothing that was sent can be on its way any more.
    #[serde(default)]
    over_at: Millis,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    /// Seconds.
    expires_at: Millis,
}

impl Stored {
    fn of(wish: Wish<'_>, began: Millis) -> Self {
        Self {
            pk: wish.key.to_owned(),
            fingerprint: wish.fingerprint.to_owned(),
            holder: wish.owner.to_owned(),
            lease_until: wish.until,
            began: Some(began),
            over_at: wish.over,
            answer: None,
            // An attempt that never ends is remembered for a day, so that its repetition still looks first.
            expires_at: wish.now / 1_000 + 86_400,
        }
    }
}

/// What an item that stands means to a request that wants its key.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    /// Our own first write, whose answer was lost on the way and which the SDK has repeated.
    Ours,
    /// Used for another request.
    Different,
    /// Another attempt is under way.
    Held,
    /// Carried out.
    Answered(String),
    /// Earlier attempts have left it.
    Left(Earlier),
}

fn decide(standing: &Stored, wish: &Wish<'_>) -> Standing {
    if standing.holder == wish.owner {
        return Standing::Ours;
    }
    if standing.fingerprint != wish.fingerprint {
        return Standing::Different;
    }
    match &standing.answer {
        Some(answer) => Standing::Answered(answer.clone()),
        None if standing.lease_until > wish.now => Standing::Held,
        None => {
            let (lease, lag) = (wish.until - wish.now, wish.over - wish.until);
            let before = (standing.lease_until - lease, standing.lease_until + lag);
            let (began, over) = standing.began.map_or(before, |began| (began, standing.over_at));
            Standing::Left(Earlier { began, over })
        }
    }
}

impl RequestTable {
    /// The requests of a deployment.
    #[must_use]
    pub fn new(tables: Tables) -> Self {
        Self(tables)
    }

    async fn try_begin(&self, wish: Wish<'_>) -> Result<Begun, TableError> {
        let mut wanted = Stored::of(wish, wish.now);
        let unused = "attribute_not_exists(pk) OR expires_at < :seconds";
        let put =
            self.put(&wanted, unused)?.expression_attribute_values(":seconds", number(wish.now / 1_000));
        let standing = match put_outcome(put.send().await, |_| None)? {
            Outcome::Written(_) => return Ok(Begun::First),
            // Deleted between the condition and its report: whoever asks again will be the first.
            Outcome::Refused(None) => return Ok(Begun::InFlight),
            Outcome::Refused(Some(standing)) => read::<Stored>(standing)?,
        };
        let earlier = match decide(&standing, &wish) {
            Standing::Ours => return Ok(Begun::First),
            Standing::Different => return Ok(Begun::Different),
            Standing::Held => return Ok(Begun::InFlight),
            Standing::Answered(answer) => {
                return serde_json::from_str(&answer).map(Begun::Done).map_err(failed);
            }
            Standing::Left(earlier) => earlier,
        };
        wanted.began = Some(earlier.began);
        let as_read = "holder = :holder AND lease_until = :lease AND attribute_not_exists(answer)";
        let put = self.put(&wanted, as_read)?;
        let put = put.expression_attribute_values(":holder", text(&standing.holder));
        let put = put.expression_attribute_values(":lease", number(standing.lease_until));
        match put_outcome(put.send().await, |_| None)? {
            Outcome::Written(_) => Ok(Begun::Resumed(earlier)),
            // Our own write, whose answer was lost on the way and which the SDK has repeated.
            Outcome::Refused(Some(now)) if read::<Stored>(now.clone())?.holder == wanted.holder => {
                Ok(Begun::Resumed(earlier))
            }
            Outcome::Refused(_) => Ok(Begun::InFlight),
        }
    }

    fn put(&self, wanted: &Stored, condition: &str) -> Result<PutItemFluentBuilder, TableError> {
        let put = self.0.client().put_item().table_name(self.0.name("requests"));
        Ok(put
            .set_item(Some(item(wanted)?))
            .condition_expression(condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld))
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

    async fn try_give_back(&self, key: &str, owner: &str, earlier: Earlier) -> Result<(), TableError> {
        let sent = self
            .0
            .client()
            .update_item()
            .table_name(self.0.name("requests"))
            .key(KEY, text(key))
            .update_expression("SET lease_until = :free, over_at = :over")
            .condition_expression("holder = :owner AND attribute_not_exists(answer)")
            .expression_attribute_values(":free", number(0))
            .expression_attribute_values(":over", number(earlier.over))
            .expression_attribute_values(":owner", text(owner))
            .send()
            .await;
        update_outcome(sent, |_| None).map(drop)
    }

    async fn try_forget(&self, key: &str, owner: &str) -> Result<(), TableError> {
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
    async fn begin(&self, wish: Wish<'_>) -> Result<Begun, IdempotencyError> {
        self.try_begin(wish).await.map_err(refused)
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

    async fn forget(&self, key: &str, owner: &str) -> Result<(), IdempotencyError> {
        self.try_forget(key, owner).await.map_err(refused)
    }

    async fn give_back(&self, key: &str, owner: &str, earlier: Earlier) -> Result<(), IdempotencyError> {
        self.try_give_back(key, owner, earlier).await.map_err(refused)
    }
}
