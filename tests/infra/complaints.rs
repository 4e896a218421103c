//! What a check finds wrong with a template, in words. A check complains instead of panicking, so that a test can break a
//! template on purpose and see it complain.

use std::fmt;

/// Everything a check found wrong.
#[derive(Debug, Default)]
pub(crate) struct Complaints(Vec<String>);

impl Complaints {
    /// Complains unless this holds.
    pub(crate) fn unless(&mut self, holds: bool, complaint: impl fmt::Display) {
        if !holds {
            self.0.push(complaint.to_string());
        }
    }

    /// Whether somebody complained of this.
    pub(crate) fn of(&self, what: &str) -> bool {
        self.0.iter().any(|complaint| complaint.contains(what))
    }

    /// Fails a test that wanted to hear none.
    #[track_caller]
    pub(crate) fn none(self) {
        assert!(self.0.is_empty(), "{self}");
    }
}

impl fmt::Display for Complaints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}
