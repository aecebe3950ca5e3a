//! Unique constraints.

use underpin_core::Result;

use crate::Unique;

/// `[CONSTRAINT …] UNIQUE (…)`.
///
/// # Errors
/// For a name that cannot be one, and for what SQLite cannot have.
pub fn clause(name: Option<&str>, unique: &Unique) -> Result<String> {
    super::not_deferred(unique.deferral, "unique constraint")?;
    super::refuse(
        unique.nulls_not_distinct,
        || format!("NULLS NOT DISTINCT of {:?}", unique.columns),
        "Create a unique index over ifnull(…) instead.",
    )?;
    super::refuse(
        !unique.include.is_empty(),
        || "a unique constraint that includes other columns".to_owned(),
        "Create an additional index over all of them.",
    )?;
    Ok(format!(
        "{}UNIQUE ({}){}",
        super::constraint(name)?,
        super::key_columns(&unique.columns, &unique.orders)?,
        super::on_conflict(unique.conflict)
    ))
}
