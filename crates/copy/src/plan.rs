//! What is copied: the tables, and for each its columns with their kinds and statements.

use std::collections::{BTreeMap, BTreeSet};

use underpin_core::{Class, Error, Result, quote};
use underpin_schema::{Column, ObjectName, Schema, Table, name_matches};

use crate::dialect::CopyDialect;
use crate::kind::Kind;
use crate::options::CopyOptions;
use crate::record::RECORD;
use crate::translate::{Side, one_column, one_table, target_name};

/// A table that is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePlan {
    /// Its name in the source.
    pub source: ObjectName,
    /// Its name in the target.
    pub target: ObjectName,
    /// The columns that are copied, in the order of the source.
    pub columns: Vec<ColumnPlan>,
    /// The places among them of the columns of its key; empty where it has none.
    pub key: Vec<usize>,
    /// The name of the target in SQL.
    pub(crate) into: String,
    /// What stands behind FROM for its rows in the target: not those of its children.
    pub(crate) rows: String,
    /// The statement that reads the source.
    pub(crate) read: String,
    /// The statement that reads the target again.
    pub(crate) read_back: String,
    /// The columns of the target that count by themselves.
    pub(crate) counted: Vec<Counted>,
    /// What is lost, and what happens beside, in words.
    pub notes: Vec<String>,
}

/// A column that is copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnPlan {
    /// Its name in the target.
    pub name: String,
    /// The values that it is copied as.
    pub kind: Kind,
}

/// A column that counts by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) column: Column,
    /// Whether it counts down.
    pub(crate) down: bool,
    /// The query of the source's last number.
    pub(crate) last: Option<String>,
}

impl TablePlan {
    /// The names of the columns.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.columns
            .iter()
            .map(|column| column.name.as_str())
            .collect()
    }
}

/// The tables of a source that are copied, by the options: neither partitions, whose rows come with
/// their table, nor what a copy notes for itself.
///
/// # Errors
/// [`Class::Config`] where a name or pattern selects nothing, and where there is nothing to copy.
pub fn selected(schema: &Schema, options: &CopyOptions) -> Result<BTreeSet<ObjectName>> {
    let matches = |pattern: &String, name: &ObjectName| {
        name_matches(pattern, &name.name) || name_matches(pattern, &name.to_string())
    };
    let copied = schema.tables.iter().filter(|(name, table)| {
        table.partition_of.is_none() && name.name != RECORD && !table.columns.is_empty()
    });
    let all: Vec<&ObjectName> = copied.map(|(name, _)| name).collect();
    let patterns = options.tables.iter().chain(options.conditions.keys());
    for pattern in patterns.chain(&options.exclude) {
        if !all.iter().any(|name| matches(pattern, name)) {
            let message = format!("The source has no table that {pattern:?} names.");
            return Err(Error::new(Class::Config, message).with_hint(
                "A partition is copied with its table. A table without columns is not copied.",
            ));
        }
    }
    let any = |patterns: &[String], name| patterns.iter().any(|pattern| matches(pattern, name));
    let chosen = all.into_iter().filter(|name| {
        (options.tables.is_empty() || any(&options.tables, name)) && !any(&options.exclude, name)
    });
    let chosen: BTreeSet<ObjectName> = chosen.cloned().collect();
    match chosen.is_empty() {
        true => Err(Error::new(Class::Config, "There is no table to copy.")),
        false => Ok(chosen),
    }
}

/// The plans of these tables of the source.
///
/// # Errors
/// [`Class::Missing`] for a table or column that the target has not, [`Class::Config`] for a column
/// of the target that needs a value and gets none.
pub(crate) fn plans(
    from: Side<'_>,
    to: Side<'_>,
    tables: &BTreeSet<ObjectName>,
    options: &CopyOptions,
) -> Result<Vec<TablePlan>> {
    let mut plans = Vec::new();
    let mut taken: BTreeMap<ObjectName, &ObjectName> = BTreeMap::new();
    for name in tables {
        let Some(table) = from.schema.tables.get(name) else {
            continue;
        };
        let wanted = target_name(name, from, to.engine)?;
        let found = to.schema.tables.iter().find(|(there, _)| {
            there.namespace == wanted.namespace && (to.rules.same_name)(&there.name, &wanted.name)
        });
        let Some((target, there)) = found else {
            let message = format!("The target has no table {wanted}.");
            return Err(Error::new(Class::Missing, message)
                .with_hint("Create it first, or copy with --create."));
        };
        if let Some(other) = taken.insert(target.clone(), name) {
            return Err(one_table(other, name, target));
        }
        plans.push(plan(from, to, (name, table), (target, there), options)?);
    }
    Ok(plans)
}

