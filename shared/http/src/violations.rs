//! What is wrong with a request, all of it at once.

use crate::{FieldError, Problem, Type};

/// Collects wrong fields; a request with none of them passes.
#[derive(Debug, Default)]
pub struct Violations(Vec<FieldError>);

impl Violations {
    /// Notes a wrong field.
    pub fn add(&mut self, field: impl Into<String>, reason: impl Into<String>) {
        self.0.push(FieldError { field: field.into(), reason: reason.into() });
    }

    /// Notes the field unless the condition holds.
    pub fn require(&mut self, holds: bool, field: &str, reason: &str) {
        if !holds {
            self.add(field, reason);
        }
    }

    /// Passes if nothing was noted.
    ///
    /// # Errors
    /// A problem that names every wrong field.
    pub fn finish(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::new(Type::InvalidRequest).errors(self.0)) }
    }
}
