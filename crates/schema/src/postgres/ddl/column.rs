//! Columns.

use std::fmt::Write;

use underpin_core::{Result, quote};

use super::{options, sequence};
use crate::{Column, Generated, GeneratedKind, Identity, NotNull, ObjectName};

/// The column as `CREATE TABLE` and `ADD COLUMN` have it.
///
/// # Errors
/// For a name that cannot be one.
pub fn clause(column: &Column) -> Result<String> {
    let mut sql = clause_without_default(column)?;
    if let Some(default) = &column.default {
        let _ = write!(sql, " DEFAULT {default}");
    }
    Ok(sql)
}

/// The column without its default, so that it needs nothing but its type, and what it is
/// generated from.
///
/// # Errors
/// For a name that cannot be one.
pub fn clause_without_default(column: &Column) -> Result<String> {
    let mut sql = format!(
        "{} {}",
        quote::identifier(&column.name)?,
        column.data_type.sql()?
    );
    if let Some(collation) = &column.collation {
        let _ = write!(sql, " COLLATE {}", collation.quoted()?);
    }
    match &column.not_null_constraint {
        // Only a statement of its own can leave the rows unchecked.
        Some(constraint) if constraint.not_valid || constraint.inherited => {}
        Some(constraint) => {
            let _ = write!(sql, " {}", not_null(constraint)?);
        }
        None if column.not_null => sql.push_str(" NOT NULL"),
        None => {}
    }
    if let Some(identity) = &column.identity {
        let _ = write!(sql, " {}", self::identity(identity)?);
    }
    if let Some(generated) = &column.generated {
        sql.push_str(&self::generated(generated));
    }
    Ok(sql)
}

/// The constraint by which a table refuses NULL in a column that it has from another one, as
/// `CREATE TABLE` has it.
///
/// # Errors
/// For a name that cannot be one.
pub fn own_not_null(column: &Column) -> Result<Option<String>> {
    let constraint = column.not_null_constraint.as_ref();
    let Some(constraint) = constraint.filter(|of| !of.inherited && !of.not_valid) else {
        return Ok(None);
    };
    let name = quote::identifier(&constraint.name)?;
    let column = quote::identifier(&column.name)?;
    Ok(Some(format!("CONSTRAINT {name} NOT NULL {column}")))
}

fn not_null(constraint: &NotNull) -> Result<String> {
    let no_inherit = if constraint.no_inherit {
        " NO INHERIT"
    } else {
        ""
    };
    let name = quote::identifier(&constraint.name)?;
    Ok(format!("CONSTRAINT {name} NOT NULL{no_inherit}"))
}

/// `ALTER TABLE … ADD CONSTRAINT … NOT NULL`, from PostgreSQL 18 on.
///
/// # Errors
/// For a name that cannot be one.
pub fn add_not_null(table: &ObjectName, column: &str, constraint: &NotNull) -> Result<String> {
    let no_inherit = if constraint.no_inherit {
        " NO INHERIT"
    } else {
        ""
    };
    let not_valid = if constraint.not_valid {
        " NOT VALID"
    } else {
        ""
    };
    Ok(format!(
        "ALTER TABLE {} ADD CONSTRAINT {} NOT NULL {}{no_inherit}{not_valid}",
        table.quoted()?,
        quote::identifier(&constraint.name)?,
        quote::identifier(column)?
    ))
}

fn generated(generated: &Generated) -> String {
    let kind = match generated.kind {
        GeneratedKind::Stored => "STORED",
        GeneratedKind::Virtual => "VIRTUAL",
    };
    format!(" GENERATED ALWAYS AS ({}) {kind}", generated.expression)
}

/// `GENERATED … AS IDENTITY …`.
///
/// # Errors
/// For a name that cannot be one.
pub fn identity(identity: &Identity) -> Result<String> {
    let when = if identity.always {
        "ALWAYS"
    } else {
        "BY DEFAULT"
    };
    let mut options = String::new();
    if let Some(name) = &identity.sequence {
        let _ = write!(options, "SEQUENCE NAME {}", name.quoted()?);
    }
    options.push_str(&sequence::clauses(&identity.options));
    let options = match options.trim_start() {
        "" => String::new(),
        options => format!(" ({options})"),
    };
    Ok(format!("GENERATED {when} AS IDENTITY{options}"))
}

/// `ALTER TABLE … ADD COLUMN`.
///
/// # Errors
/// For a name that cannot be one.
pub fn add(table: &ObjectName, column: &Column) -> Result<String> {
    Ok(format!(
        "ALTER TABLE {} ADD COLUMN {}",
        table.quoted()?,
        clause(column)?
    ))
}

/// `ALTER TABLE … DROP COLUMN`.
///
/// # Errors
/// For a name that cannot be one.
pub fn drop(table: &ObjectName, name: &str) -> Result<String> {
    Ok(format!(
        "ALTER TABLE {} DROP COLUMN {}",
        table.quoted()?,
        quote::identifier(name)?
    ))
}

/// `ALTER TABLE ONLY … ALTER COLUMN … SET DEFAULT`, or `DROP DEFAULT` where there is none.
///
/// # Errors
/// For a name that cannot be one.
pub fn set_default(table: &ObjectName, column: &Column) -> Result<String> {
    let action = match &column.default {
        Some(default) => format!("SET DEFAULT {default}"),
        None => "DROP DEFAULT".to_owned(),
    };
    alter_only(table, &column.name, &action)
}

/// `ALTER TABLE ONLY … ALTER COLUMN … SET NOT NULL` or `DROP NOT NULL`.
///
/// # Errors
/// For a name that cannot be one.
pub fn set_not_null(table: &ObjectName, column: &Column) -> Result<String> {
    let action = if column.not_null {
        "SET NOT NULL"
    } else {
        "DROP NOT NULL"
    };
    alter_only(table, &column.name, action)
}

/// `ALTER TABLE … ALTER COLUMN … SET (…)`, or nothing where it has no options.
///
/// # Errors
/// For a name that cannot be one.
pub fn set_options(table: &ObjectName, column: &Column) -> Result<Option<String>> {
    options::of_column("TABLE", table, (&column.name, &column.options))
}

fn alter_only(table: &ObjectName, column: &str, action: &str) -> Result<String> {
    let (table, column) = (table.quoted()?, quote::identifier(column)?);
    Ok(format!(
        "ALTER TABLE ONLY {table} ALTER COLUMN {column} {action}"
    ))
}
