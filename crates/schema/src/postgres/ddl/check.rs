//! Check constraints.

use underpin_core::{Result, quote};

use crate::{Check, ObjectName};

/// `CONSTRAINT … CHECK (…)`. Within `CREATE TABLE`, `NOT VALID` has no effect.
///
/// # Errors
/// For a name that cannot be one.
pub fn clause(name: &str, check: &Check) -> Result<String> {
    let name = quote::identifier(name)?;
    let no_inherit = if check.no_inherit { " NO INHERIT" } else { "" };
    let not_valid = match (check.not_enforced, check.not_valid) {
        (true, _) => " NOT ENFORCED",
        (false, true) => " NOT VALID",
        (false, false) => "",
    };
    Ok(format!(
        "CONSTRAINT {name} CHECK ({}){no_inherit}{not_valid}",
        check.expression
    ))
}

/// `ALTER TABLE … VALIDATE CONSTRAINT`.
///
/// # Errors
/// For a name that cannot be one.
pub fn validate(table: &ObjectName, name: &str) -> Result<String> {
    let (table, name) = (table.quoted()?, quote::identifier(name)?);
    Ok(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}"))
}