type Named<'t> = (&'t ObjectName, &'t Table);

fn plan(
    from: Side<'_>,
    to: Side<'_>,
    (source, table): Named<'_>,
    (target, there): Named<'_>,
    options: &CopyOptions,
) -> Result<TablePlan> {
    let rules = CopyDialect::target_of(to.engine)?;
    let mut notes = Vec::new();
    let mut losses: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut columns = Vec::new();
    let (mut read, mut back) = (Vec::new(), Vec::new());
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for column in &table.columns {
        let same = |other: &&Column| {
            other.name == column.name || (to.rules.same_name)(&other.name, &column.name)
        };
        let exact = there.column(&column.name);
        let Some(into) = exact.or_else(|| there.columns.iter().find(same)) else {
            let message = format!(
                "The table {target} of the target has no column {:?}.",
                column.name
            );
            return Err(Error::new(Class::Missing, message).with_column(&*column.name));
        };
        if into.generated.is_some() {
            notes.push(format!("the target computes {}", column.name));
            continue;
        }
        let mut source_kind = (from.copy.kind_of)(from.schema, &column.data_type);
        let mut target_kind = (to.copy.kind_of)(to.schema, &into.data_type);
        if from.engine == to.engine && source_kind == target_kind {
            source_kind = (from.copy.within)(source_kind);
            target_kind = source_kind.clone();
        }
        let kind = match from.copy.dynamic && to.copy.dynamic {
            true => Kind::Any,
            false => Kind::of_copy(&source_kind, &target_kind, rules.text_forms),
        };
        let engine_differs = from.engine != to.engine;
        let stored = (rules.loses)(&source_kind).filter(|_| engine_differs);
        for loss in source_kind.loss(&kind).into_iter().chain(stored) {
            losses.entry(loss).or_default().push(&column.name);
        }
        read.push((from.copy.read)(
            &quote::identifier(&column.name)?,
            &source_kind,
        ));
        back.push((to.copy.read)(
            &quote::identifier(&into.name)?,
            &target_kind,
        ));
        if let Some(other) = taken.insert(&into.name, &column.name) {
            let both = [other, column.name.as_str()];
            return Err(one_column(source, both, target, &into.name));
        }
        columns.push(ColumnPlan {
            name: into.name.clone(),
            kind,
        });
    }
    for (loss, of) in losses {
        notes.push(format!("loses {loss}, in {}", of.join(", ")));
    }
    needed(target, there, &columns)?;
    for (trigger, of) in &there.triggers {
        if of.state != underpin_schema::TriggerState::Disabled {
            notes.push(format!(
                "the trigger {trigger} of the target runs for its rows"
            ));
        }
    }
    let key = there
        .primary_key
        .as_ref()
        .map_or(&[][..], |key| &key.columns[..]);
    let place = |name: &String| columns.iter().position(|column| column.name == *name);
    let key: Option<Vec<usize>> = key.iter().map(place).collect();
    let into = (to.copy.table_name)(target)?;
    let rows = (from.copy.from)(&(from.copy.table_name)(source)?, table);
    let there_rows = (to.copy.from)(&into, there);
    Ok(TablePlan {
        source: source.clone(),
        target: target.clone(),
        key: key.unwrap_or_default(),
        read: format!(
            "SELECT {} FROM {rows}{}",
            read.join(", "),
            condition(source, options)
        ),
        read_back: format!("SELECT {} FROM {there_rows}", back.join(", ")),
        rows: there_rows,
        counted: counted(from, to, (source, table), (target, there))?,
        columns,
        into,
        notes,
    })
}

