//! Check constraints.

use underpin_core::Result;

use crate::Check;

/// `[CONSTRAINT …] CHECK (…)`.
///
/// # Errors
/// For a name that cannot be one.
pub fn clause(name: Option<&str>, check: &Check) -> Result<String> {
    Ok(format!(
        "{}CHECK ({})",
        super::constraint(name)?,
        check.expression
    ))
}
