//! What the routes promise to return. What RingCentral sends comes back whole, so everything but an id may be missing here, and
//! whatever is not named here may be there.

use serde::Serialize;
use utoipa::ToSchema;

use crate::models::{KnownStatus, KnownType};

/// An extension as RingCentral sends it, whole: only `id` is always there.
#[derive(Serialize, ToSchema)]
#[schema(as = Extension)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExtensionShape {
    id: i64,
    uri: Option<String>,
    /// Missing for some, such as users that were never given one.
    extension_number: Option<String>,
    name: Option<String>,
    #[serde(rename = "type")]
    #[schema(value_type = KnownType, required = false)]
    kind: String,
    #[schema(value_type = KnownStatus, required = false)]
    status: String,
    contact: Option<ContactShape>,
}

/// Who an extension belongs to, as RingCentral sends it.
#[derive(Serialize, ToSchema)]
#[schema(as = ExtensionContact)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ContactShape {
    /// What is no user has its name here.
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
}

/// A page of extensions; links lead to this gateway.
#[derive(Serialize, ToSchema)]
#[schema(as = ExtensionPage)]
pub(crate) struct ExtensionPageShape {
    records: Vec<ExtensionShape>,
    paging: Option<PagingShape>,
    navigation: Option<PageLinksShape>,
}

/// A site as RingCentral sends it, whole: only `id` is always there.
#[derive(Serialize, ToSchema)]
#[schema(as = Site)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SiteShape {
    /// `main-site`, or digits.
    id: String,
    uri: Option<String>,
    name: Option<String>,
    extension_number: Option<String>,
    email: Option<String>,
    /// The site's code, where the account uses them.
    code: Option<String>,
}

/// All sites: RingCentral does not page them.
#[derive(Serialize, ToSchema)]
#[schema(as = SitePage)]
pub(crate) struct SitePageShape {
    records: Vec<SiteShape>,
    paging: Option<PagingShape>,
    navigation: Option<PageLinksShape>,
}

/// Where a page stands.
#[derive(Serialize, ToSchema)]
#[schema(as = Paging)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PagingShape {
    /// From 1.
    page: Option<i64>,
    per_page: Option<i64>,
    /// The first record of this page among all, from 0.
    page_start: Option<i64>,
    /// The last record of this page among all.
    page_end: Option<i64>,
    /// Missing where RingCentral does not count.
    total_pages: Option<i64>,
    /// Missing where RingCentral does not count.
    total_elements: Option<i64>,
}

/// The neighbours of a page.
#[derive(Serialize, ToSchema)]
#[schema(as = PageLinks)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageLinksShape {
    first_page: Option<PageLinkShape>,
    /// Missing on the first page.
    previous_page: Option<PageLinkShape>,
    /// Missing on the last page.
    next_page: Option<PageLinkShape>,
    /// Missing where RingCentral does not count.
    last_page: Option<PageLinkShape>,
}

/// A link to a page.
#[derive(Serialize, ToSchema)]
#[schema(as = PageLink)]
pub(crate) struct PageLinkShape {
    /// A path of this gateway with its query.
    uri: String,
}
