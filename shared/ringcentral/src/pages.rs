//! Lists as streams: follow `navigation.nextPage`, never totals (RingCentral leaves them out where they are dear).

use futures::{Stream, StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tenant::TenantId;

use crate::{CallError, Request, RingCentral};

/// One page as RingCentral sends it. Records are kept byte for byte.
#[derive(Debug, Serialize, Deserialize)]
pub struct Page {
    /// The records of this page.
    #[serde(default)]
    pub records: Vec<Box<RawValue>>,
    /// Where this page stands; `totalPages` and `totalElements` may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paging: Option<Box<RawValue>>,
    /// The neighbours of this page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub navigation: Option<Navigation>,
}

/// Links to other pages.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Navigation {
    /// The first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_page: Option<Link>,
    /// The page before; missing on the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_page: Option<Link>,
    /// The page after; missing on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page: Option<Link>,
    /// The last page, where RingCentral knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_page: Option<Link>,
}

/// A link to a page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Link {
    /// Its URI.
    pub uri: String,
}

impl Link {
    /// The query of the link as pairs. Only this is ever used of it: a link must not choose the host we call.
    #[must_use]
    pub fn query(&self) -> Vec<(String, String)> {
        let absolute = reqwest::Url::parse(&self.uri)
            .or_else(|_| reqwest::Url::parse("https://localhost/").and_then(|base| base.join(&self.uri)));
        absolute.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default()
    }
}

/// All records of a list, page after page, as they are asked for. Ends after the first error.
pub fn records<'a>(
    client: &'a RingCentral,
    tenant: &'a TenantId,
    request: Request,
) -> impl Stream<Item = Result<Box<RawValue>, CallError>> + 'a {
    stream::try_unfold(Some(request), move |next| async move {
        let Some(request) = next else { return Ok::<_, CallError>(None) };
        let page = client.page(tenant, &request).await?;
        let link = page.navigation.and_then(|navigation| navigation.next_page);
        let following = link.map(|link| Request { query: link.query(), ..request });
        Ok(Some((page.records, following)))
    })
    .map_ok(|records| stream::iter(records.into_iter().map(Ok)))
    .try_flatten()
    .boxed_local()
}

impl RingCentral {
    /// Calls a list operation for one page.
    ///
    /// # Errors
    /// Those of [`RingCentral::call`], and [`CallError::Unreadable`] if the answer is no page.
    pub async fn page(&self, tenant: &TenantId, request: &Request) -> Result<Page, CallError> {
        let answer = self.call(tenant, request).await?;
        answer.json().map_err(|error| CallError::unreadable(request.operation(), &error))
    }
}
