//! A plan leads from one schema to another, and back.

use std::collections::BTreeMap;

use underpin::Database;
use underpin::schema::{Column, Hints, Plan, Rename, Schema, diff};

use crate::round_trip::{assert_same, read};

/// The rows of each table: of each column, its values in the order of the first ones.
pub(crate) type Rows = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// Carries out statements as a migration's run does: in one transaction, with foreign keys
/// unguarded meanwhile and checked in the end.
pub(crate) async fn carry_out<'s>(
    db: &Database,
    statements: impl IntoIterator<Item = &'s str>,
) -> Result<(), String> {
    let lease = db.acquire().await.unwrap();
    lease.batch("PRAGMA foreign_keys = OFF").await.unwrap();
    let orphans = "SELECT count(*) FROM pragma_foreign_key_check";
    let before: i64 = lease.query_scalar(orphans, ()).await.unwrap();
    lease.batch("BEGIN IMMEDIATE").await.unwrap();
    let mut failed = None;
    for statement in statements {
        if let Err(error) = lease.batch(statement).await {
            failed = Some(format!("{error}\n{statement}"));
            break;
        }
    }
    if failed.is_none() {
        let after: i64 = lease.query_scalar(orphans, ()).await.unwrap();
        if after > before {
            failed = Some(format!("{after} orphans, and {before} before"));
        }
    }
    let end = if failed.is_none() {
        "COMMIT"
    } else {
        "ROLLBACK"
    };
    if lease.batch(end).await.is_err() {
        // A constraint that rolls back has done so.
        assert!(failed.is_some());
    }
    failed.map_or(Ok(()), Err)
}

/// Every value of the database, written so that its type shows.
pub(crate) async fn rows(db: &Database, schema: &Schema) -> Rows {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let mut all = Rows::new();
    for (name, table) in &schema.tables {
        let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for column in &table.columns {
            let sql = format!(
                "SELECT quote({}) FROM {} ORDER BY 1",
                quoted(&column.name),
                quoted(&name.name)
            );
            let values: Vec<(String,)> = db.query_as(&sql, ()).await.unwrap();
            let values = values.into_iter().map(|(value,)| value).collect();
            columns.insert(column.name.clone(), values);
        }
        all.insert(name.name.clone(), columns);
    }
    all
}

/// Checks that each column that is in both schemas, under whatever name, and is of the same
/// type, has the same values.
pub(crate) fn assert_kept(
    name: &str,
    hints: &Hints,
    (from, before): (&Schema, &Rows),
    (to, after): (&Schema, &Rows),
) -> usize {
    let mut compared = 0;
    for (new, table) in &to.tables {
        let old = hints.renames.iter().find_map(|rename| match rename {
            Rename::Table { from, to } if to == new => Some(from.clone()),
            _ => None,
        });
        let old = old.unwrap_or_else(|| new.clone());
        let Some(was) = from.tables.get(&old) else {
            continue;
        };
        for column in &table.columns {
            let old_column = hints.renames.iter().find_map(|rename| match rename {
                Rename::Column { table, from, to } if (table, to) == (new, &column.name) => {
                    Some(from.clone())
                }
                _ => None,
            });
            let old_column = old_column.unwrap_or_else(|| column.name.clone());
            let Some(was) = was
                .column(&old_column)
                .filter(|was| same_values(was, column))
            else {
                continue;
            };
            compared += 1;
            assert_eq!(
                before[&old.name][&was.name], after[&new.name][&column.name],
                "{name}: values of {new}.{}",
                column.name
            );
        }
    }
    compared
}

fn same_values(was: &Column, is: &Column) -> bool {
    let plain = was.generated.is_none() && is.generated.is_none();
    plain && was.data_type == is.data_type
}

/// The schema with columns in an order that does not count.
pub(crate) fn sorted(schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    for table in schema.tables.values_mut() {
        table.columns.sort_by(|a, b| a.name.cmp(&b.name));
    }
    schema
}

/// What came of a plan.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It led there; and back, where it said that it would.
    Done { back: bool },
    /// The rows do not fit, and nothing was changed.
    RowsDoNotFit(String),
}

/// Carries the plan out and back.
pub(crate) async fn there_and_back(
    name: &str,
    db: &Database,
    (from, to): (&Schema, &Schema),
    hints: &Hints,
    plan: &Plan,
) -> Outcome {
    let statements: Vec<String> = plan.up().map(str::to_owned).collect();
    let before = rows(db, from).await;
    let numbers = highest_numbers(db).await;
    if let Err(error) = carry_out(db, plan.up()).await {
        assert_same(name, from, &read(db).await, &statements);
        assert_eq!(rows(db, from).await, before, "{name}");
        let fits = [
            "constraint failed",
            "datatype mismatch",
            "cannot store",
            "orphans",
            "Cannot add a NOT NULL",
        ];
        assert!(
            fits.iter().any(|part| error.contains(part)),
            "{name}: {error}\nof\n{}",
            statements.join(";\n")
        );
        return Outcome::RowsDoNotFit(error);
    }
    let there = read(db).await;
    assert_same(name, &sorted(to), &sorted(&there), &statements);
    let again = diff(&there, to, &Hints::default());
    assert_eq!(again.changes, [], "{name}: a second diff");
    let legacy: i64 = db
        .query_scalar("SELECT * FROM pragma_legacy_alter_table", ())
        .await
        .unwrap();
    assert_eq!(legacy, 0, "{name}");
    let after = rows(db, to).await;
    assert_kept(name, hints, (from, &before), (to, &after));
    for (table, number) in highest_numbers(db).await {
        let was = numbers.get(&table).copied().unwrap_or_default();
        assert!(
            number >= was,
            "{name}: {table} gave {was}, and goes on from {number}"
        );
    }
    let Ok(down) = plan.down() else {
        return Outcome::Done { back: false };
    };
    let statements: Vec<String> = down.iter().map(|one| (*one).to_owned()).collect();
    if let Err(error) = carry_out(db, down).await {
        panic!("{name}, back: {error}\nof\n{}", statements.join(";\n"));
    }
    let back = read(db).await;
    assert_same(
        &format!("{name}, back"),
        &sorted(from),
        &sorted(&back),
        &statements,
    );
    let at_last = rows(db, from).await;
    let kept: Schema = Schema {
        tables: from
            .tables
            .iter()
            .filter(|(name, _)| stays(name, to, hints))
            .map(|(name, table)| (name.clone(), table.clone()))
            .collect(),
        ..Schema::default()
    };
    let case = name;
    for name in kept.tables.keys() {
        let count = |rows: &Rows| rows[&name.name].values().next().map(Vec::len);
        assert_eq!(
            count(&before),
            count(&at_last),
            "{case}: {name} has its rows again\n{}",
            plan.up().collect::<Vec<_>>().join(";\n")
        );
    }
    Outcome::Done { back: true }
}

/// The highest number that each table ever gave by itself.
async fn highest_numbers(db: &Database) -> BTreeMap<String, i64> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'";
    let there: i64 = db.query_scalar(sql, ()).await.unwrap();
    if there == 0 {
        return BTreeMap::new();
    }
    let sql = "SELECT name, seq FROM sqlite_sequence";
    let numbers: Vec<(String, i64)> = db.query_as(sql, ()).await.unwrap();
    numbers.into_iter().collect()
}

fn stays(name: &underpin::schema::ObjectName, to: &Schema, hints: &Hints) -> bool {
    let renamed = hints
        .renames
        .iter()
        .any(|rename| matches!(rename, Rename::Table { from, to: new } if from == name && to.tables.contains_key(new)));
    renamed || to.tables.contains_key(name)
}
