//! What a renewal of a subscription asks for, whoever asks: the API and the schedule must not have ideas of their own.

use serde_json::json;

use crate::{Request, operations::UPDATE_SUBSCRIPTION};

/// The longest life of a webhook subscription: ten years, in seconds (RingCentral's OpenAPI, `expiresIn` of
/// `UpdateSubscriptionRequest`).
pub const LONGEST_LIFE: u32 = 315_360_000;

/// A renewal of this subscription for so many seconds; for [`LONGEST_LIFE`] if none are chosen.
///
/// It is an update, because `renewSubscription` has no body and renews for "the default expiration time": seven days,
/// however long the life was that creation asked for. Nor does RingCentral tell that life afterwards (`expirationTime`
/// moves with every renewal), so a renewal asks for the longest, which is never less than what is left.
#[must_use]
pub fn renewal(subscription: &str, seconds: Option<u32>) -> Request {
    Request {
        body: Some(json!({ "expiresIn": seconds.unwrap_or(LONGEST_LIFE) })),
        ..Request::of(&UPDATE_SUBSCRIPTION).parameter("subscriptionId", subscription)
    }
}
