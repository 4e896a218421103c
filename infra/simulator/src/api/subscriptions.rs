//! Subscriptions as resources. Creating one has three steps because the handshake lies between checking the
//! request and storing the result: [`Draft::read`], the handshake, [`Draft::store`].

use std::collections::BTreeMap;

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::call::{Call, Owner, Reply};
use crate::clock::{Clock, later};
use crate::config::Config;
use crate::error::ApiError;
use crate::state::State;
use crate::subscriptions::filter::Filter;
use crate::subscriptions::{DEFAULT_LIFE, DisabledFilter, LONGEST, MOST, Subscription, webhook};
use crate::world::World;

/// A checked request to create a subscription.
#[derive(Debug)]
pub(crate) struct Draft {
    subscription: Subscription,
    /// Seconds the client asked for.
    life: Option<u64>,
}

impl Draft {
    /// Checks a request.
    ///
    /// # Errors
    /// CMN-100, CMN-101, SUB-406, SUB-505, SUB-508, SUB-516, SUB-523.
    pub(crate) fn read(state: &State, config: &Config, call: &Call, owner: &Owner) -> Result<Self, ApiError> {
        let body = call.json()?;
        let id = Uuid::new_v4().to_string();
        let texts = filter_texts(&body)?.ok_or_else(|| ApiError::missing("eventFilters"))?;
        let (filters, disabled) = filters(&texts, &state.world, config, owner, &id)?;
        let mode = body.get("deliveryMode").and_then(Value::as_object);
        let mode = mode.ok_or_else(|| ApiError::missing("deliveryMode"))?;
        if mode.get("transportType") != Some(&json!("WebHook")) {
            return Err(ApiError::invalid("deliveryMode.transportType"));
        }
        let address = mode.get("address").and_then(Value::as_str).unwrap_or_default();
        if address.is_empty() {
            return Err(ApiError::missing("deliveryMode.address"));
        }
        webhook::check_address(address)?;
        let verification_token = match mode.get("verificationToken") {
            None | Some(Value::Null) => None,
            Some(Value::String(token)) => Some(token.clone()),
            Some(_) => return Err(ApiError::invalid("deliveryMode.verificationToken")),
        };
        let life = life(&body)?;
        check_room(state, owner)?;
        let subscription = Subscription {
            id,
            owner: owner.clone(),
            filters,
            disabled,
            address: address.to_owned(),
            verification_token,
            created: call.now,
            expires: call.now,
            blacklisted: None,
            failing: None,
            reminded: None,
            queue: BTreeMap::new(),
            in_flight: 0,
        };
        Ok(Self { subscription, life })
    }

    /// The address to shake hands with.
    pub(crate) fn address(&self) -> &str {
        &self.subscription.address
    }

    /// The token that every delivery brings.
    pub(crate) fn verification_token(&self) -> Option<&str> {
        self.subscription.verification_token.as_deref()
    }

    /// Stores the subscription once its address answered.
    ///
    /// # Errors
    /// SUB-505 when others took the last places meanwhile.
    pub(crate) fn store(self, state: &mut State, clock: &Clock, call: &Call) -> Result<Reply, ApiError> {
        check_room(state, &self.subscription.owner)?;
        let mut subscription = self.subscription;
        let now = clock.now();
        subscription.created = now;
        subscription.expires = expiry(now, self.life, clock);
        let rendered = subscription.render(&call.base, clock, now);
        state.subscriptions.list.push(subscription);
        Ok(Reply::ok(rendered))
    }
}

fn check_room(state: &State, owner: &Owner) -> Result<(), ApiError> {
    if state.subscriptions.count_of(owner) < MOST {
        return Ok(());
    }
    Err(ApiError::new(StatusCode::FORBIDDEN, "SUB-505", "Subscriptions limit exceeded"))
}

/// The filters of a body; absent when it has none. CMN-101 when they are no list of texts.
fn filter_texts(body: &Map<String, Value>) -> Result<Option<Vec<String>>, ApiError> {
    match body.get("eventFilters") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(values)) if !values.is_empty() => {
            let texts =
                values.iter().map(|value| value.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
            texts.map(Some).ok_or_else(|| ApiError::invalid("eventFilters"))
        }
        Some(_) => Err(ApiError::invalid("eventFilters")),
    }
}

