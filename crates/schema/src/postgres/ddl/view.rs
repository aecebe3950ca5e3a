//! Views.

use underpin_core::{Result, quote};

use super::options;
use crate::{ObjectName, View, ViewColumn};

/// `CREATE VIEW`.
///
/// # Errors
/// For a name that cannot be one.
pub fn create(name: &ObjectName, view: &View) -> Result<String> {
    let (name, with) = (name.quoted()?, options::with(&view.options)?);
    Ok(format!("CREATE VIEW {name}{with} AS\n{}", view.definition))
}

/// `CREATE OR REPLACE VIEW`, which keeps what depends on the view. The columns that it has
/// must stay, with their names and types; others may follow.
///
/// # Errors
/// For a name that cannot be one.
pub fn replace(name: &ObjectName, view: &View) -> Result<String> {
    let (name, with) = (name.quoted()?, options::with(&view.options)?);
    Ok(format!(
        "CREATE OR REPLACE VIEW {name}{with} AS\n{}",
        view.definition
    ))
}

/// `ALTER VIEW … ALTER COLUMN … SET DEFAULT`, or `DROP DEFAULT` where there is none.
///
/// # Errors
/// For a name that cannot be one.
pub fn set_default(name: &ObjectName, column: &ViewColumn) -> Result<String> {
    let action = match &column.default {
        Some(default) => format!("SET DEFAULT {default}"),
        None => "DROP DEFAULT".to_owned(),
    };
    let (view, column) = (name.quoted()?, quote::identifier(&column.name)?);
    Ok(format!("ALTER VIEW {view} ALTER COLUMN {column} {action}"))
}

/// `DROP VIEW`.
///
/// # Errors
/// For a name that cannot be one.
pub fn drop(name: &ObjectName) -> Result<String> {
    Ok(format!("DROP VIEW {}", name.quoted()?))
}
