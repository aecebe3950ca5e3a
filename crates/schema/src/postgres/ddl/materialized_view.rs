//! Materialized views.

use underpin_core::Result;

use super::options;
use crate::{MaterializedView, ObjectName, ViewColumn};

/// `CREATE MATERIALIZED VIEW`, which fills it. Its indexes are statements of their own.
///
/// # Errors
/// For a name that cannot be one.
pub fn create(name: &ObjectName, view: &MaterializedView) -> Result<String> {
    let (name, with) = (name.quoted()?, options::with(&view.options)?);
    Ok(format!(
        "CREATE MATERIALIZED VIEW {name}{with} AS\n{}",
        view.definition
    ))
}

/// `ALTER MATERIALIZED VIEW … ALTER COLUMN … SET (…)`, or nothing where the column has no options.
///
/// # Errors
/// For a name that cannot be one.
pub fn set_options(name: &ObjectName, column: &ViewColumn) -> Result<Option<String>> {
    options::of_column("MATERIALIZED VIEW", name, (&column.name, &column.options))
}

/// `DROP MATERIALIZED VIEW`.
///
/// # Errors
/// For a name that cannot be one.
pub fn drop(name: &ObjectName) -> Result<String> {
    Ok(format!("DROP MATERIALIZED VIEW {}", name.quoted()?))
}
