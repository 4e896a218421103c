//! Several slots that were taken in one write.

use std::collections::VecDeque;

use clock::Millis;

use crate::{
    Bucket, Gate, GateError, Permit,
    turnstile::{Taken, Wish},
};

/// Slots for requests that follow one another. What is not used is given back; what is only dropped is lost for one window.
#[derive(Debug)]
#[must_use = "slots are used or given back"]
pub struct Booking {
    gate: Gate,
    bucket: Bucket,
    wish: Wish,
    taken: VecDeque<Taken>,
}

impl Booking {
    pub(crate) fn new(gate: Gate, bucket: Bucket, wish: Wish, taken: Vec<Taken>) -> Self {
        Self { gate, bucket, wish, taken: taken.into() }
    }

    /// The instants of the slots that are left, milliseconds since the epoch.
    pub fn slots(&self) -> impl ExactSizeIterator<Item = Millis> {
        self.taken.iter().map(|taken| taken.slot.at)
    }

    /// Waits for the next slot and returns the right to send; `None` when all are used. A slot that may not be used any more
    /// is exchanged for another one.
    ///
    /// # Errors
    /// Those of [`Gate::pass`].
    pub async fn next(&mut self) -> Result<Option<Permit>, GateError> {
        let Some(taken) = self.taken.pop_front() else { return Ok(None) };
        match self.gate.redeem(&self.bucket, self.wish, taken).await? {
            Ok(permit) => Ok(Some(permit)),
            Err(again) => self.gate.pass_with(&self.bucket, again).await.map(Some),
        }
    }

    /// Gives back what is left.
    ///
    /// # Errors
    /// [`GateError::Store`] if that could not be written: the slots are lost for one window.
    pub async fn give_back(self) -> Result<(), GateError> {
        let slots: Vec<_> = self.taken.iter().map(|taken| (taken.slot, taken.probe)).collect();
        self.gate.give_back(&self.bucket, &slots).await
    }
}
