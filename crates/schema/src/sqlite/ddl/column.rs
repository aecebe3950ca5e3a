//! Columns.

use std::fmt::Write;

use underpin_core::{Result, quote};

use crate::sqlite::expression::is_literal;
use crate::sqlite::rowid::is_rowid;
use crate::sqlite::{comment, ddl};
use crate::{Column, Conflict, Expression, GeneratedKind, ObjectName, Table};

/// The column as `CREATE TABLE` has it, but for the constraints that are the table's, and
/// with the key in the middle of it.
pub(super) fn clause(table: &Table, column: &Column, key: &str) -> Result<String> {
    let mut sql = quote::identifier(&column.name)?;
    sql.push_str(&rest(table, column, key)?);
    Ok(sql)
}

/// What follows the name.
fn rest(table: &Table, column: &Column, key: &str) -> Result<String> {
    let data_type = &column.data_type;
    ddl::refuse(
        data_type.array || data_type.namespace.is_some(),
        || format!("the type {data_type} of column {:?}", column.name),
        "Keep it in a column of type TEXT, with a check of its values.",
    )?;
    ddl::refuse(
        !column.options.is_empty(),
        || format!("options of the column {:?}", column.name),
        "Leave them out for SQLite.",
    )?;
    let of = table.primary_key.as_ref();
    let of = of.filter(|key| is_rowid(table, key) && key.columns[0] == column.name);
    ddl::refuse(
        column.identity.is_some() && of.is_none(),
        || format!("the identity column {:?}", column.name),
        "Only a primary key of type INTEGER counts by itself.",
    )?;
    let mut sql = match data_type.sql()? {
        nothing if nothing.is_empty() => nothing,
        data_type => format!(" {data_type}"),
    };
    sql.push_str(key);
    if column.not_null && (of.is_none() || column.not_null_conflict != Conflict::Abort) {
        sql.push_str(" NOT NULL");
        sql.push_str(ddl::on_conflict(column.not_null_conflict));
    }
    if let Some(default) = &column.default {
        let _ = write!(sql, " DEFAULT {}", default_value(default));
    }
    sql.push_str(&ddl::collate(column.collation.as_ref())?);
    if let Some(generated) = &column.generated {
        let kind = match generated.kind {
            GeneratedKind::Stored => "STORED",
            GeneratedKind::Virtual => "VIRTUAL",
        };
        let _ = write!(
            sql,
            " GENERATED ALWAYS AS ({}) {kind}",
            generated.expression
        );
    }
    Ok(sql)
}

fn default_value(default: &Expression) -> String {
    match is_literal(default.as_str()) {
        true => default.to_string(),
        false => format!("({default})"),
    }
}

/// `ALTER TABLE … ADD COLUMN`, with constraints of the column alone behind it.
///
/// # Errors
/// For a name that cannot be one, and for what SQLite cannot have.
pub fn add(name: &ObjectName, table: &Table, column: &Column, more: &str) -> Result<String> {
    let comment = comment::lines(column.comment.as_ref(), 4);
    let comment = match comment.is_empty() {
        true => comment,
        // SQLite keeps what stands between the name and the end.
        false => format!("\n{comment}   "),
    };
    Ok(format!(
        "ALTER TABLE {} ADD COLUMN {}{comment}{}{more}",
        quote::identifier(&name.name)?,
        quote::identifier(&column.name)?,
        rest(table, column, "")?
    ))
}

/// `ALTER TABLE … DROP COLUMN`.
///
/// # Errors
/// For a name that cannot be one.
pub fn drop(table: &ObjectName, column: &str) -> Result<String> {
    Ok(format!(
        "ALTER TABLE {} DROP COLUMN {}",
        quote::identifier(&table.name)?,
        quote::identifier(column)?
    ))
}

/// `ALTER TABLE … RENAME COLUMN`.
///
/// # Errors
/// For a name that cannot be one.
pub fn rename(table: &ObjectName, from: &str, to: &str) -> Result<String> {
    Ok(format!(
        "ALTER TABLE {} RENAME COLUMN {} TO {}",
        quote::identifier(&table.name)?,
        quote::identifier(from)?,
        quote::identifier(to)?
    ))
}
