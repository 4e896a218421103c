//! The bodies of `/api/webhooks/subscriptions`: what may be asked for, and what is answered.

use ringcentral::LONGEST_LIFE;
use serde::Serialize;
use serde_json::Value;
use trunkline_http::{Accept, Object, Violations, words};
use utoipa::ToSchema;

/// Where deliveries arrive.
pub(crate) const RECEIVER: &str = "/api/webhooks/events";
const NO_FILTER: &str = "must name at least one filter";
/// What the paths of RingCentral's APIs begin with (its OpenAPI description).
const ROOTS: [&str; 7] = ["restapi", "team-messaging", "ai", "webinar", "rcvideo", "analytics", "scim"];

words!(
    Transport: one_of &["WebHook"],
    SubscriptionStatus: open_set &["Active", "Suspended", "Blacklisted"],
);

/// A subscription to be created.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewSubscription {
    /// RingCentral's event filters, such as `/restapi/v1.0/account/~/telephony/sessions`; at least one. `docs/events.md` has
    /// a table of them.
    #[schema(required, nullable = false, min_items = 1)]
    pub(crate) event_filters: Option<Vec<String>>,
    /// May be left out: this gateway receives, at an address and with a token of its own choice.
    #[schema(nullable = false)]
    #[serde(default)]
    delivery_mode: Option<DeliveryMode>,
    /// Seconds, 60 to 315360000 (ten years, the default).
    #[serde(default)]
    #[schema(minimum = 60, maximum = 315_360_000, nullable = false)]
    pub(crate) expires_in: Option<i64>,
}

/// How events are delivered.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct DeliveryMode {
    #[schema(value_type = Transport, required = true)]
    transport_type: Option<String>,
    /// An address of this gateway (`https://<its host>/api/webhooks/events`), as clients of Gateway v2 send it.
    #[schema(nullable = false)]
    #[serde(default)]
    address: Option<String>,
    /// `false`, if it is there at all: RingCentral encrypts no webhooks.
    #[schema(nullable = false)]
    #[serde(default)]
    encryption: Option<bool>,
}

impl Accept for NewSubscription {
    fn read(object: &mut Object<'_>) -> Self {
        object.require(object.has("eventFilters"), "eventFilters", NO_FILTER);
        let event_filters = object.texts("eventFilters").inspect(|filters| {
            object.require(!filters.is_empty(), "eventFilters", NO_FILTER);
            for (index, filter) in filters.iter().enumerate() {
                let field = format!("eventFilters[{index}]");
                let reason = "must be a path of RingCentral's, such as /restapi/v1.0/account/~/presence";
                object.require(is_path(filter), &field, reason);
            }
        });
        let delivery_mode = object.object("deliveryMode", DeliveryMode::read);
        Self { event_filters, delivery_mode, expires_in: life(object) }
    }
}

impl NewSubscription {
    /// Notes what is wrong for this gateway. `doors` are the URLs under which RingCentral and clients reach it.
    pub(crate) fn judge(&self, doors: &[&str], violations: &mut Violations) {
        let address = self.delivery_mode.as_ref().and_then(|mode| mode.address.as_deref());
        violations.require(
            address.is_none_or(|address| is_ours(address, doors)),
            "deliveryMode.address",
            "must be left out, or be /api/webhooks/events on a host of this gateway: events are delivered here",
        );
    }
}

impl DeliveryMode {
    fn read(object: &mut Object<'_>) -> Self {
        let transport_type = object.text("transportType");
        object.require(transport_type.as_deref() == Some("WebHook"), "transportType", "must be WebHook");
        let encryption = object.flag("encryption");
        object.require(encryption != Some(true), "encryption", "must be left out or false");
        object.refuse(
            "verificationToken",
            "must be left out: this gateway chooses the token itself, and checks it",
        );
        object.refuse("expiresIn", "must be beside deliveryMode and not in it, where RingCentral ignores it");
        Self { transport_type, address: object.text("address"), encryption }
    }
}

/// Whether a filter can be a path of RingCentral's at all; whether there is such a filter is RingCentral's to say.
fn is_path(filter: &str) -> bool {
    let mut segments = filter.split(['?', '#']).next().unwrap_or_default().split('/');
    filter.len() <= 1_024
        && filter.bytes().all(|c| c.is_ascii_graphic())
        && segments.next() == Some("")
        && segments.next().is_some_and(|root| ROOTS.contains(&root))
        && segments.clone().count() >= 2
        && segments.all(|segment| !matches!(segment, "" | "." | ".."))
}