/// The conditions of a table, by its name or by patterns: a row meets all of them.
fn condition(name: &ObjectName, options: &CopyOptions) -> String {
    let of_table = options.conditions.iter().filter(|(pattern, _)| {
        name_matches(pattern, &name.name) || name_matches(pattern, &name.to_string())
    });
    let all: Vec<String> = of_table
        .map(|(_, condition)| format!("({condition})"))
        .collect();
    match all.is_empty() {
        true => String::new(),
        false => format!(" WHERE {}", all.join(" AND ")),
    }
}

/// The tables that would be copied if they had a column.
pub(crate) fn without_columns(schema: &Schema, options: &CopyOptions) -> Vec<String> {
    let matches = |patterns: &[String], name: &ObjectName| {
        patterns.iter().any(|pattern| {
            name_matches(pattern, &name.name) || name_matches(pattern, &name.to_string())
        })
    };
    let bare = schema.tables.iter().filter(|(name, table)| {
        table.columns.is_empty()
            && table.partition_of.is_none()
            && (options.tables.is_empty() || matches(&options.tables, name))
            && !matches(&options.exclude, name)
    });
    bare.map(|(name, _)| format!("table {name}: it has no columns"))
        .collect()
}

/// Refuses a table whose rows need a value that the source has not.
fn needed(target: &ObjectName, there: &Table, columns: &[ColumnPlan]) -> Result<()> {
    let missing = there.columns.iter().find(|column| {
        let copied = columns.iter().any(|copied| copied.name == column.name);
        let own =
            column.default.is_some() || column.identity.is_some() || column.generated.is_some();
        !copied && column.not_null && !own
    });
    match missing {
        None => Ok(()),
        Some(column) => {
            let message = format!(
                "The column {:?} of {target} needs a value, and the source has no such column.",
                column.name
            );
            Err(Error::new(Class::Config, message)
                .with_hint("Give it a default value, or allow NULL."))
        }
    }
}

fn counted(
    from: Side<'_>,
    to: Side<'_>,
    (source, table): Named<'_>,
    (target, there): Named<'_>,
) -> Result<Vec<Counted>> {
    let mut counted = Vec::new();
    for column in &there.columns {
        if !(to.copy.counts)(to.schema, target, column) {
            continue;
        }
        let of = table.column(&column.name);
        let last = match of {
            Some(of) if (from.copy.counts)(from.schema, source, of) => {
                (from.copy.last_number)(from.schema, source, of)?
            }
            _ => None,
        };
        let identity = column.identity.as_ref().map(|identity| &identity.options);
        let owned = to.schema.sequences.values().find(|sequence| {
            let by = sequence.owned_by.as_ref();
            by.is_some_and(|by| by.table == *target && by.column == column.name)
        });
        let options = identity.or(owned.map(|sequence| &sequence.options));
        counted.push(Counted {
            column: column.clone(),
            down: options.is_some_and(|options| options.increment < 0),
            last,
        });
    }
    Ok(counted)
}

#[cfg(test)]
mod tests {
    use underpin_core::Engine;
    use underpin_schema::{PartitionOf, PrimaryKey, Type};

    use super::*;

    fn schema(namespace: &str, tables: &[(&str, &[(&str, &str)])]) -> Schema {
        let mut schema = Schema::default();
        for (name, columns) in tables {
            let column = |(name, of): &(&str, &str)| Column {
                name: (*name).to_owned(),
                data_type: Type::parse(of).unwrap(),
                ..Column::default()
            };
            let table = Table {
                columns: columns.iter().map(column).collect(),
                primary_key: Some(PrimaryKey {
                    columns: vec![columns[0].0.to_owned()],
                    ..PrimaryKey::default()
                }),
                ..Table::default()
            };
            schema
                .tables
                .insert(ObjectName::new(namespace, *name), table);
        }
        schema
    }

    fn planned(from: &Schema, to: &Schema, options: &CopyOptions) -> Result<Vec<TablePlan>> {
        let tables = selected(from, options)?;
        let from = Side::new(Engine::POSTGRES, from)?;
        plans(from, Side::new(Engine::SQLITE, to)?, &tables, options)
    }

