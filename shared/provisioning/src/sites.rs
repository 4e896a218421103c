//! Sites: the locations of a multi-site account.

use ringcentral::{
    CallError, Page, Request, RingCentral,
    operations::{CREATE_SITE, LIST_SITES},
};
use serde_json::{Value, value::RawValue};
use tenant::TenantId;

use crate::LookFirst;

/// The sites of a tenant's account.
#[derive(Debug, Clone)]
pub struct Sites(RingCentral);

impl Sites {
    /// Sites through this client.
    #[must_use]
    pub fn new(client: RingCentral) -> Self {
        Self(client)
    }

    /// All sites; RingCentral does not page them.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn list(&self, tenant: &TenantId) -> Result<Page, CallError> {
        self.0.page(tenant, &Request::of(&LIST_SITES)).await
    }

    /// Creates a site, once: when an attempt's outcome is unknown it looks before it tries again.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn create(
        &self,
        tenant: &TenantId,
        wanted: &Value,
        look_first: LookFirst,
    ) -> Result<Box<RawValue>, CallError> {
        if look_first.0
            && let Some(found) = self.look(tenant, wanted).await?
        {
            return Ok(found);
        }
        let request = Request::of(&CREATE_SITE).json(wanted).map_err(|error| unreadable(&error))?;
        match self.0.call(tenant, &request).await {
            Ok(answer) => answer.raw().map_err(|error| unreadable(&error)),
            Err(error) if error.is_ambiguous() => match self.look(tenant, wanted).await {
                Ok(Some(found)) => Ok(found),
                Ok(None) => self.0.call(tenant, &request).await?.raw().map_err(|error| unreadable(&error)),
                Err(_) => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// A site with this name and number: an earlier attempt left it behind.
    async fn look(&self, tenant: &TenantId, wanted: &Value) -> Result<Option<Box<RawValue>>, CallError> {
        let sites = self.list(tenant).await?.records;
        Ok(sites.into_iter().find(|site| {
            let site: Value = serde_json::from_str(site.get()).unwrap_or_default();
            ["name", "extensionNumber"]
                .iter()
                .all(|field| wanted.get(field).is_none_or(|w| site.get(field) == Some(w)))
        }))
    }
}

fn unreadable(error: &serde_json::Error) -> CallError {
    CallError::Unreadable { operation: "site", reason: error.to_string() }
}
