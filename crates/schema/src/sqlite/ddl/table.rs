//! Tables.

use underpin_core::{Result, quote};

use super::{check, column, foreign_key, primary_key, unique};
use crate::sqlite::comment;
use crate::sqlite::constraint_names::{Label, written};
use crate::sqlite::ddl;
use crate::sqlite::rowid::is_set;
use crate::{ObjectName, Persistence, Table};

/// `CREATE TABLE` with its columns and constraints. Not in it: indexes and triggers.
///
/// # Errors
/// For a name that cannot be one, and for what SQLite cannot have.
pub fn create(name: &ObjectName, table: &Table) -> Result<String> {
    create_as(&name.name, name, table)
}

/// `CREATE TABLE` under a name that it does not keep.
///
/// # Errors
/// For a name that cannot be one, and for what SQLite cannot have.
pub fn create_as(now: &str, name: &ObjectName, table: &Table) -> Result<String> {
    refuse_foreign(name, table)?;
    let named = written(table, &name.name);
    let mut parts = Vec::new();
    for of in &table.columns {
        let key = key_within(table, &of.name, &named)?;
        let comment = comment::lines(of.comment.as_ref(), 4);
        parts.push(format!("{comment}    {}", column::clause(table, of, &key)?));
    }
    for (label, constraint, given) in &named {
        if let Some((comment, clause)) = clause(table, *label, constraint, *given)? {
            let comment = comment::lines(comment, 4);
            parts.push(format!("{comment}    {clause}"));
        }
    }
    let about = match comment::lines(table.comment.as_ref(), 0) {
        nothing if nothing.is_empty() => " ".to_owned(),
        lines => format!("\n{lines}"),
    };
    let options = ["strict", "without_rowid"].into_iter();
    let options = options.filter(|option| is_set(table, option));
    let options: Vec<String> = options
        .map(|option| option.replace('_', " ").to_uppercase())
        .collect();
    let space = if options.is_empty() { "" } else { " " };
    Ok(format!(
        "CREATE TABLE {}{about}(\n{}\n){space}{}",
        quote::identifier(now)?,
        parts.join(",\n"),
        options.join(", ")
    ))
}

/// The primary key, where it stands within this column.
fn key_within(table: &Table, column: &str, named: &[(Label, &String, bool)]) -> Result<String> {
    let key = table.primary_key.as_ref();
    let key = key.filter(|key| primary_key::is_of_column(key) && key.columns[0] == column);
    let Some(key) = key else {
        return Ok(String::new());
    };
    let given = named
        .iter()
        .any(|(label, _, given)| *label == Label::PrimaryKey && *given);
    primary_key::of_column(given.then_some(key.name.as_str()), table, key)
}

type Clause<'t> = (Option<&'t String>, String);

/// A constraint of the table and its comment; none where it stands within a column.
fn clause<'t>(
    table: &'t Table,
    label: Label,
    constraint: &str,
    given: bool,
) -> Result<Option<Clause<'t>>> {
    let name = given.then_some(constraint);
    Ok(match label {
        Label::PrimaryKey => {
            let key = table.primary_key.as_ref();
            let key = key.filter(|key| !primary_key::is_of_column(key));
            let clause = key.map(|key| primary_key::clause(name, table, key));
            let comment = key.and_then(|key| key.comment.as_ref());
            clause.transpose()?.map(|clause| (comment, clause))
        }
        Label::Unique => {
            let unique = &table.uniques[constraint];
            Some((unique.comment.as_ref(), unique::clause(name, unique)?))
        }
        Label::Check => {
            let check = &table.checks[constraint];
            Some((check.comment.as_ref(), check::clause(name, check)?))
        }
        Label::ForeignKey => {
            let key = &table.foreign_keys[constraint];
            Some((key.comment.as_ref(), foreign_key::clause(name, key)?))
        }
    })
}

/// Refuses what only other engines have.
fn refuse_foreign(name: &ObjectName, table: &Table) -> Result<()> {
    let found = [
        (!table.exclusions.is_empty(), "exclusion constraints"),
        (
            !table.policies.is_empty() || table.row_security.enabled,
            "row-level security",
        ),
        (
            table.partition_by.is_some() || table.partition_of.is_some(),
            "partitions",
        ),
        (!table.inherits.is_empty(), "inheritance"),
        (
            table.persistence == Persistence::Unlogged,
            "unlogged tables",
        ),
    ];
    let found = found.iter().find(|(is, _)| *is);
    ddl::refuse(
        found.is_some(),
        || {
            format!(
                "{}, as the table {name} has",
                found.map_or("", |(_, what)| what)
            )
        },
        "Leave that out for SQLite.",
    )?;
    let mut options = table.options.keys();
    let option = options.find(|option| !matches!(option.as_str(), "strict" | "without_rowid"));
    ddl::refuse(
        option.is_some(),
        || {
            format!(
                "the option {:?} of the table {name}",
                option.map_or("", String::as_str)
            )
        },
        "It knows strict and without_rowid.",
    )
}

/// `DROP TABLE`.
///
/// # Errors
/// For a name that cannot be one.
pub fn drop(name: &ObjectName) -> Result<String> {
    Ok(format!("DROP TABLE {}", quote::identifier(&name.name)?))
}

/// `ALTER TABLE … RENAME TO`.
///
/// # Errors
/// For a name that cannot be one.
pub fn rename(from: &ObjectName, to: &ObjectName) -> Result<String> {
    Ok(format!(
        "ALTER TABLE {} RENAME TO {}",
        quote::identifier(&from.name)?,
        quote::identifier(&to.name)?
    ))
}
