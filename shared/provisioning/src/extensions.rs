//! Extensions: users, call queues and everything else that has a short number.

use clock::Millis;
use ringcentral::{
    CallError, Page, Request, RingCentral,
    models::Extension,
    operations::{CREATE_EXTENSION, DELETE_EXTENSION, LIST_EXTENSIONS, READ_EXTENSION, UPDATE_EXTENSION},
};
use serde_json::{Value, value::RawValue};
use tenant::TenantId;

use crate::{
    likeness,
    once::{Earlier, Look, create_once},
    verdict::{self, Seen},
};

/// Which extensions to list. Empty means all.
#[derive(Debug, Clone, Default)]
pub struct ExtensionFilter {
    /// Only these statuses.
    pub status: Vec<String>,
    /// Only these types.
    pub kind: Vec<String>,
    /// Only these email addresses.
    pub email: Vec<String>,
    /// Only this short number.
    pub extension_number: Option<String>,
    /// From 1.
    pub page: Option<u32>,
    /// Records a page.
    pub per_page: Option<u32>,
}

impl ExtensionFilter {
    /// The filter as RingCentral's query parameters.
    #[must_use]
    pub fn query(&self) -> Vec<(String, String)> {
        let mut query = Vec::new();
        let mut add = |name: &str, value: &str| query.push((name.to_owned(), value.to_owned()));
        self.status.iter().for_each(|value| add("status", value));
        self.kind.iter().for_each(|value| add("type", value));
        self.email.iter().for_each(|value| add("email", value));
        self.extension_number.iter().for_each(|value| add("extensionNumber", value));
        self.page.iter().for_each(|value| add("page", &value.to_string()));
        self.per_page.iter().for_each(|value| add("perPage", &value.to_string()));
        query
    }
}

/// The extensions of a tenant's account.
#[derive(Debug, Clone)]
pub struct Extensions(RingCentral);

impl Extensions {
    /// Extensions through this client.
    #[must_use]
    pub fn new(client: RingCentral) -> Self {
        Self(client)
    }

    /// One page of extensions.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn list(&self, tenant: &TenantId, filter: &ExtensionFilter) -> Result<Page, CallError> {
        let request = filter
            .query()
            .into_iter()
            .fold(Request::of(&LIST_EXTENSIONS), |request, (name, value)| request.query(name, value));
        self.0.page(tenant, &request).await
    }

    /// Creates an extension, once: when an attempt's outcome is unknown it looks before it tries again.
    ///
    /// # Errors
    /// Those of [`create_once`].
    pub async fn create(
        &self,
        tenant: &TenantId,
        wanted: &Value,
        earlier: Option<Earlier>,
    ) -> Result<Box<RawValue>, CallError> {
        let request = Request::of(&CREATE_EXTENSION).body(wanted.clone());
        create_once(&self.0, tenant, &request, earlier, |began| self.look(tenant, wanted, began)).await
    }

    /// One extension, whole.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn read(&self, tenant: &TenantId, id: &str) -> Result<Box<RawValue>, CallError> {
        self.0.raw(tenant, &Request::of(&READ_EXTENSION).parameter("extensionId", id)).await
    }

    /// Changes the given fields of an extension.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn update(
        &self,
        tenant: &TenantId,
        id: &str,
        changes: &Value,
    ) -> Result<Box<RawValue>, CallError> {
        let request = Request::of(&UPDATE_EXTENSION).parameter("extensionId", id);
        self.0.raw(tenant, &request.body(changes.clone())).await
    }

    /// Deletes an extension. Its phone numbers stay in the inventory unless the query says otherwise.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn delete(
        &self,
        tenant: &TenantId,
        id: &str,
        keep: &[(String, bool)],
    ) -> Result<(), CallError> {
        let request = Request::of(&DELETE_EXTENSION).parameter("extensionId", id);
        let request =
            keep.iter().fold(request, |request, (name, value)| request.query(name, value.to_string()));
        self.0.call(tenant, &request).await.map(drop)
    }

    /// The extension that an attempt at this creation left behind.
    async fn look(&self, tenant: &TenantId, wanted: &Value, began: Millis) -> Result<Look, CallError> {
        let Some(filter) = likeness::filter(wanted) else { return Ok(Look::Impossible) };
        let page = self.list(tenant, &filter).await?;
        let all = page.navigation.is_none_or(|navigation| navigation.next_page.is_none());
        let (mut likes, mut ids) = (Vec::new(), Vec::new());
        for record in &page.records {
            let Ok(extension) = serde_json::from_str::<Extension>(record.get()) else { continue };
            if let Some(like) = likeness::like(&extension, wanted) {
                likes.push(like);
                ids.push(extension.id.0);
            }
        }
        match verdict::seen(&likes, began, all) {
            // The list leaves fields out that the creation returns.
            (Seen::Found, Some(index)) => self.read(tenant, &ids[index]).await.map(Look::Found),
            (Seen::Nothing, _) => Ok(Look::Nothing),
            _ => Ok(Look::Doubtful),
        }
    }
}
