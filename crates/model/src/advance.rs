//! What an update makes of a column that it does not name.

use underpin_core::{Class, Error, Result};

use crate::data_type::{data_type, logical};
use crate::description::{Column, Description, OnUpdate};
use crate::dialect::ModelDialect;

/// The types of a column that can advance.
const TIMES: [&str; 2] = ["timestamp without time zone", "timestamp with time zone"];

/// The expression that an update sets a column to; none where it leaves it alone.
///
/// # Errors
/// [`Class::Config`] for a column that is not a time and has to advance by itself.
pub(super) fn expression(
    of: &Description,
    column: &Column,
    dialect: &ModelDialect,
) -> Result<Option<String>> {
    match column.on_update {
        None => Ok(None),
        Some(OnUpdate::Set(given)) => Ok(given.on(dialect.name).map(str::to_owned)),
        Some(OnUpdate::Advance) => advance(of, column, dialect).map(Some),
    }
}

/// Now, or just after the row's last change where the clock has not moved since.
fn advance(of: &Description, column: &Column, dialect: &ModelDialect) -> Result<String> {
    let of_type = logical(of, column, dialect)?;
    if !TIMES.contains(&of_type.name.as_str()) || of_type.array {
        return Err(Error::new(
            Class::Config,
            format!(
                "The column {:?} of the table {:?} has the type {of_type}, which has no automatic \
                 new value.",
                column.name, of.table
            ),
        )
        .with_hint("Set its new value: `#[model(on_update = \"…\")]`."));
    }
    let before = format!(
        "{}.{}",
        dialect.sql.identifier(of.table)?,
        dialect.sql.identifier(column.name)?
    );
    let stored = data_type(of, column, dialect)?;
    Ok((dialect.advance)(&before, &of_type, &stored))
}
