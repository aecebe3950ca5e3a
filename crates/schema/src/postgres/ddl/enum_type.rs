//! Enumerated types.

use underpin_core::Result;

use super::literal::literal;
use crate::{EnumType, ObjectName};

/// `CREATE TYPE … AS ENUM`.
///
/// # Errors
/// For a name that cannot be one.
pub fn create(name: &ObjectName, enum_type: &EnumType) -> Result<String> {
    let labels: Vec<String> = enum_type
        .labels
        .iter()
        .map(|label| literal(label))
        .collect();
    Ok(format!(
        "CREATE TYPE {} AS ENUM ({})",
        name.quoted()?,
        labels.join(", ")
    ))
}

/// `DROP TYPE`.
///
/// # Errors
/// For a name that cannot be one.
pub fn drop(name: &ObjectName) -> Result<String> {
    Ok(format!("DROP TYPE {}", name.quoted()?))
}
