//! The renewal: woken by a schedule, it renews the webhook subscriptions that are near their end.
//!
//! Owns which subscriptions are ours and when one is due. It must never touch a subscription that delivers elsewhere, never
//! leave one with less life than it had, and never let one that can't be renewed keep the others from it. It stores nothing:
//! what is to be done is read from RingCentral each time, so whoever runs it twice finds nothing left to do. It makes no
//! subscription, neither for one that is gone nor for one that RingCentral has given up, and deletes none.

mod failure;
mod prolong;
mod subscription;

use std::sync::Arc;

use context::{Service, Wiring, WiringError};
use futures::future::join_all;
use gate::Priority;
use ringcentral::{Request, RingCentral, operations::LIST_SUBSCRIPTIONS};
use serde::Serialize;
use telemetry::Invocation;
use tenant::TenantId;

use crate::{prolong::prolong, subscription::Subscription};

pub use failure::{Failure, NotRenewed};
pub use subscription::LEAST;

/// What this function may touch.
#[derive(Debug, Clone)]
pub struct Context {
    ringcentral: RingCentral,
    tenants: Arc<[TenantId]>,
    /// Where RingCentral is told to deliver, and where it was told to before there was a URL for that alone.
    doors: Arc<[Arc<str>]>,
}

impl Context {
    /// Takes its ports from the wiring.
    #[must_use]
    pub fn new(wiring: &Wiring) -> Self {
        let config = &wiring.config;
        let doors =
            config.webhook_url.iter().chain([&config.public_url]).map(|url| url.as_str().into()).collect();
        Self { ringcentral: wiring.ringcentral(), tenants: config.tenants.as_slice().into(), doors }
    }
}

/// The function as Lambda starts it, with the connections that the first renewal needs.
///
/// # Errors
/// [`WiringError`] if the environment is not right.
pub async fn function() -> Result<Context, WiringError> {
    let wiring = Wiring::from_env()?;
    // A deployment whose first tenant is still to come has nothing to renew.
    if !wiring.config.tenants.is_empty() {
        tokio::join!(wiring.open(Service::SecretsManager), wiring.open(Service::DynamoDb));
    }
    Ok(Context::new(&wiring))
}

/// What an invocation came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Renewed {
    /// Subscriptions of ours that were found.
    pub found: usize,
    /// Those that were near their end and live longer now.
    pub renewed: usize,
}

/// What became of a tenant's subscriptions.
#[derive(Default)]
struct Tally {
    sum: Renewed,
    failures: Vec<Failure>,
}

/// Renews what is due, of every tenant.
///
/// # Errors
/// [`NotRenewed`] names whatever could not be renewed, after everything else was: whoever woke the function has to try again.
pub async fn renew(context: &Context, request_id: String) -> Result<Renewed, NotRenewed> {
    let invocation = Invocation {
        function: "renew",
        request_id,
        operation: "renew subscriptions".to_owned(),
        status: 200,
        ..Invocation::default()
    };
    telemetry::observe(invocation, of_all(context), |outcome, invocation| {
        let (renewed, failures) = match outcome {
            Ok(sum) => (sum.renewed, 0),
            Err(error) => (error.sum.renewed, error.failures.len()),
        };
        invocation.batch = Some((renewed + failures, failures));
        if failures > 0 {
            invocation.status = 503;
        }
    })
    .await
}

async fn of_all(context: &Context) -> Result<Renewed, NotRenewed> {
    if let [tenant] = &*context.tenants {
        telemetry::tenant(tenant.as_str());
    }
    // Side by side: each has a rate budget of its own, and one whose RingCentral hangs keeps nobody waiting.
    let tallies = join_all(context.tenants.iter().map(|tenant| of_tenant(context, tenant))).await;
    let (mut sum, mut failures) = (Renewed::default(), Vec::new());
    for tally in tallies {
        sum.found += tally.sum.found;
        sum.renewed += tally.sum.renewed;
        failures.extend(tally.failures);
    }
    if failures.is_empty() {
        return Ok(sum);
    }
    let error = NotRenewed { sum, failures };
    telemetry::failed(&error);
    Err(error)
}

async fn of_tenant(context: &Context, tenant: &TenantId) -> Tally {
    let mut tally = Tally::default();
    let list = Request::of(&LIST_SUBSCRIPTIONS).priority(Priority::Event);
    let page = match context.ringcentral.page(tenant, &list).await {
        Ok(page) => page,
        Err(error) => {
            tally.failures.push(Failure::of_list(tenant, &error));
            return tally;
        }
    };
    let ours = page.records.iter().filter_map(|one| Subscription::ours(one, &context.doors, tenant));
    let ours: Vec<_> = ours.collect();
    tally.sum.found = ours.len();
    let doubles = subscription::doubles(&ours);
    tally.failures.extend(doubles.iter().map(|ids| Failure::doubled(tenant, ids)));
    for subscription in ours {
        if let Some(reason) = &subscription.blacklisted {
            tally.failures.push(Failure::blacklisted(tenant, &subscription.id, reason));
        } else if subscription.is_due() {
            match prolong(&context.ringcentral, tenant, &subscription).await {
                Ok(()) => tally.sum.renewed += 1,
                Err(failure) => tally.failures.push(failure),
            }
        }
    }
    tally
}
