//! Storage options.

use std::collections::BTreeMap;

use underpin_core::{Result, quote};

use super::literal::literal;

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
