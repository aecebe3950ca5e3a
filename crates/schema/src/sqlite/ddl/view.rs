//! Views.

use underpin_core::{Result, quote};

use crate::sqlite::comment;
use crate::{ObjectName, View};

/// `CREATE VIEW`.
///
/// # Errors
/// For a name that cannot be one.
pub fn create(name: &ObjectName, view: &View) -> Result<String> {
    let named = view.options.get("named_columns");
    let columns = match named.is_some_and(|value| value == "true") {
        true => format!(
            " ({})",
            super::list(view.columns.iter().map(|column| &column.name))?
        ),
        false => String::new(),
    };
    let about = match comment::lines(view.comment.as_ref(), 0) {
        nothing if nothing.is_empty() => " ".to_owned(),
        lines => format!("\n{lines}"),
    };
    let name = quote::identifier(&name.name)?;
    Ok(format!(
        "CREATE VIEW {name}{columns}{about}AS\n{}",
        view.definition
    ))
}

/// `DROP VIEW`.
///
/// # Errors
/// For a name that cannot be one.
pub fn drop(name: &ObjectName) -> Result<String> {
    Ok(format!("DROP VIEW {}", quote::identifier(&name.name)?))
}
