//! Sites: the locations of a multi-site account.

use ringcentral::{
    CallError, Page, Request, RingCentral,
    operations::{CREATE_SITE, LIST_SITES},
};
use serde_json::{Value, value::RawValue};
use tenant::TenantId;

use crate::once::{Look, LookFirst, create_once};

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
        let request = Request::of(&CREATE_SITE).json(wanted).map_err(|error| CallError::Unreadable {
            operation: CREATE_SITE.id,
            reason: error.to_string(),
        })?;
        create_once(&self.0, tenant, &request, look_first, || self.look(tenant, wanted)).await
    }

    /// A site with this name and number: an earlier attempt left it behind.
    async fn look(&self, tenant: &TenantId, wanted: &Value) -> Result<Look, CallError> {
        let same = |site: &RawValue| {
            let site: Value = serde_json::from_str(site.get()).unwrap_or_default();
            ["name", "extensionNumber"]
                .iter()
                .all(|field| wanted.get(field).is_none_or(|w| site.get(field) == Some(w)))
        };
        let sites = self.list(tenant).await?.records;
        Ok(sites.into_iter().find(|site| same(site)).map_or(Look::Nothing, Look::Found))
    }
}