    #[test]
    fn a_table_is_read_as_what_the_target_holds() {
        let from = schema(
            "public",
            &[("t", &[("id", "integer"), ("at", "inet"), ("ok", "boolean")])],
        );
        let to = schema(
            "main",
            &[("T", &[("ok", "INTEGER"), ("ID", "INTEGER"), ("at", "TEXT")])],
        );
        let options = CopyOptions {
            conditions: [("public.t".to_owned(), "id > 5 OR ok".to_owned())].into(),
            ..CopyOptions::default()
        };
        let plan = &planned(&from, &to, &options).unwrap()[0];
        assert_eq!(plan.names(), ["ID", "at", "ok"]);
        let kinds: Vec<&Kind> = plan.columns.iter().map(|column| &column.kind).collect();
        assert_eq!(kinds, [&Kind::I64, &Kind::TEXT, &Kind::I64]);
        assert_eq!(
            plan.read,
            "SELECT \"id\", \"at\"::text, \"ok\" FROM ONLY \"public\".\"t\" WHERE (id > 5 OR ok)"
        );
        assert_eq!(plan.read_back, "SELECT \"ID\", \"at\", \"ok\" FROM \"T\"");
        assert_eq!(plan.key, [2]);
    }

    #[test]
    fn what_the_target_lacks_is_named() {
        let from = schema("public", &[("t", &[("id", "integer"), ("more", "text")])]);
        let options = CopyOptions::default();
        let said = |to: &Schema| planned(&from, to, &options).unwrap_err().to_string();
        assert!(said(&schema("main", &[])).contains("has no table main.t"));
        let narrow = schema("main", &[("t", &[("id", "INTEGER")])]);
        assert!(said(&narrow).contains("has no column \"more\""));
        let mut wide = schema(
            "main",
            &[("t", &[("id", "INTEGER"), ("more", "TEXT"), ("own", "TEXT")])],
        );
        assert!(planned(&from, &wide, &options).is_ok());
        let table = wide.tables.values_mut().next().unwrap();
        table.columns[2].not_null = true;
        assert!(said(&wide).contains("needs a value"));
        wide.tables.values_mut().next().unwrap().columns.pop();
        let mut two = from.clone();
        let table = two.tables.values().next().unwrap().clone();
        two.tables.insert(ObjectName::new("shop", "t"), table);
        let error = planned(&two, &wide, &options).unwrap_err().to_string();
        assert!(error.contains("public.t and shop.t are both"), "{error}");
    }

    #[test]
    fn tables_are_selected_by_names_and_patterns() {
        let columns: &[(&str, &str)] = &[("id", "integer")];
        let mut from = schema(
            "public",
            &[("a1", columns), ("a2", columns), ("b", columns)],
        );
        let part = from
            .tables
            .get_mut(&ObjectName::new("public", "b"))
            .unwrap();
        let mut part = part.clone();
        part.partition_of = Some(PartitionOf {
            parent: ObjectName::new("public", "b"),
            bound: underpin_schema::Bound::Default,
        });
        from.tables.insert(ObjectName::new("public", "b_1"), part);
        from.tables
            .insert(ObjectName::new("public", RECORD), Table::default());
        let of = |tables: &[&str], exclude: &[&str]| {
            let options = CopyOptions {
                tables: tables.iter().map(|name| (*name).to_owned()).collect(),
                exclude: exclude.iter().map(|name| (*name).to_owned()).collect(),
                ..CopyOptions::default()
            };
            let selected = selected(&from, &options)?;
            Ok::<_, Error>(
                selected
                    .into_iter()
                    .map(|name| name.name)
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(of(&[], &[]).unwrap(), ["a1", "a2", "b"]);
        assert_eq!(of(&["a*"], &["public.a2"]).unwrap(), ["a1"]);
        assert!(of(&["c"], &[]).unwrap_err().to_string().contains("\"c\""));
        assert!(of(&["b_1"], &[]).is_err());
        assert!(
            of(&["b"], &["b"])
                .unwrap_err()
                .to_string()
                .contains("no table to copy")
        );
    }
}
