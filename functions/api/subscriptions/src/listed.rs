//! The list of subscriptions: RingCentral's, in the shape of every list of this gateway. RingCentral gives all of them at once
//! (at most 30), so pages are cut here.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, value::RawValue};
use utoipa::ToSchema;

use crate::models::SubscriptionShape;

/// Where the list is served.
const PATH: &str = "/api/webhooks/subscriptions";

/// A page of the subscriptions of the service user in this app, in RingCentral's order.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionPage {
    records: Vec<Box<RawValue>>,
    paging: Paging,
    navigation: Navigation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    same_address: Vec<Vec<String>>,
}

/// A page of the subscriptions of the service user in this app, in RingCentral's order.
#[derive(Serialize, ToSchema)]
#[schema(as = SubscriptionPage)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionPageShape {
    records: Vec<SubscriptionShape>,
    paging: Paging,
    navigation: Navigation,
    /// The ids of subscriptions that deliver to one address, so that each event comes by each of them; missing where there are
    /// none, and independent of the page. Delete all but one.
    #[schema(required = false)]
    same_address: Vec<Vec<String>>,
}

/// Where a page stands.
#[derive(Serialize, ToSchema)]
#[schema(as = SubscriptionPaging)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Paging {
    /// From 1.
    page: usize,
    per_page: usize,
    total_pages: usize,
    total_elements: usize,
    /// The place of the page's first record in the list, from 0; missing on an empty page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    page_start: Option<usize>,
    /// The place of its last record.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    page_end: Option<usize>,
}

/// The neighbours of a page, on this gateway.
#[derive(Serialize, ToSchema)]
#[schema(as = SubscriptionNavigation)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Navigation {
    first_page: Link,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    previous_page: Option<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_page: Option<Link>,
    last_page: Link,
}

/// A link to a page.
#[derive(Serialize, ToSchema)]
#[schema(as = SubscriptionLink)]
pub(crate) struct Link {
    uri: String,
}

impl SubscriptionPage {
    /// This page (from 1) of so many records.
    pub(crate) fn of(all: Vec<Box<RawValue>>, page: usize, per_page: usize) -> Self {
        let (total_elements, total_pages) = (all.len(), all.len().div_ceil(per_page).max(1));
        let start = page.saturating_sub(1).saturating_mul(per_page).min(total_elements);
        let same_address = same_address(&all);
        let records: Vec<_> = all.into_iter().skip(start).take(per_page).collect();
        let link = |page: usize| Link { uri: format!("{PATH}?page={page}&perPage={per_page}") };
        let shown = (!records.is_empty()).then_some(start);
        Self {
            paging: Paging {
                page,
                per_page,
                total_pages,
                total_elements,
                page_start: shown,
                page_end: shown.map(|start| start + records.len() - 1),
            },
            navigation: Navigation {
                first_page: link(1),
                previous_page: (page > 1).then(|| link((page - 1).min(total_pages))),
                next_page: (page < total_pages).then(|| link(page + 1)),
                last_page: link(total_pages),
            },
            records,
            same_address,
        }
    }
}

fn same_address(records: &[Box<RawValue>]) -> Vec<Vec<String>> {
    let mut ids = BTreeMap::<String, Vec<String>>::new();
    for record in records {
        let record: Value = serde_json::from_str(record.get()).unwrap_or_default();
        let address = record.pointer("/deliveryMode/address").and_then(Value::as_str);
        if let (Some(address), Some(id)) = (address, record["id"].as_str()) {
            ids.entry(address.to_owned()).or_default().push(id.to_owned());
        }
    }
    ids.into_values().filter(|ids| ids.len() > 1).collect()
}
