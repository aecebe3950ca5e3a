//! The statements of a model, as text and parameters: pure functions of its description.

use underpin_core::{Class, Engine, Error, Params, Result, Value, quote};

use super::advance;
use super::description::{Description, Over};

/// Columns with their values.
pub(super) type Values = Vec<(&'static str, Value)>;

/// The table as a statement names it. Without a namespace of its own it is looked for where
/// the session looks.
pub(super) fn address(of: &Description, engine: Engine) -> Result<String> {
    let table = quote::identifier(of.table)?;
    match of.schema {
        Some(schema) if engine == Engine::Postgres => {
            Ok(format!("{}.{table}", quote::identifier(schema)?))
        }
        _ => Ok(table),
    }
}

/// Names in quotes, with commas between them.
pub(super) fn list(names: impl IntoIterator<Item = &'static str>) -> Result<String> {
    let quoted = names.into_iter().map(quote::identifier);
    Ok(quoted.collect::<Result<Vec<_>>>()?.join(", "))
}

fn all_columns(of: &Description) -> Result<String> {
    list(of.columns.iter().map(|column| column.name))
}

/// `$1, $2, …`
pub(super) fn placeholders(first: usize, count: usize) -> String {
    let each: Vec<String> = (first..first + count).map(|at| format!("${at}")).collect();
    each.join(", ")
}

/// An insert of one row, without what follows.
fn insert_alone(of: &Description, engine: Engine, given: Values) -> Result<(String, Params)> {
    let (columns, values): (Vec<_>, Params) = given.into_iter().unzip();
    let table = address(of, engine)?;
    let sql = match values.len() {
        0 => format!("INSERT INTO {table} DEFAULT VALUES"),
        count => format!(
            "INSERT INTO {table} ({}) VALUES ({})",
            list(columns)?,
            placeholders(1, count)
        ),
    };
    Ok((sql, values))
}

pub(super) fn insert(of: &Description, engine: Engine, given: Values) -> Result<(String, Params)> {
    let (sql, values) = insert_alone(of, engine, given)?;
    Ok((format!("{sql} RETURNING {}", all_columns(of)?), values))
}

/// An insert that changes the row which has the same key already.
pub(super) fn upsert(
    of: &Description,
    engine: Engine,
    given: Values,
    on: &[&'static str],
) -> Result<(String, Params)> {
    require_key(of, on)?;
    let mut sets = Vec::new();
    for (column, _) in given.iter().filter(|(column, _)| !on.contains(column)) {
        let column = quote::identifier(column)?;
        sets.push(format!("{column} = excluded.{column}"));
    }
    let named: Vec<&str> = given.iter().map(|(column, _)| *column).collect();
    sets.extend(on_conflict(of, engine, &named)?);
    if sets.is_empty() {
        // A row that nothing is set of would not be returned.
        let column = quote::identifier(on[0])?;
        sets.push(format!("{column} = excluded.{column}"));
    }
    let (sql, values) = insert_alone(of, engine, given)?;
    let sql = format!(
        "{sql} ON CONFLICT ({}) DO UPDATE SET {} RETURNING {}",
        list(on.iter().copied())?,
        sets.join(", "),
        all_columns(of)?
    );
    Ok((sql, values))
}

/// What an update sets of the columns that it does not name.
fn on_update(of: &Description, engine: Engine, named: &[&str]) -> Result<Vec<String>> {
    let each = moving(of, engine, named)?.into_iter();
    each.map(|(column, expression)| Ok(format!("{} = {expression}", quote::identifier(column)?)))
        .collect()
}

/// The same within ON CONFLICT, where PostgreSQL takes a column alone for either that of the
/// row which is there or that of the row which is not.
fn on_conflict(of: &Description, engine: Engine, named: &[&str]) -> Result<Vec<String>> {
    if engine != Engine::Postgres {
        return on_update(of, engine, named);
    }
    let table = quote::identifier(of.table)?;
    let each = moving(of, engine, named)?.into_iter();
    each.map(|(column, expression)| {
        let column = quote::identifier(column)?;
        Ok(format!(
            "{column} = (SELECT {expression} FROM (SELECT {table}.*) AS {table})"
        ))
    })
    .collect()
}

/// The columns that move by themselves, with what they are set to.
fn moving(of: &Description, engine: Engine, named: &[&str]) -> Result<Vec<(&'static str, String)>> {
    let mut moving = Vec::new();
    for column in of.columns.iter().filter(|one| !named.contains(&one.name)) {
        if let Some(expression) = advance::expression(of, column, engine)? {
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
            "No key of the table {:?} is of the columns {on:?}: its keys are {}.",
            of.table,
            keys.join(" and ")
        ),
    )
    .with_hint("Name the columns of one of them, or declare a unique constraint."))
}

/// `"a" = $1 AND "b" = $2`, over the columns of the primary key.
fn key_condition(of: &Description, first: usize) -> Result<String> {
    let columns = of.key_columns().iter().enumerate();
    let each =
        columns.map(|(at, column)| Ok(format!("{} = ${}", quote::identifier(column)?, first + at)));
    Ok(each.collect::<Result<Vec<_>>>()?.join(" AND "))
}

pub(super) fn get(of: &Description, engine: Engine) -> Result<String> {
    Ok(format!(
        "SELECT {} FROM {} WHERE {}",
        all_columns(of)?,
        address(of, engine)?,
        key_condition(of, 1)?
    ))
}

pub(super) fn update(
    of: &Description,
    engine: Engine,
    given: Values,
    key: Params,
) -> Result<(String, Params)> {
    let named: Vec<&str> = given.iter().map(|(column, _)| *column).collect();
    let mut sets = Vec::new();
    for (at, column) in named.iter().enumerate() {
        sets.push(format!("{} = ${}", quote::identifier(column)?, at + 1));
    }
    sets.extend(on_update(of, engine, &named)?);
    if sets.is_empty() {
        return Ok((get(of, engine)?, key));
    }
    let mut values: Params = given.into_iter().map(|(_, value)| value).collect();
    let sql = format!(
        "UPDATE {} SET {} WHERE {} RETURNING {}",
        address(of, engine)?,
        sets.join(", "),
        key_condition(of, values.len() + 1)?,
        all_columns(of)?
    );
    values.extend(key);
    Ok((sql, values))
}

pub(super) fn delete(of: &Description, engine: Engine) -> Result<String> {
    Ok(format!(
        "DELETE FROM {} WHERE {}",
        address(of, engine)?,
        key_condition(of, 1)?
    ))
}

/// As many parameters as every engine takes in one statement.
const MOST: usize = 30_000;

/// The rows whose columns have any of these values, in the order of their keys: one
/// statement, or one for each 30,000 values where the engine takes no array.
pub(super) fn load(
    of: &Description,
    engine: Engine,
    columns: &[&'static str],
    keys: Vec<Params>,
) -> Result<Vec<(String, Params)>> {
    let mut select = format!("SELECT {} FROM {}", all_columns(of)?, address(of, engine)?);
    select += &format!(" WHERE {} ", tuple(columns)?);
    let order = match of.key_columns() {
        [] => String::new(),
        key => format!(" ORDER BY {}", list(key.iter().copied())?),
    };
    if engine == Engine::Postgres && columns.len() == 1 {
        let array = Value::Array(keys.into_iter().flatten().collect());
        return Ok(vec![(format!("{select}= ANY ($1){order}"), vec![array])]);
    }
    let mut statements = Vec::new();
    for part in keys.chunks(MOST / columns.len()) {
        let rows = rows(engine, columns.len(), part.len());
        let sql = format!("{select}IN ({rows}){order}");
        statements.push((sql, part.iter().flatten().cloned().collect()));
    }
    Ok(statements)
}

fn tuple(columns: &[&'static str]) -> Result<String> {
    let list = list(columns.iter().copied())?;
    Ok(match columns.len() {
        1 => list,
        _ => format!("({list})"),
    })
}

/// `$1, $2` for one column, `($1, $2), ($3, $4)` for two. SQLite has rows only after VALUES,
/// and looks through all numbered parameters for each: there, they go by their order.
fn rows(engine: Engine, width: usize, count: usize) -> String {
    let row = |first| match engine {
        Engine::Sqlite => vec!["?"; width].join(", "),
        _ => placeholders(first, width),
    };
    let rows = (0..count).map(|at| row(at * width + 1));
    if width == 1 {
        return rows.collect::<Vec<_>>().join(", ");
    }
    let rows = rows.map(|row| format!("({row})")).collect::<Vec<_>>();
    match engine {
        Engine::Sqlite => format!("VALUES {}", rows.join(", ")),
        _ => rows.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_go_by_number_or_by_their_order() {
        assert_eq!(rows(Engine::Postgres, 1, 2), "$1, $2");
        assert_eq!(rows(Engine::Postgres, 2, 2), "($1, $2), ($3, $4)");
        assert_eq!(rows(Engine::Sqlite, 1, 2), "?, ?");
        assert_eq!(rows(Engine::Sqlite, 2, 2), "VALUES (?, ?), (?, ?)");
    }
}
