//! Storage options, and those of columns.

use std::collections::BTreeMap;

use underpin_core::{Result, quote};

use super::literal::literal;
use crate::ObjectName;

/// ` WITH (…)`, or nothing.
///
/// # Errors
/// For an option whose name cannot be one.
pub fn with(options: &BTreeMap<String, String>) -> Result<String> {
    match options.is_empty() {
        true => Ok(String::new()),
        false => Ok(format!(" WITH ({})", list(options)?)),
    }
}

/// `ALTER … ALTER COLUMN … SET (…)`, or nothing where there are no options.
pub(super) fn of_column(
    kind: &str,
    of: &ObjectName,
    (column, options): (&str, &BTreeMap<String, String>),
) -> Result<Option<String>> {
    if options.is_empty() {
        return Ok(None);
    }
    let (of, column) = (of.quoted()?, quote::identifier(column)?);
    let list = list(options)?;
    Ok(Some(format!(
        "ALTER {kind} {of} ALTER COLUMN {column} SET ({list})"
    )))
}

/// The options with commas between them, as in `SET (…)`.
///
/// # Errors
/// For an option whose name cannot be one.
pub fn list(options: &BTreeMap<String, String>) -> Result<String> {
    let each = options.iter();
    let each =
        each.map(|(key, value)| Ok(format!("{} = {}", quote::qualified(key)?, literal(value))));
    Ok(each.collect::<Result<Vec<_>>>()?.join(", "))
}
