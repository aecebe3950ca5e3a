//! The statements of a model, as text and parameters: pure functions of its description.

use underpin_core::{Class, Error, Params, Result, Value, quote};

use crate::advance;
use crate::data_type::logical;
use crate::description::{Description, Over};
use crate::dialect::ModelDialect;

/// Columns with their values.
pub(super) type Values = Vec<(&'static str, Value)>;

/// The table as a statement names it. Without a namespace of its own it is looked for where
/// the session looks.
pub(super) fn address(of: &Description, dialect: &ModelDialect) -> Result<String> {
    let table = dialect.sql.identifier(of.table)?;
    match of.schema.filter(|_| dialect.namespaces) {
        Some(schema) => Ok(format!("{}.{table}", dialect.sql.identifier(schema)?)),
        None => Ok(table),
    }
}

/// The table as a bulk insert names it.
pub(super) fn bulk_address(of: &Description, dialect: &ModelDialect) -> Result<String> {
    let table = quote::identifier(of.table)?;
    match of.schema.filter(|_| dialect.namespaces) {
        Some(schema) => Ok(format!("{}.{table}", quote::identifier(schema)?)),
        None => Ok(table),
    }
}

/// Names in quotes, with commas between them.
fn list(names: impl IntoIterator<Item = &'static str>, dialect: &ModelDialect) -> Result<String> {
    Ok(dialect.sql.list(names)?)
}

fn all_columns(of: &Description, dialect: &ModelDialect) -> Result<String> {
    list(columns(of), dialect)
}

fn columns(of: &Description) -> impl Iterator<Item = &'static str> {
    of.columns.iter().map(|column| column.name)
}

/// What a statement says, before the values or the condition and at its end, to give all
/// columns of the rows.
fn returning(of: &Description, dialect: &ModelDialect) -> Result<[String; 2]> {
    let sql = dialect.sql;
    Ok([sql.output(columns(of))?, sql.returning(columns(of))?])
}

/// Makes decimal numbers what their columns hold on every engine.
fn fit(of: &Description, dialect: &ModelDialect, names: &[&str], row: &mut [Value]) -> Result<()> {
    let Some(fit) = dialect.fit else {
        return Ok(());
    };
    for (name, value) in names.iter().zip(row) {
        let (Value::Numeric(number), Some(column)) = (&*value, of.column(name)) else {
            continue;
        };
        let logical = logical(of, column, dialect)?;
        let fitted = fit(&logical, number).map_err(|why| {
            let message = format!(
                "The value for column {name:?} of the table {:?} does not fit {logical}: {why}.",
                of.table
            );
            Error::new(Class::Data, message).with_column(*name)
        })?;
        *value = Value::Numeric(fitted);
    }
    Ok(())
}

/// The same for many rows, whose errors name the row.
pub(super) fn fit_rows(
    of: &Description,
    dialect: &ModelDialect,
    names: &[&str],
    rows: &mut [Params],
) -> Result<()> {
    for (at, row) in rows.iter_mut().enumerate() {
        fit(of, dialect, names, row).map_err(|error| error.with_row(at as u64 + 1))?;
    }
    Ok(())
}

/// An insert of one row, without what follows.
fn insert_alone(
    of: &Description,
    dialect: &ModelDialect,
    given: Values,
) -> Result<(String, Params)> {
    let (columns, mut values): (Vec<_>, Params) = given.into_iter().unzip();
    fit(of, dialect, &columns, &mut values)?;
    let table = address(of, dialect)?;
    let [output, _] = returning(of, dialect)?;
    let sql = match values.len() {
        0 => format!("INSERT INTO {table}{output} DEFAULT VALUES"),
        count => format!(
            "INSERT INTO {table} ({}){output} VALUES ({})",
            list(columns, dialect)?,
            dialect.sql.placeholders(1, count)
        ),
    };
    Ok((sql, values))
}

pub(super) fn insert(
    of: &Description,
    dialect: &ModelDialect,
    given: Values,
) -> Result<(String, Params)> {
    let (sql, values) = insert_alone(of, dialect, given)?;
    let [_, returning] = returning(of, dialect)?;
    Ok((format!("{sql}{returning}"), values))
}

