//! What is wrong with a request, all of it at once.

use crate::{FieldError, Problem, Type};

/// Collects wrong fields; a request with none of them passes.
#[derive(Debug, Default)]
pub struct Violations(Vec<FieldError>);

impl Violations {
    /// Notes a wrong field. Of several reasons the first one counts: what has the wrong type is also missing, and both is not told.
    pub fn add(&mut self, field: impl Into<String>, reason: impl Into<String>) {
        let (field, reason) = (field.into(), reason.into());
        if self.0.iter().all(|noted| noted.field != field) {
            self.0.push(FieldError { field, reason });
        }
    }

    /// Notes the field unless the condition holds.
    pub fn require(&mut self, holds: bool, field: &str, reason: &str) {
        if !holds {
            self.add(field, reason);
        }
    }

    /// The fields that were noted.
    #[cfg(test)]
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|noted| noted.field.as_str())
    }

    /// Passes if nothing was noted.
    ///
    /// # Errors
    /// A problem that names every wrong field.
    pub fn finish(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::new(Type::InvalidRequest).errors(self.0)) }
    }
}
