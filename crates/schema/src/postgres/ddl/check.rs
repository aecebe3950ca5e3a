//! Check constraints.

use underpin_core::{Result, quote};

use crate::Check;

/// `CONSTRAINT … CHECK (…)`. Within `CREATE TABLE`, `NOT VALID` has no effect.
///
/// # Errors
/// For a name that cannot be one.
pub fn clause(name: &str, check: &Check) -> Result<String> {
    let name = quote::identifier(name)?;
    let no_inherit = if check.no_inherit { " NO INHERIT" } else { "" };
    let not_valid = if check.not_valid { " NOT VALID" } else { "" };
    Ok(format!(
        "CONSTRAINT {name} CHECK ({}){no_inherit}{not_valid}",
        check.expression
    ))
}
