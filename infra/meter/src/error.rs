//! Why there are no figures.

use std::io;

/// A measurement that could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MeterError {
    /// A file, a port or a process.
    #[error("{0}: {1}")]
    Io(String, #[source] io::Error),
    /// A function that did not start, or did not do what it was asked.
    #[error("{function}: {reason}")]
    Function {
        /// Its binary.
        function: String,
        /// What it said instead.
        reason: String,
    },
    /// What the functions stand on could not be set up.
    #[error("{0}: {1}")]
    Ground(&'static str, #[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Says what could not be done.
pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> MeterError {
    let what = what.into();
    move |error| MeterError::Io(what, error)
}

/// Says what of the ground could not be set up.
pub(crate) fn ground<E>(what: &'static str) -> impl FnOnce(E) -> MeterError
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    move |error| MeterError::Ground(what, error.into())
}
