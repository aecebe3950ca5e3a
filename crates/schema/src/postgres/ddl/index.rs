//! Indexes.

use underpin_core::{Result, quote};

use super::{include, key, options};
use crate::{Index, ObjectName};

/// How an index is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Build {
    /// While the table is locked against writes; with those of the partitions.
    #[default]
    Locking,
    /// While the table is written to, outside a transaction; not on a partitioned table.
    Concurrently,
    /// On a partitioned table alone. It is not valid until one of each partition is attached.
    Only,
}

/// `CREATE INDEX`. The index is in the namespace of its table.
///
/// # Errors
/// For a name that cannot be one.
pub fn create(table: &ObjectName, name: &str, index: &Index, build: Build) -> Result<String> {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let (concurrently, only) = match build {
        Build::Locking => ("", ""),
        Build::Concurrently => ("CONCURRENTLY ", ""),
        Build::Only => ("", "ONLY "),
    };
    let nulls = if index.nulls_not_distinct {
        " NULLS NOT DISTINCT"
    } else {
        ""
    };
    let keys = index.keys.iter().map(key::of_index);
    let predicate = index.predicate.as_ref();
    Ok(format!(
        "CREATE {unique}INDEX {concurrently}{} ON {only}{} USING {} ({}){}{nulls}{}{}",
        quote::identifier(name)?,
        table.quoted()?,
        quote::identifier(&index.method)?,
        keys.collect::<Result<Vec<_>>>()?.join(", "),
        include(&index.include)?,
        options::with(&index.options)?,
        predicate.map_or(String::new(), |text| format!(" WHERE {text}")),
    ))
}

/// `ALTER INDEX … ATTACH PARTITION`: makes an index of a partition part of its parent's.
///
/// # Errors
/// For a name that cannot be one.
pub fn attach(parent: &ObjectName, index: &ObjectName) -> Result<String> {
    Ok(format!(
        "ALTER INDEX {} ATTACH PARTITION {}",
        parent.quoted()?,
        index.quoted()?
    ))
}

/// `DROP INDEX`.
///
/// # Errors
/// For a name that cannot be one.
pub fn drop(index: &ObjectName) -> Result<String> {
    Ok(format!("DROP INDEX {}", index.quoted()?))
}