/// Whether an address is the receiver's, at a host of this gateway. Schemes may differ: something before us may end TLS.
fn is_ours(address: &str, doors: &[&str]) -> bool {
    let split = |url: &str| {
        let (_, rest) = url.split_once("://")?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        Some((host.to_ascii_lowercase(), path.trim_end_matches('/').to_owned()))
    };
    let Some((host, path)) = split(address) else { return false };
    doors.iter().filter_map(|door| split(door)).any(|(ours, at)| host == ours && path == at + RECEIVER)
}

/// How long to renew for.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Renewal {
    /// Seconds from now, 60 to 315360000. Left out: 315360000 (ten years), as at creation, which never shortens a life. A
    /// life that is chosen here is taken as it is, so a shorter one ends the subscription earlier.
    #[serde(default)]
    #[schema(minimum = 60, maximum = 315_360_000, nullable = false)]
    pub(crate) expires_in: Option<i64>,
}

impl Accept for Renewal {
    fn read(object: &mut Object<'_>) -> Self {
        Self { expires_in: life(object) }
    }
}

fn life(object: &mut Object<'_>) -> Option<i64> {
    let reason = "must be a whole number of seconds from 60 to 315360000 (ten years)";
    object.whole("expiresIn", reason, |seconds| (60..=i64::from(LONGEST_LIFE)).contains(&seconds))
}

/// A subscription as RingCentral sends it, whole; the fields here are the ones it always has, and what is worth a look.
#[derive(Serialize, ToSchema)]
#[schema(as = Subscription)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionShape {
    id: String,
    uri: String,
    event_filters: Vec<String>,
    /// Filters that were accepted but deliver nothing, each with its reason; missing where there are none. Look at this after
    /// creating.
    #[schema(value_type = Option<Vec<Object>>, nullable = false)]
    disabled_filters: Option<Vec<Value>>,
    #[schema(format = DateTime)]
    creation_time: String,
    #[schema(format = DateTime)]
    expiration_time: String,
    /// Seconds until it ends.
    expires_in: i64,
    /// `Active`, or `Blacklisted` once RingCentral has stopped delivering: `blacklistedData` tells why. A renewal does not
    /// bring it back; delete it and create another.
    #[schema(value_type = SubscriptionStatus)]
    status: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_root_of_ringcentrals_operations_is_known() {
        for operation in ringcentral::operations::all().filter(|one| !one.path.starts_with("/.well-known")) {
            let root = operation.path.split('/').nth(1).unwrap_or_default();
            assert!(ROOTS.contains(&root), "{}", operation.path);
        }
    }

    #[test]
    fn a_filter_is_a_path_of_ringcentrals() {
        for filter in [
            "/restapi/v1.0/account/~/presence?detailedTelephonyState=true",
            "/restapi/v1.0/subscription/~?threshold=60&interval=15",
            "/team-messaging/v1/posts",
            "/ai/ringsense/v1/public/accounts/~/domains/pbx/insights",
        ] {
            assert!(is_path(filter), "{filter}");
        }
        for filter in ["", "/", "/nope", "/restapi", "/restapi/v1.0", "restapi/v1.0/x", "//restapi/v1.0/x"] {
            assert!(!is_path(filter), "{filter}");
        }
        for filter in
            ["/restapi/v1.0/../x", "/restapi/v1.0/x/", "https://x/restapi/v1.0/x", "/restapi/v1.0/ü"]
        {
            assert!(!is_path(filter), "{filter}");
        }
    }

    #[test]
    fn an_address_is_ours_by_host_and_path() {
        let doors = ["https://gateway.example.com", "http://127.0.0.1:8184/behind"];
        for ours in [
            "https://gateway.example.com/api/webhooks/events",
            "https://GATEWAY.example.com/api/webhooks/events/",
            "http://127.0.0.1:8184/behind/api/webhooks/events",
        ] {
            assert!(is_ours(ours, &doors), "{ours}");
        }
        for other in [
            "https://elsewhere.example/api/webhooks/events",
            "https://gateway.example.com.evil.example/api/webhooks/events",
            "https://gateway.example.com:444/api/webhooks/events",
            "https://gateway.example.com/api/webhooks/events/acme/1",
            "https://gateway.example.com",
            "gateway.example.com/api/webhooks/events",
        ] {
            assert!(!is_ours(other, &doors), "{other}");
        }
    }
}
