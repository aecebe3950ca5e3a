//! The SQL that makes and drops each kind of object: pure functions of the object and its
//! name. A statement has no semicolon. Every function fails only as
//! [`quote::identifier`] does: for a name that is empty or
//! holds a NUL byte.

pub mod access;
pub mod check;
pub mod column;
pub mod comment;
pub mod defined;
pub mod domain;
pub mod enum_type;
pub mod exclusion;
pub mod extension;
pub mod foreign_key;
pub mod function;
pub mod index;
pub mod key;
pub mod literal;
pub mod materialized_view;
pub mod namespace;
pub mod options;
pub mod partition;
pub mod policy;
pub mod primary_key;
pub mod sequence;
pub mod setting;
pub mod table;
pub mod trigger;
pub mod unique;
pub mod view;

use underpin_core::{Result, quote};

use crate::Deferral;

/// Names in quotes, with commas between them.
pub(crate) fn list<'n>(names: impl IntoIterator<Item = &'n String>) -> Result<String> {
    let quoted = names.into_iter().map(|name| quote::identifier(name));
    Ok(quoted.collect::<Result<Vec<_>>>()?.join(", "))
}

/// ` INCLUDE (…)`, or nothing.
pub(crate) fn include(columns: &[String]) -> Result<String> {
    match columns {
        [] => Ok(String::new()),
        columns => Ok(format!(" INCLUDE ({})", list(columns)?)),
    }
}

/// ` WITHOUT OVERLAPS` behind the last column of a key, or nothing.
pub(crate) fn without_overlaps(is: bool) -> &'static str {
    if is { " WITHOUT OVERLAPS" } else { "" }
}

/// ` DEFERRABLE …`, or nothing.
pub(crate) fn deferral(deferral: Deferral) -> &'static str {
    match deferral {
        Deferral::NotDeferrable => "",
        Deferral::InitiallyImmediate => " DEFERRABLE",
        Deferral::InitiallyDeferred => " DEFERRABLE INITIALLY DEFERRED",
    }
}

/// `ALTER TABLE … ADD CONSTRAINT …`. On a table with partitions or children, those have it too.
///
/// # Errors
/// For a name that cannot be one.
pub fn add_constraint(table: &crate::ObjectName, clause: &str) -> Result<String> {
    Ok(format!("ALTER TABLE {} ADD {clause}", table.quoted()?))
}

/// `ALTER TABLE … DROP CONSTRAINT …`, whatever its kind.
///
/// # Errors
/// For a name that cannot be one.
pub fn drop_constraint(table: &crate::ObjectName, name: &str) -> Result<String> {
    let (table, name) = (table.quoted()?, quote::identifier(name)?);
    Ok(format!("ALTER TABLE {table} DROP CONSTRAINT {name}"))
}
