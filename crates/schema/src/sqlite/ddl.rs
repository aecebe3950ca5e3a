//! The SQL that makes and drops each kind of object: pure functions of the object and its
//! name. A statement has no semicolon. Names are without their namespace, since within
//! triggers and foreign keys SQLite takes no other. Comments are written into the statements.
//!
//! Every function fails as [`quote::identifier`] does, and
//! with [`Class::Unsupported`](underpin_core::Class::Unsupported) for what SQLite cannot have.

pub mod check;
pub mod column;
pub mod foreign_key;
pub mod index;
pub mod primary_key;
pub mod table;
pub mod trigger;
pub mod unique;
pub mod view;

use underpin_core::{Result, quote};

use super::error::SqlError;
use crate::{Conflict, Deferral, KeyOrder, ObjectName};

/// Names in quotes, with commas between them.
pub(super) fn list<'n>(names: impl IntoIterator<Item = &'n String>) -> Result<String> {
    let quoted = names.into_iter().map(|name| quote::identifier(name));
    Ok(quoted.collect::<Result<Vec<_>>>()?.join(", "))
}

/// `CONSTRAINT …` with a space after it, or nothing for a constraint without a name.
pub(super) fn constraint(name: Option<&str>) -> Result<String> {
    Ok(match name {
        Some(name) => format!("CONSTRAINT {} ", quote::identifier(name)?),
        None => String::new(),
    })
}

/// ` COLLATE …`, or nothing.
fn collate(collation: Option<&ObjectName>) -> Result<String> {
    Ok(match collation {
        Some(collation) => format!(" COLLATE {}", quote::identifier(&collation.name)?),
        None => String::new(),
    })
}

/// The columns of a key, each with how it is compared.
fn key_columns(
    columns: &[String],
    orders: &std::collections::BTreeMap<String, KeyOrder>,
) -> Result<String> {
    let parts = columns.iter().map(|name| {
        let mut sql = quote::identifier(name)?;
        if let Some(order) = orders.get(name) {
            sql.push_str(&collate(order.collation.as_ref())?);
            sql.push_str(if order.descending { " DESC" } else { "" });
        }
        Ok(sql)
    });
    Ok(parts.collect::<Result<Vec<_>>>()?.join(", "))
}

/// ` ON CONFLICT …`, or nothing.
fn on_conflict(conflict: Conflict) -> &'static str {
    match conflict {
        Conflict::Abort => "",
        Conflict::Rollback => " ON CONFLICT ROLLBACK",
        Conflict::Fail => " ON CONFLICT FAIL",
        Conflict::Ignore => " ON CONFLICT IGNORE",
        Conflict::Replace => " ON CONFLICT REPLACE",
    }
}

/// Refuses what SQLite has not.
fn refuse(when: bool, what: impl FnOnce() -> String, instead: &'static str) -> Result<()> {
    match when {
        true => Err(unsupported(what(), instead).into()),
        false => Ok(()),
    }
}

fn unsupported(what: String, instead: &'static str) -> SqlError {
    SqlError::Unsupported { what, instead }
}

/// Refuses to defer what only a foreign key can.
fn not_deferred(deferral: Deferral, what: &str) -> Result<()> {
    refuse(
        deferral != Deferral::NotDeferrable,
        || format!("a {what} that is deferrable"),
        "Only foreign keys can be deferred.",
    )
}
