use std::collections::{BTreeMap, BTreeSet, HashMap};

use underpin_core::{Result, ValueRow};

use super::error::SqlError;
use super::expression::Scope;
use super::parse::{self, names_in};
use crate::{
    Namespace, ObjectName, ObjectRef, Schema, Trigger, TriggerState, Type, Unsupported, View,
    ViewColumn,
};

mod foreign_key;
mod index;
mod table;

/// How many statements have an answer.
const STATEMENTS: usize = 3;

/// The one namespace.
pub(super) const MAIN: &str = "main";

/// A column of a table, as SQLite tells it.
pub(super) struct ColumnRow {
    name: String,
    not_null: bool,
}

/// What has SQL of its own.
struct ObjectRow {
    kind: String,
    name: String,
    /// The table or view that it belongs to.
    of: String,
    sql: String,
}

/// The schema, from the answers to [`statements`](super::statements) in the same order.
///
/// # Errors
/// A [`SqlError`] as the source: [`Class::Data`](underpin_core::Class::Data) for SQL that
/// cannot be read, [`Class::Config`](underpin_core::Class::Config) where answers are missing.
pub fn assemble(answers: &[Vec<ValueRow>]) -> Result<Schema> {
    let [object_rows, relation_rows, column_rows] = answers else {
        return Err(SqlError::Answers {
            statements: STATEMENTS,
            answers: answers.len(),
        }
        .into());
    };
    let mut shadows = BTreeSet::new();
    for row in relation_rows {
        let (name, kind): (String, String) = (row.read(0)?, row.read(1)?);
        if kind == "shadow" {
            shadows.insert(name);
        }
    }
    let mut columns: HashMap<String, Vec<ColumnRow>> = HashMap::new();
    for row in column_rows {
        let column = ColumnRow {
            name: row.read(1)?,
            not_null: row.read::<i64>(2)? != 0,
        };
        columns.entry(row.read(0)?).or_default().push(column);
    }
    let mut objects = Vec::with_capacity(object_rows.len());
    for row in object_rows {
        let object = ObjectRow {
            kind: row.read(0)?,
            name: row.read(1)?,
            of: row.read(2)?,
            sql: row.read(3)?,
        };
        // What a virtual table keeps its rows in is part of it.
        if !shadows.contains(&object.of) {
            objects.push(object);
        }
    }
    let mut schema = Schema::default();
    schema
        .namespaces
        .insert(MAIN.to_owned(), Namespace::default());
    // Indexes and triggers belong to what is there then.
    let (owners, parts): (Vec<_>, Vec<_>) = objects
        .into_iter()
        .partition(|object| matches!(object.kind.as_str(), "table" | "view"));
    for object in owners.into_iter().chain(parts) {
        add(&mut schema, &columns, object)?;
    }
    foreign_key::resolve(&mut schema);
    views_depend(&mut schema);
    Ok(schema)
}

fn add(
    schema: &mut Schema,
    columns: &HashMap<String, Vec<ColumnRow>>,
    object: ObjectRow,
) -> Result<()> {
    let ObjectRow {
        kind,
        name,
        of,
        sql,
    } = object;
    let rows = columns.get(&of).map_or(&[][..], Vec::as_slice);
    let owner = ObjectName::new(MAIN, of.clone());
    let result = match kind.as_str() {
        "table" if is_virtual(&sql) => {
            let kind = "virtual table".to_owned();
            schema.unsupported.insert(Unsupported {
                kind,
                name,
                fingerprint: sql,
            });
            Ok(())
        }
        "table" => table::read(&name, &sql, rows).map(|read| {
            schema.unsupported.extend(read.unsupported);
            schema.tables.insert(owner, read.table);
        }),
        "view" => view(&sql).map(|view| {
            schema.views.insert(owner, view);
        }),
        "index" => match schema.tables.get_mut(&owner) {
            Some(table) => index::read(&sql, &of, table).map(|index| {
                table.indexes.insert(name.clone(), index);
            }),
            None => unsupported(schema, &kind, &name, &of),
        },
        "trigger" => {
            let triggers = match schema.tables.get_mut(&owner) {
                Some(table) => Some(&mut table.triggers),
                None => schema.views.get_mut(&owner).map(|view| &mut view.triggers),
            };
            match triggers {
                Some(triggers) => {
                    triggers.insert(name.clone(), trigger(&sql));
                    Ok(())
                }
                None => unsupported(schema, &kind, &name, &of),
            }
        }
        other => unsupported(schema, other, &name, &of),
    };
    result.map_err(|error: SqlError| error.of(&kind, &of).into())
}

fn unsupported(schema: &mut Schema, kind: &str, name: &str, of: &str) -> Result<(), SqlError> {
    schema.unsupported.insert(Unsupported {
        kind: kind.to_owned(),
        name: format!("{name} on {of}"),
        fingerprint: String::new(),
    });
    Ok(())
}

fn is_virtual(sql: &str) -> bool {
    let prefix = "CREATE VIRTUAL";
    sql.get(..prefix.len())
        .is_some_and(|begins| begins.eq_ignore_ascii_case(prefix))
}

fn trigger(sql: &str) -> Trigger {
    Trigger {
        definition: sql.trim().into(),
        function: None,
        state: TriggerState::Enabled,
        inherited: false,
        comment: None,
    }
}

fn view(sql: &str) -> Result<View, SqlError> {
    let read = parse::view(sql)?;
    let named = ("named_columns".to_owned(), "true".to_owned());
    let options = read.columns.as_ref().map(|_| named);
    let columns = read.columns.unwrap_or_default().into_iter();
    let columns = columns.map(|name| ViewColumn {
        name,
        data_type: Type::default(),
        default: None,
        options: Default::default(),
        comment: None,
    });
    Ok(View {
        definition: read.definition,
        columns: columns.collect(),
        options: options.into_iter().collect(),
        comment: read.comment,
        ..View::default()
    })
}

/// Notes what each view is made of: what its query names, as far as it was read.
fn views_depend(schema: &mut Schema) {
    let mut known: BTreeMap<String, ObjectRef> = BTreeMap::new();
    for name in schema.tables.keys() {
        known.insert(
            name.name.to_ascii_lowercase(),
            ObjectRef::Table(name.clone()),
        );
    }
    for name in schema.views.keys() {
        known.insert(
            name.name.to_ascii_lowercase(),
            ObjectRef::View(name.clone()),
        );
    }
    for (name, view) in &mut schema.views {
        let named = names_in(view.definition.as_str()).into_iter();
        let found = named.filter_map(|word| known.get(&word).cloned());
        let own = ObjectRef::View(name.clone());
        view.depends_on = found.filter(|found| *found != own).collect();
    }
}

/// The names of the columns that a scope is made of.
pub(super) fn scope<'a>(table: &'a str, columns: &'a [String]) -> Scope<'a> {
    Scope { table, columns }
}
