//! Sites: the locations of a multi-site account.

use clock::Millis;
use ringcentral::{
    CallError, Page, Request, RingCentral,
    operations::{CREATE_SITE, LIST_SITES},
};
use serde_json::{Value, value::RawValue};
use tenant::TenantId;

use crate::{
    once::{Earlier, Look, create_once},
    verdict::{self, Like, Seen},
};

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
    /// Those of [`create_once`].
    pub async fn create(
        &self,
        tenant: &TenantId,
        wanted: &Value,
        earlier: Option<Earlier>,
    ) -> Result<Box<RawValue>, CallError> {
        let request = Request::of(&CREATE_SITE).body(wanted.clone());
        create_once(&self.0, tenant, &request, earlier, |began| self.look(tenant, wanted, began)).await
    }

    /// The site that an attempt at this creation left behind. RingCentral does not say when a site was made, so only one with
    /// the number that was asked for is certainly that one.
    async fn look(&self, tenant: &TenantId, wanted: &Value, began: Millis) -> Result<Look, CallError> {
        let of = |site: &Value, field: &str| match site.get(field)? {
            Value::String(text) => Some(text.trim().to_owned()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let number = of(wanted, "extensionNumber");
        let like = |site: &RawValue| {
            let site: Value = serde_json::from_str(site.get()).unwrap_or_default();
            let same = |field: &str| of(wanted, field).is_none_or(|value| of(&site, field) == Some(value));
            (same("name") && same("extensionNumber")).then_some(Like {
                exact: true,
                unique: number.is_some(),
                created: None,
            })
        };
        let page = self.list(tenant).await?;
        let all = page.navigation.is_none_or(|navigation| navigation.next_page.is_none());
        let (sites, likes): (Vec<_>, Vec<_>) =
            page.records.into_iter().filter_map(|site| like(&site).map(|like| (site, like))).unzip();
        match verdict::seen(&likes, began, all) {
            (Seen::Found, Some(index)) => {
                Ok(sites.into_iter().nth(index).map_or(Look::Doubtful, Look::Found))
            }
            (Seen::Nothing, _) => Ok(Look::Nothing),
            _ => Ok(Look::Doubtful),
        }
    }
}
