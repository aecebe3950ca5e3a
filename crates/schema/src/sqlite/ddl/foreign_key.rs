//! Foreign keys.

use std::fmt::Write;

use underpin_core::{Result, quote};

use crate::{Action, Deferral, ForeignKey, Match};

/// `[CONSTRAINT …] FOREIGN KEY (…) REFERENCES …`.
///
/// # Errors
/// For a name that cannot be one, and for what SQLite cannot have.
pub fn clause(name: Option<&str>, key: &ForeignKey) -> Result<String> {
    Ok(format!(
        "{}FOREIGN KEY ({}){}",
        super::constraint(name)?,
        super::list(&key.columns)?,
        references(key)?
    ))
}

/// ` REFERENCES …`, as a column has it too.
///
/// # Errors
/// For a name that cannot be one, and for what SQLite cannot have.
pub fn references(key: &ForeignKey) -> Result<String> {
    super::refuse(
        !key.on_delete_columns.is_empty(),
        || format!("a foreign key that sets only {:?}", key.on_delete_columns),
        "Let it set all of its columns, or none.",
    )?;
    super::refuse(
        key.not_valid,
        || "a foreign key that is not valid".to_owned(),
        "SQLite does not check existing rows; leave out NOT VALID.",
    )?;
    let mut sql = format!(" REFERENCES {}", quote::identifier(&key.references.name)?);
    if !key.referenced_columns.is_empty() {
        let _ = write!(sql, " ({})", super::list(&key.referenced_columns)?);
    }
    for (event, action) in [("UPDATE", key.on_update), ("DELETE", key.on_delete)] {
        if action != Action::NoAction {
            let _ = write!(sql, " ON {event} {}", word(action));
        }
    }
    if key.matching == Match::Full {
        sql.push_str(" MATCH FULL");
    }
    sql.push_str(match key.deferral {
        Deferral::NotDeferrable => "",
        Deferral::InitiallyImmediate => " DEFERRABLE INITIALLY IMMEDIATE",
        Deferral::InitiallyDeferred => " DEFERRABLE INITIALLY DEFERRED",
    });
    Ok(sql)
}

fn word(action: Action) -> &'static str {
    match action {
        Action::NoAction => "NO ACTION",
        Action::Restrict => "RESTRICT",
        Action::Cascade => "CASCADE",
        Action::SetNull => "SET NULL",
        Action::SetDefault => "SET DEFAULT",
    }
}