fn filters(
    texts: &[String],
    world: &World,
    config: &Config,
    owner: &Owner,
    id: &str,
) -> Result<(Vec<Filter>, Vec<DisabledFilter>), ApiError> {
    let mut enabled: Vec<Filter> = Vec::new();
    let mut disabled = Vec::new();
    for text in texts {
        let filter = Filter::parse(text, world, owner.user, id)?;
        if config.disabled_filters.iter().any(|end| filter.path.ends_with(end)) {
            disabled.push(DisabledFilter { filter: filter.text });
        } else if enabled.iter().all(|other| other.text != filter.text) {
            enabled.push(filter);
        }
    }
    Ok((enabled, disabled))
}

fn life(body: &Map<String, Value>) -> Result<Option<u64>, ApiError> {
    match body.get("expiresIn") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let seconds = value.as_u64().filter(|seconds| (1..=LONGEST).contains(seconds));
            seconds.map(Some).ok_or_else(|| ApiError::invalid("expiresIn"))
        }
    }
}

fn expiry(now: Timestamp, life: Option<u64>, clock: &Clock) -> Timestamp {
    later(now, life.map_or(DEFAULT_LIFE, |seconds| clock.from_client_seconds(seconds)))
}

/// `listSubscriptions`: those of this user in this app.
pub(super) fn list(state: &State, clock: &Clock, call: &Call, owner: &Owner) -> Reply {
    let own = state.subscriptions.list.iter().filter(|one| one.owner == *owner);
    let records: Vec<Value> = own.map(|one| one.render(&call.base, clock, call.now)).collect();
    Reply::ok(json!({"uri": call.uri(), "records": records}))
}

/// `readSubscription`.
pub(super) fn read(state: &mut State, clock: &Clock, call: &Call, owner: &Owner) -> Result<Reply, ApiError> {
    Ok(Reply::ok(own(state, call, owner)?.render(&call.base, clock, call.now)))
}

/// `updateSubscription`: replaces the filters when there are new ones and always renews.
pub(super) fn update(
    state: &mut State,
    clock: &Clock,
    call: &Call,
    owner: &Owner,
) -> Result<Reply, ApiError> {
    let body = call.json_or_empty()?;
    let life = life(&body)?;
    let id = own(state, call, owner)?.id.clone();
    let config = state.config.clone();
    let replaced = match filter_texts(&body)? {
        Some(texts) => Some(filters(&texts, &state.world, &config, owner, &id)?),
        None => None,
    };
    let subscription = own(state, call, owner)?;
    if let Some((enabled, disabled)) = replaced {
        subscription.filters = enabled;
        subscription.disabled = disabled;
    }
    subscription.expires = expiry(call.now, life, clock);
    subscription.reminded = None;
    Ok(Reply::ok(subscription.render(&call.base, clock, call.now)))
}

/// `renewSubscription`: the default lifetime from now on.
pub(super) fn renew(state: &mut State, clock: &Clock, call: &Call, owner: &Owner) -> Result<Reply, ApiError> {
    let subscription = own(state, call, owner)?;
    subscription.expires = expiry(call.now, None, clock);
    subscription.reminded = None;
    Ok(Reply::ok(subscription.render(&call.base, clock, call.now)))
}

/// `deleteSubscription`: what it still owed is lost.
pub(super) fn delete(state: &mut State, call: &Call, owner: &Owner) -> Result<Reply, ApiError> {
    let id = own(state, call, owner)?.id.clone();
    state.drop_subscription(&id);
    Ok(Reply::no_content())
}

/// The subscription of the path. SUB-507 once it expired, CMN-102 when it is not the caller's.
fn own<'a>(state: &'a mut State, call: &Call, owner: &Owner) -> Result<&'a mut Subscription, ApiError> {
    let id = call.parameter("subscriptionId");
    if state.subscriptions.expired.get(id) == Some(owner) {
        return Err(ApiError::new(StatusCode::NOT_FOUND, "SUB-507", "Subscription is expired"));
    }
    let found = state.subscriptions.list.iter_mut().find(|one| one.id == id && one.owner == *owner);
    found.ok_or_else(|| ApiError::not_found("subscriptionId"))
}
