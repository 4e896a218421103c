//! DynamoDB's own time: every response bears a `Date`, and all containers of a fleet hear the same clock in it.

use aws_sdk_dynamodb::{
    Client,
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef},
    },
    error::BoxError,
};
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use clock::{Bounded, Millis};

/// A client of DynamoDB that tells `clock` about every response's `Date`.
#[must_use]
pub fn client(sdk: &aws_config::SdkConfig, clock: Bounded) -> Client {
    let config = aws_sdk_dynamodb::config::Builder::from(sdk).interceptor(Stamps(clock)).build();
    Client::from_conf(config)
}

#[derive(Debug)]
struct Stamps(Bounded);

/// When a request went out, on the clock here.
#[derive(Debug)]
struct Sent(Millis);

impl Storable for Sent {
    type Storer = StoreReplace<Self>;
}

impl Intercept for Stamps {
    fn name(&self) -> &'static str {
        "Stamps"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        bag.interceptor_state().store_put(Sent(self.0.clock().now()));
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date").and_then(second);
        if let Some((Sent(sent), second)) = bag.load::<Sent>().zip(date) {
            self.0.heard(*sent, self.0.clock().now(), second);
        }
        Ok(())
    }
}

/// The beginning of the second that an HTTP date names, milliseconds since the epoch.
fn second(date: &str) -> Option<Millis> {
    jiff::fmt::rfc2822::parse(date).ok().map(|date| date.timestamp().as_second() * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_http_are_read_and_others_are_not() {
        assert_eq!(second("Fri, 20 Nov 2026 16:00:01 GMT"), Some(1_795_190_401_000));
        assert_eq!(second("yesterday"), None);
    }
}
