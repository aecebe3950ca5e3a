//! Indexes.

use underpin_core::{Result, quote};

use crate::sqlite::{comment, ddl};
use crate::{Index, IndexKey, KeyTarget, ObjectName};

/// `CREATE INDEX`.
///
/// # Errors
/// For a name that cannot be one, and for what SQLite cannot have.
pub fn create(table: &ObjectName, name: &str, index: &Index) -> Result<String> {
    let found = [
        (index.method != "btree", "another method than btree"),
        (!index.include.is_empty(), "included columns"),
        (index.nulls_not_distinct, "NULLS NOT DISTINCT"),
        (!index.options.is_empty(), "storage options"),
    ];
    let found = found.iter().find(|(is, _)| *is);
    ddl::refuse(
        found.is_some(),
        || {
            format!(
                "an index with {}, as {name:?} is",
                found.map_or("", |(_, what)| what)
            )
        },
        "Leave that out for SQLite.",
    )?;
    let about = match comment::lines(index.comment.as_ref(), 0) {
        nothing if nothing.is_empty() => " ".to_owned(),
        lines => format!("\n{lines}"),
    };
    let keys = index.keys.iter().map(key);
    let predicate = index.predicate.as_ref();
    Ok(format!(
        "CREATE {}INDEX {}{about}ON {} ({}){}",
        if index.unique { "UNIQUE " } else { "" },
        quote::identifier(name)?,
        quote::identifier(&table.name)?,
        keys.collect::<Result<Vec<_>>>()?.join(", "),
        predicate.map_or(String::new(), |text| format!(" WHERE {text}")),
    ))
}

fn key(key: &IndexKey) -> Result<String> {
    ddl::refuse(
        key.operator_class.is_some(),
        || "an operator class".to_owned(),
        "Leave it out for SQLite.",
    )?;
    ddl::refuse(
        key.nulls_first != key.descending,
        || "an index with another place for NULLs than its order gives them".to_owned(),
        "Leave out NULLS FIRST and NULLS LAST for SQLite.",
    )?;
    let target = match &key.target {
        KeyTarget::Column(name) => quote::identifier(name)?,
        KeyTarget::Expression(text) => format!("({text})"),
    };
    let collation = ddl::collate(key.collation.as_ref())?;
    let order = if key.descending { " DESC" } else { "" };
    Ok(format!("{target}{collation}{order}"))
}

/// `DROP INDEX`.
///
/// # Errors
/// For a name that cannot be one.
pub fn drop(name: &str) -> Result<String> {
    Ok(format!("DROP INDEX {}", quote::identifier(name)?))
}
