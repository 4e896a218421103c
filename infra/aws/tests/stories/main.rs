//! Stories of the embedded AWS, told through the AWS SDK's own clients.
#[cfg(test)]
mod batches;
#[cfg(test)]
mod dead_letters;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod guard;
#[cfg(test)]
mod processes;
#[cfg(test)]
mod queues;
#[cfg(test)]
mod restarts;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tables;
#[cfg(test)]
mod visibility;
