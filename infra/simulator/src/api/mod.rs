//! The resources: which function answers which operation, and the lookups they share. They read and change the
//! state they are given and never wait; the one operation that talks to the outside is `createSubscription`,
//! which the pipeline drives.

mod account;
mod call_log;
mod extension_input;
mod extensions;
mod messages;
mod sites;
pub(crate) mod subscriptions;

use crate::call::{Call, Owner, Reply};
use crate::clock::Clock;
use crate::error::ApiError;
use crate::operation::Operation;
use crate::state::State;
use crate::world::World;

/// Answers an operation of an authenticated caller.
pub(crate) fn answer(
    state: &mut State,
    clock: &Clock,
    call: &Call,
    owner: &Owner,
) -> Result<Reply, ApiError> {
    let world = &mut state.world;
    if call.row.path.contains("{accountId}") {
        check_account(world, call)?;
    }
    match call.row.operation {
        Operation::ReadApiVersions => Ok(account::versions(call)),
        Operation::ReadAccountInfo => Ok(account::read(world, call)),
        Operation::ListExtensions => extensions::list(world, call),
        Operation::CreateExtension => extensions::create(world, call),
        Operation::ReadExtension => extensions::read(world, call, owner),
        Operation::UpdateExtension => extensions::update(world, call, owner),
        Operation::DeleteExtension => extensions::delete(world, call, owner),
        Operation::ListSites => Ok(sites::list(world, call)),
        Operation::CreateSite => sites::create(world, call),
        Operation::ReadSite => sites::read(world, call),
        Operation::UpdateSite => sites::update(world, call),
        Operation::DeleteSite => sites::delete(world, call),
        Operation::ReadCompanyCallLog | Operation::ReadUserCallLog => call_log::list(world, call, owner),
        Operation::ReadCompanyCallRecord | Operation::ReadUserCallRecord => {
            call_log::read(world, call, owner)
        }
        Operation::ListMessages => messages::list(world, call, owner),
        Operation::ReadMessage => messages::read(world, call, owner),
        Operation::ListSubscriptions => Ok(subscriptions::list(state, clock, call, owner)),
        Operation::ReadSubscription => subscriptions::read(state, clock, call, owner),
        Operation::UpdateSubscription => subscriptions::update(state, clock, call, owner),
        Operation::DeleteSubscription => subscriptions::delete(state, call, owner),
        Operation::RenewSubscription => subscriptions::renew(state, clock, call, owner),
        Operation::GetToken | Operation::RevokeToken | Operation::CreateSubscription => {
            Err(ApiError::new(http::StatusCode::NOT_FOUND, "CMN-120", "Invalid URI"))
        }
    }
}

/// The account is the caller's own: `~` or its id. CMN-102 otherwise.
fn check_account(world: &World, call: &Call) -> Result<(), ApiError> {
    let given = call.parameter("accountId");
    let own = given == "~" || given.parse() == Ok(world.account_id);
    if own { Ok(()) } else { Err(ApiError::not_found("accountId")) }
}

/// The extension of the path: `~` is the caller's own. CMN-102 when there is none.
fn extension_id(world: &World, call: &Call, owner: &Owner) -> Result<u64, ApiError> {
    let id = match call.parameter("extensionId") {
        "~" => Some(owner.user),
        text => text.parse().ok(),
    };
    id.filter(|id| world.extensions.contains_key(id)).ok_or_else(|| ApiError::not_found("extensionId"))
}
