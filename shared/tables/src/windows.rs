//! Rate windows: one item for each bucket, one conditional write for each reservation.

use async_trait::async_trait;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use gate::{Bucket, StoreError, Window, WindowStore, Written};

use crate::{
    TableError, Tables,
    client::{Outcome, item, number, put_outcome, read, text},
    schema::KEY,
};

/// [`WindowStore`] in DynamoDB.
#[derive(Debug, Clone)]
pub struct WindowTable(Tables);

impl WindowTable {
    /// The windows of a deployment.
    #[must_use]
    pub fn new(tables: Tables) -> Self {
        Self(tables)
    }

    async fn try_write(&self, bucket: &Bucket, expected: u64, next: &Window) -> Result<Written, TableError> {
        let mut stored = item(next)?;
        stored.insert(KEY.to_owned(), text(bucket.key()));
        let request = self.0.client().put_item().table_name(self.0.name("windows")).set_item(Some(stored));
        let request = match expected {
            0 => request.condition_expression("attribute_not_exists(pk)"),
            _ => request
                .condition_expression("#version = :expected")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":expected", number(expected)),
        };
        let request =
            request.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match put_outcome(request.send().await, |_| None)? {
            Outcome::Written(_) => Ok(Written::Yes),
            Outcome::Refused(Some(fresh)) => Ok(Written::LostTo(read(fresh)?)),
            // The item is gone: the table was emptied under a running fleet.
            Outcome::Refused(None) => Ok(Written::LostTo(Window::unused(&bucket.group))),
        }
    }
}

#[async_trait]
impl WindowStore for WindowTable {
    async fn read(&self, bucket: &Bucket) -> Result<Option<Window>, StoreError> {
        self.0.get("windows", &bucket.key()).await.map_err(|error| StoreError(Box::new(error)))
    }

    async fn write(&self, bucket: &Bucket, expected: u64, next: &Window) -> Result<Written, StoreError> {
        self.try_write(bucket, expected, next).await.map_err(|error| StoreError(Box::new(error)))
    }

    async fn buckets(&self) -> Result<Vec<Bucket>, StoreError> {
        let keys = self.0.keys("windows").await.map_err(|error| StoreError(Box::new(error)))?;
        Ok(keys.iter().filter_map(|key| Bucket::of_key(key)).collect())
    }
}
