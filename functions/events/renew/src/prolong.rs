//! One renewal, and what came of it: only an answer that shows a longer life is one.

use gate::Priority;
use ringcentral::{Answer, CallError, Request, RingCentral, operations::RENEW_SUBSCRIPTION, renewal};
use serde_json::Value;
use tenant::TenantId;

use crate::{
    Failure,
    subscription::{LEAST, Subscription},
};

/// Renews a subscription that is due. A renewal whose answer was lost may have worked: the next list tells, so it is not looked
/// for here.
pub(crate) async fn prolong(
    client: &RingCentral,
    tenant: &TenantId,
    subscription: &Subscription,
) -> Result<(), Failure> {
    let id = &subscription.id;
    let answer = ask(client, tenant, id).await.map_err(|error| Failure::of_renewal(tenant, id, &error))?;
    let told: Value = answer.json().map_err(|_| Failure::unreadable(tenant, id))?;
    let left = told["expiresIn"].as_i64().ok_or_else(|| Failure::unreadable(tenant, id))?;
    if told["status"] == "Blacklisted" {
        let reason = told["blacklistedData"]["reason"].as_str().unwrap_or("it does not say why");
        return Err(Failure::blacklisted(tenant, id, reason));
    }
    if left < LEAST.max(subscription.left.unwrap_or(0)) {
        return Err(Failure::no_longer(tenant, id, left));
    }
    Ok(())
}

/// Where RingCentral does not take a life that is chosen, its own is better than none: what is due has less left than that.
async fn ask(client: &RingCentral, tenant: &TenantId, id: &str) -> Result<Answer, CallError> {
    let chosen = renewal(id, None).priority(Priority::Event);
    match client.call(tenant, &chosen).await {
        Err(error) if error.rejected_with() == Some(400) => {
            let plain = Request::of(&RENEW_SUBSCRIPTION).parameter("subscriptionId", id);
            client.call(tenant, &plain.priority(Priority::Event)).await
        }
        outcome => outcome,
    }
}
