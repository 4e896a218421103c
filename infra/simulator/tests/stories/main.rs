//! Stories about the simulator, told from the outside: over its router, its port and its public functions.

#[cfg(test)]
mod admin;
#[cfg(test)]
mod call_log;
#[cfg(test)]
mod deliveries;
#[cfg(test)]
mod events;
#[cfg(test)]
mod extensions;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod oauth;
#[cfg(test)]
mod restarts;
#[cfg(test)]
mod sites;
#[cfg(test)]
mod subscriptions;
#[cfg(test)]
mod support;