/// An insert that changes the row which has the same key already.
pub(super) fn upsert(
    of: &Description,
    dialect: &ModelDialect,
    given: Values,
    on: &[&'static str],
) -> Result<(String, Params)> {
    require_key(of, on)?;
    if !dialect.sql.on_conflict {
        let message = format!("{} has no ON CONFLICT.", dialect.sql.name);
        return Err(Error::new(Class::Unsupported, message));
    }
    let mut sets = Vec::new();
    for (column, _) in given.iter().filter(|(column, _)| !on.contains(column)) {
        let column = dialect.sql.identifier(column)?;
        sets.push(format!("{column} = excluded.{column}"));
    }
    let named: Vec<&str> = given.iter().map(|(column, _)| *column).collect();
    sets.extend(on_conflict(of, dialect, &named)?);
    if sets.is_empty() {
        // A row that nothing is set of would not be returned.
        let column = dialect.sql.identifier(on[0])?;
        sets.push(format!("{column} = excluded.{column}"));
    }
    let (sql, values) = insert_alone(of, dialect, given)?;
    let [_, returning] = returning(of, dialect)?;
    let sql = format!(
        "{sql} ON CONFLICT ({}) DO UPDATE SET {}{returning}",
        list(on.iter().copied(), dialect)?,
        sets.join(", ")
    );
    Ok((sql, values))
}

/// What an update sets of the columns that it does not name.
fn on_update(of: &Description, dialect: &ModelDialect, named: &[&str]) -> Result<Vec<String>> {
    let each = moving(of, dialect, named)?.into_iter();
    each.map(|(column, expression)| {
        Ok(format!(
            "{} = {expression}",
            dialect.sql.identifier(column)?
        ))
    })
    .collect()
}

/// The same within ON CONFLICT.
fn on_conflict(of: &Description, dialect: &ModelDialect, named: &[&str]) -> Result<Vec<String>> {
    let table = dialect.sql.identifier(of.table)?;
    let each = moving(of, dialect, named)?.into_iter();
    each.map(|(column, expression)| {
        let expression = (dialect.on_conflict)(&table, &expression);
        Ok(format!(
            "{} = {expression}",
            dialect.sql.identifier(column)?
        ))
    })
    .collect()
}

/// The columns that move by themselves, with what they are set to.
fn moving(
    of: &Description,
    dialect: &ModelDialect,
    named: &[&str],
) -> Result<Vec<(&'static str, String)>> {
    let mut moving = Vec::new();
    for column in of.columns.iter().filter(|one| !named.contains(&one.name)) {
        if let Some(expression) = advance::expression(of, column, dialect)? {
            moving.push((column.name, expression));
        }
    }
    Ok(moving)
}

/// Refuses columns by which no two rows are told apart.
fn require_key(of: &Description, on: &[&str]) -> Result<()> {
    let indexes = of.indexes.iter().filter(|index| index.unique);
    let indexes = indexes.filter(|index| index.predicate == Default::default());
    let indexes = indexes.filter_map(|index| {
        let columns = index.keys.iter().map(|key| match key.over {
            Over::Column(name) => Some(name),
            Over::Expression(_) => None,
        });
        columns.collect::<Option<Vec<_>>>()
    });
    let keys = of.primary_key.iter().map(|key| key.columns.to_vec());
    let keys = keys.chain(of.uniques.iter().map(|unique| unique.columns.to_vec()));
    let keys: Vec<Vec<&str>> = keys.chain(indexes).collect();
    let same = |key: &Vec<&str>| key.len() == on.len() && on.iter().all(|one| key.contains(one));
    if !on.is_empty() && keys.iter().any(same) {
        return Ok(());
    }
    let keys: Vec<String> = keys.iter().map(|key| format!("{key:?}")).collect();
    Err(Error::new(
        Class::Config,
        format!(
            "No key of the table {:?} consists of the columns {on:?}: its keys are {}.",
            of.table,
            keys.join(" and ")
        ),
    )
    .with_hint("Use the columns of one of them, or declare a unique constraint."))
}

/// `"a" = $1 AND "b" = $2`, over the columns of the primary key.
fn key_condition(of: &Description, dialect: &ModelDialect, first: usize) -> Result<String> {
    let columns = of.key_columns().iter().enumerate();
    let each = columns.map(|(at, column)| equation(dialect, column, first + at));
    Ok(each.collect::<Result<Vec<_>>>()?.join(" AND "))
}

fn equation(dialect: &ModelDialect, column: &str, parameter: usize) -> Result<String> {
    let (column, parameter) = (
        dialect.sql.identifier(column)?,
        (dialect.sql.placeholder)(parameter),
    );
    Ok(format!("{column} = {parameter}"))
}

pub(super) fn get(of: &Description, dialect: &ModelDialect) -> Result<String> {
    Ok(format!(
        "SELECT {} FROM {} WHERE {}",
        all_columns(of, dialect)?,
        address(of, dialect)?,
        key_condition(of, dialect, 1)?
    ))
}

pub(super) fn update(
    of: &Description,
    dialect: &ModelDialect,
    given: Values,
    key: Params,
) -> Result<(String, Params)> {
    let named: Vec<&str> = given.iter().map(|(column, _)| *column).collect();
    let mut sets = Vec::new();
    for (at, column) in named.iter().enumerate() {
        sets.push(equation(dialect, column, at + 1)?);
    }
    sets.extend(on_update(of, dialect, &named)?);
    if sets.is_empty() {
        return Ok((get(of, dialect)?, key));
    }
    let mut values: Params = given.into_iter().map(|(_, value)| value).collect();
    fit(of, dialect, &named, &mut values)?;
    let [output, returning] = returning(of, dialect)?;
    let sql = format!(
        "UPDATE {} SET {}{output} WHERE {}{returning}",
        address(of, dialect)?,
        sets.join(", "),
        key_condition(of, dialect, values.len() + 1)?
    );
    values.extend(key);
    Ok((sql, values))
}

pub(super) fn delete(of: &Description, dialect: &ModelDialect) -> Result<String> {
    Ok(format!(
        "DELETE FROM {} WHERE {}",
        address(of, dialect)?,
        key_condition(of, dialect, 1)?
    ))
}

/// As many parameters as every engine takes in one statement.
const MOST: usize = 30_000;

/// The rows whose columns have any of these values, in the order of their keys: one
/// statement, or one for each 30,000 values where the engine takes no array.
pub(super) fn load(
    of: &Description,
    dialect: &ModelDialect,
    columns: &[&'static str],
    keys: Vec<Params>,
) -> Result<Vec<(String, Params)>> {
    let (all, table) = (all_columns(of, dialect)?, address(of, dialect)?);
    let searched = list(columns.iter().copied(), dialect)?;
    let searched = match columns.len() {
        1 => searched,
        _ => format!("({searched})"),
    };
    let select = format!("SELECT {all} FROM {table} WHERE {searched} ");
    let order = match of.key_columns() {
        [] => String::new(),
        key => format!(" ORDER BY {}", list(key.iter().copied(), dialect)?),
    };
    if dialect.array_parameters && columns.len() == 1 {
        let array = Value::Array(keys.into_iter().flatten().collect());
        let placeholder = (dialect.sql.placeholder)(1);
        return Ok(vec![(
            format!("{select}= ANY ({placeholder}){order}"),
            vec![array],
        )]);
    }
    let mut statements = Vec::new();
    for part in keys.chunks(MOST / columns.len()) {
        let rows = (dialect.keys)(columns.len(), part.len());
        let sql = format!("{select}IN ({rows}){order}");
        statements.push((sql, part.iter().flatten().cloned().collect()));
    }
    Ok(statements)
}

/// The parameters of so many rows of so many columns each; in parentheses where they are
/// several.
pub(super) fn rows(placeholder: impl Fn(usize) -> String, width: usize, count: usize) -> String {
    let row = |row: usize| {
        let first = row * width + 1;
        let each: Vec<String> = (first..first + width).map(&placeholder).collect();
        match width {
            1 => each.concat(),
            _ => format!("({})", each.join(", ")),
        }
    };
    (0..count).map(row).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use crate::description::{Column, Key, OnUpdate, Spelling, SqliteOptions};
    use crate::{postgres, sqlite};
    use underpin_sql::{Dialect, Quotes, Returning, SQLITE};

    use super::*;

    fn numbered(number: usize) -> String {
        format!("@p{number}")
    }

    fn by_number(width: usize, count: usize) -> String {
        rows(numbered, width, count)
    }

    fn set_now(_: &str, _: &underpin_schema::Type, _: &underpin_schema::Type) -> String {
        "sysdatetime()".to_owned()
    }

    static OTHER_SQL: Dialect = Dialect {
        quotes: Quotes {
            open: b'[',
            close: b']',
            doubled: true,
        },
        placeholder: numbered,
        returning: Returning::Output,
        on_conflict: false,
        ..SQLITE
    };

    /// An engine that no crate knows: its quotes, its parameters, its way to return rows.
    const OTHER: ModelDialect = ModelDialect {
        name: "other",
        sql: &OTHER_SQL,
        namespaces: true,
        default_namespace: "dbo",
        keys: by_number,
        advance: set_now,
        ..sqlite::DIALECT
    };

    const PLAIN: Spelling = Spelling {
        any: None,
        own: &[],
    };

    const fn column(name: &'static str, on_update: Option<OnUpdate>) -> Column {
        Column {
            name,
            given_type: Spelling {
                any: Some("timestamp"),
                own: &[("other", "datetime2")],
            },
            field_type: None,
            nullable: false,
            default: PLAIN,
            generated: PLAIN,
            is_virtual: false,
            counter: None,
            collation: PLAIN,
            on_update,
            comment: None,
            renamed_from: None,
        }
    }

    const SHOP: Description = Description {
        table: "shop]",
        schema: Some("sales"),
        columns: &[column("id", None), column("moved", Some(OnUpdate::Advance))],
        primary_key: Some(Key {
            name: None,
            columns: &["id"],
        }),
        uniques: &[],
        checks: &[],
        indexes: &[],
        foreign_keys: &[],
        partition_by: None,
        comment: None,
        renamed_from: None,
        sqlite: SqliteOptions {
            strict: false,
            without_rowid: false,
            autoincrement: false,
            checked_types: false,
        },
    };

    fn given() -> Values {
        vec![("id", Value::I64(1))]
    }

    #[test]
    fn an_engine_of_ones_own_has_its_quotes_and_parameters() {
        let (insert, _) = insert(&SHOP, &OTHER, given()).unwrap();
        assert_eq!(
            insert,
            "INSERT INTO [sales].[shop]]] ([id]) OUTPUT inserted.[id], inserted.[moved] VALUES (@p1)"
        );
        let key = vec![Value::I64(1)];
        let (update, _) = update(&SHOP, &OTHER, given(), key).unwrap();
        assert_eq!(
            update,
            "UPDATE [sales].[shop]]] SET [id] = @p1, [moved] = sysdatetime() \
             OUTPUT inserted.[id], inserted.[moved] WHERE [id] = @p2"
        );
        let keys = vec![vec![Value::I64(1)], vec![Value::I64(2)]];
        let load = load(&SHOP, &OTHER, &["id"], keys).unwrap();
        assert_eq!(
            load[0].0,
            "SELECT [id], [moved] FROM [sales].[shop]]] WHERE [id] IN (@p1, @p2) ORDER BY [id]"
        );
        assert_eq!(
            delete(&SHOP, &OTHER).unwrap(),
            "DELETE FROM [sales].[shop]]] WHERE [id] = @p1"
        );
        assert_eq!(bulk_address(&SHOP, &OTHER).unwrap(), "\"sales\".\"shop]\"");
    }

    #[test]
    fn an_engine_of_ones_own_has_its_table() {
        let table = crate::table::table(&SHOP, &OTHER).unwrap();
        assert_eq!(table.columns[0].data_type.to_string(), "datetime2");
        assert_eq!(crate::table::table_name(&SHOP, &OTHER).namespace, "sales");
    }

    #[test]
    fn a_row_that_is_there_advances_from_what_it_was() {
        let (on_postgres, _) = upsert(&SHOP, &postgres::DIALECT, given(), &["id"]).unwrap();
        assert!(on_postgres.contains("(SELECT greatest(clock_timestamp()::timestamp"));
        let (on_sqlite, _) = upsert(&SHOP, &sqlite::DIALECT, given(), &["id"]).unwrap();
        assert!(
            on_sqlite.contains("SET \"moved\" = CASE typeof(\"shop]\".\"moved\")"),
            "{on_sqlite}"
        );
        assert!(on_sqlite.ends_with(" RETURNING \"id\", \"moved\""));
    }
}
