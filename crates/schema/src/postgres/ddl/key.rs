//! Keys of indexes, exclusion constraints and partitionings.

use std::fmt::Write;

use underpin_core::{Result, quote};

use super::options;
use crate::{IndexKey, KeyTarget, ObjectName, OperatorClass, PartitionKey};

/// A key of an index, with its order.
///
/// # Errors
/// For a name that cannot be one.
pub fn of_index(key: &IndexKey) -> Result<String> {
    let mut sql = decorated(
        &key.target,
        key.collation.as_ref(),
        key.operator_class.as_ref(),
    )?;
    sql.push_str(match (key.descending, key.nulls_first) {
        (false, false) => "",
        (false, true) => " NULLS FIRST",
        (true, true) => " DESC",
        (true, false) => " DESC NULLS LAST",
    });
    Ok(sql)
}

/// A key of a partitioning.
///
/// # Errors
/// For a name that cannot be one.
pub fn of_partition(key: &PartitionKey) -> Result<String> {
    decorated(
        &key.target,
        key.collation.as_ref(),
        key.operator_class.as_ref(),
    )
}

fn decorated(
    target: &KeyTarget,
    collation: Option<&ObjectName>,
    class: Option<&OperatorClass>,
) -> Result<String> {
    let mut sql = match target {
        KeyTarget::Column(name) => quote::identifier(name)?,
        KeyTarget::Expression(text) => format!("({text})"),
    };
    if let Some(collation) = collation {
        let _ = write!(sql, " COLLATE {}", collation.quoted()?);
    }
    if let Some(class) = class {
        let _ = write!(sql, " {}", class.name.quoted()?);
        if !class.options.is_empty() {
            let _ = write!(sql, " ({})", options::list(&class.options)?);
        }
    }
    Ok(sql)
}
