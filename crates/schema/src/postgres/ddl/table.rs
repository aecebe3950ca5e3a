//! Tables.

use std::fmt::Write;

use underpin_core::Result;

use super::{check, column, exclusion, options, partition, primary_key, unique};
use crate::{ObjectName, Persistence, RowSecurity, Table};

/// `CREATE TABLE` with its columns, keys, uniques, exclusions and checks. Not in it: indexes,
/// foreign keys, triggers, policies, checks that are not valid, [some keys](repeated).
/// A partition is made as a table
/// of its own, with all that it needs to be [attached](partition::attach).
///
/// # Errors
/// For a name that cannot be one.
pub fn create(name: &ObjectName, table: &Table) -> Result<String> {
    let columns = local_columns(table).map(column::clause);
    let checks = inline_checks(table).map(|(name, check)| check::clause(name, check));
    let parts = columns.chain(own_not_nulls(table));
    let parts = parts.chain(keys(table)).chain(checks);
    assemble(name, table, parts.collect::<Result<_>>()?)
}

/// `CREATE TABLE` as [`create`] has it, but for defaults and checks: it needs only the types
/// of its columns. For tables whose expressions need what itself needs the table.
///
/// # Errors
/// For a name that cannot be one.
pub fn create_bare(name: &ObjectName, table: &Table) -> Result<String> {
    let columns = local_columns(table).map(column::clause_without_default);
    let parts = columns.chain(own_not_nulls(table)).chain(keys(table));
    assemble(name, table, parts.collect::<Result<_>>()?)
}

/// What [`create_bare`] left out, as statements of its own.
///
/// # Errors
/// For a name that cannot be one.
pub fn complete(name: &ObjectName, table: &Table) -> Result<Vec<String>> {
    let defaults = local_columns(table).filter(|column| column.default.is_some());
    let defaults = defaults.map(|column| column::set_default(name, column));
    let checks = inline_checks(table)
        .map(|(check, of)| super::add_constraint(name, &check::clause(check, of)?));
    defaults.chain(checks).collect()
}

/// The columns that are the table's own: all, but those that it has from tables which it
/// inherits from.
fn local_columns(table: &Table) -> impl Iterator<Item = &crate::Column> {
    let own = table.inherits.is_empty();
    table
        .columns
        .iter()
        .filter(move |column| own || !column.inherited)
}

/// The constraints by which the table itself refuses NULL in columns that others give it.
fn own_not_nulls(table: &Table) -> impl Iterator<Item = Result<String>> {
    let columns = table.columns.iter();
    let columns = columns.filter(|column| column.inherited && !table.inherits.is_empty());
    columns.filter_map(|column| column::own_not_null(column).transpose())
}

/// The checks that `CREATE TABLE` can make.
fn inline_checks(table: &Table) -> impl Iterator<Item = (&String, &crate::Check)> {
    let own = table.inherits.is_empty();
    let checks = table.checks.iter();
    checks.filter(move |(_, check)| !check.not_valid && (own || !check.inherited))
}

/// The keys that have statements of their own. `CREATE TABLE` would take a unique constraint over the
/// columns of another one, or of the primary key, for the same one. It would let the table itself refuse
/// NULL in the columns of a primary key that others give it.
///
/// # Errors
/// For a name that cannot be one.
pub fn repeated(name: &ObjectName, table: &Table) -> Result<Vec<String>> {
    let key = table.primary_key.iter();
    let key = key.filter(|_| key_is_given(table));
    let key = key.map(primary_key::clause);
    let repeated = table
        .uniques
        .iter()
        .filter(|(unique, _)| repeats(table, unique));
    let clauses = repeated.map(|(unique, of)| unique::clause(unique, of));
    key.chain(clauses)
        .map(|clause| super::add_constraint(name, &clause?))
        .collect()
}

/// Whether the primary key has a column that another table gives.
fn key_is_given(table: &Table) -> bool {
    let given = |column: &String| table.column(column).is_some_and(|column| column.inherited);
    let key = table.primary_key.as_ref();
    !table.inherits.is_empty() && key.is_some_and(|key| key.columns.iter().any(given))
}

fn repeats(table: &Table, name: &str) -> bool {
    let columns = &table.uniques[name].columns;
    let before = table.uniques.iter().take_while(|(other, _)| *other != name);
    let before = before.map(|(_, other)| &other.columns);
    let key = table.primary_key.iter().map(|key| &key.columns);
    key.chain(before).any(|other| other == columns)
}

fn keys(table: &Table) -> impl Iterator<Item = Result<String>> {
    let primary_key = table.primary_key.iter();
    let primary_key = primary_key.filter(|_| !key_is_given(table));
    let primary_key = primary_key.map(primary_key::clause);
    let uniques = table
        .uniques
        .iter()
        .filter(|(name, _)| !repeats(table, name));
    let uniques = uniques.map(|(name, one)| unique::clause(name, one));
    let exclusions = table
        .exclusions
        .iter()
        .map(|(name, one)| exclusion::clause(name, one));
    primary_key.chain(uniques).chain(exclusions)
}

fn assemble(name: &ObjectName, table: &Table, parts: Vec<String>) -> Result<String> {
    let unlogged = match table.persistence {
        Persistence::Permanent => "",
        Persistence::Unlogged => "UNLOGGED ",
    };
    let mut sql = format!("CREATE {unlogged}TABLE {} (", name.quoted()?);
    for (place, part) in parts.iter().enumerate() {
        let _ = write!(sql, "{}\n    {part}", if place == 0 { "" } else { "," });
    }
    sql.push_str(if parts.is_empty() { ")" } else { "\n)" });
    if !table.inherits.is_empty() {
        let parents = table.inherits.iter().map(ObjectName::quoted);
        let parents = parents.collect::<Result<Vec<_>>>()?.join(", ");
        let _ = write!(sql, " INHERITS ({parents})");
    }
    if let Some(by) = &table.partition_by {
        let _ = write!(sql, " {}", partition::by(by)?);
    }
    sql.push_str(&options::with(&table.options)?);
    Ok(sql)
}

/// `DROP TABLE`.
///
/// # Errors
/// For a name that cannot be one.
pub fn drop(name: &ObjectName) -> Result<String> {
    Ok(format!("DROP TABLE {}", name.quoted()?))
}

/// The statements that lead from one setting of the switches of row-level security to another.
///
/// # Errors
/// For a name that cannot be one.
pub fn row_security(name: &ObjectName, from: RowSecurity, to: RowSecurity) -> Result<Vec<String>> {
    let table = name.quoted()?;
    let mut statements = Vec::new();
    if from.enabled != to.enabled {
        let action = if to.enabled { "ENABLE" } else { "DISABLE" };
        statements.push(format!("ALTER TABLE {table} {action} ROW LEVEL SECURITY"));
    }
    if from.forced != to.forced {
        let action = if to.forced { "FORCE" } else { "NO FORCE" };
        statements.push(format!("ALTER TABLE {table} {action} ROW LEVEL SECURITY"));
    }
    Ok(statements)
}
