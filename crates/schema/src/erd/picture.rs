//! What is to be seen of a schema, before it has a place.

mod entity;
mod reference;

use std::collections::{BTreeMap, BTreeSet};

use super::Columns;
use crate::{ObjectName, Schema, Table, Type};

/// Boxes, and the references between them.
#[derive(Debug, Default)]
pub(super) struct Picture {
    pub(super) entities: Vec<Entity>,
    pub(super) references: Vec<Reference>,
}

/// One box.
#[derive(Debug)]
pub(super) struct Entity {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) rows: Vec<Row>,
    /// A line below the rows.
    pub(super) note: Option<String>,
    pub(super) tooltip: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Table,
    /// A table that is referred to and is not in the schema.
    Absent,
    View,
    MaterializedView,
    Enum,
}

/// One line of a box: a column, or a label of an enum.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) data_type: String,
    pub(super) marks: Vec<Mark>,
    /// Whether it refuses NULL; none for what is not a column.
    pub(super) not_null: Option<bool>,
    pub(super) tooltip: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mark {
    Primary,
    Foreign,
    /// Unique by itself.
    Unique,
    /// Unique together with the other columns of the same number, from 1 on.
    UniqueWith(usize),
}

/// A foreign key.
#[derive(Debug)]
pub(super) struct Reference {
    pub(super) child: End,
    pub(super) parent: End,
    /// The columns that refer, whether they are shown or not.
    pub(super) columns: Vec<String>,
    /// Whether a row need not refer to any.
    pub(super) optional: bool,
    /// Whether several rows may refer to the same one.
    pub(super) many: bool,
    /// Whether it is part of the primary key of the table that refers.
    pub(super) identifying: bool,
    pub(super) tooltip: String,
}

/// The end of a reference: a box, and its shown rows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End {
    pub(super) entity: usize,
    pub(super) rows: Vec<usize>,
}

pub(super) fn of(schema: &Schema, columns: Columns) -> Picture {
    let naming = Naming::of(schema);
    let folded = folded(schema);
    let mut picture = Picture::default();
    let mut places = BTreeMap::new();
    let seen = seen(schema, &folded);
    for (name, table) in &schema.tables {
        if folded.contains_key(name) {
            continue;
        }
        places.insert(name.clone(), picture.entities.len());
        let partitions: Vec<&ObjectName> = (folded.iter().filter(|(_, root)| *root == name))
            .map(|(partition, _)| partition)
            .collect();
        let mut entity = entity::table(&naming, name, table, &partitions);
        let seen = seen.get(name);
        entity.rows.retain(|row| match columns {
            Columns::All => true,
            Columns::Keys => {
                !row.marks.is_empty() || seen.is_some_and(|seen| seen.contains(&row.name))
            }
            Columns::None => false,
        });
        picture.entities.push(entity);
    }
    reference::all(schema, &naming, &folded, &mut places, &mut picture);
    entity::others(schema, &naming, columns, &mut picture);
    picture
}

/// Each partition with the table at the top that it is a part of.
fn folded(schema: &Schema) -> BTreeMap<ObjectName, ObjectName> {
    let parent = |table: &Table| {
        let parent = table.partition_of.as_ref()?.parent.clone();
        schema.tables.contains_key(&parent).then_some(parent)
    };
    let mut folded = BTreeMap::new();
    for (name, table) in &schema.tables {
        let (mut root, mut next) = (None, parent(table));
        // No chain of parents is longer than there are tables, unless it is a circle.
        for _ in 0..schema.tables.len() {
            let Some(here) = next else { break };
            next = parent(&schema.tables[&here]);
            root = Some(here);
        }
        if let (Some(root), None) = (root, next) {
            folded.insert(name.clone(), root);
        }
    }
    folded
}

/// The columns that foreign keys point at.
fn seen(
    schema: &Schema,
    folded: &BTreeMap<ObjectName, ObjectName>,
) -> BTreeMap<ObjectName, BTreeSet<String>> {
    let mut seen = BTreeMap::<_, BTreeSet<_>>::new();
    for key in (schema.tables.values()).flat_map(|table| table.foreign_keys.values()) {
        let parent = folded.get(&key.references).unwrap_or(&key.references);
        let columns = seen.entry(parent.clone()).or_default();
        columns.extend(key.referenced_columns.iter().cloned());
    }
    seen
}

/// How names are shown: with their namespace where there is more than one.
pub(super) struct Naming {
    several: bool,
}

impl Naming {
    fn of(schema: &Schema) -> Self {
        let objects = (schema.tables.keys())
            .chain(schema.views.keys())
            .chain(schema.materialized_views.keys())
            .chain(schema.enums.keys());
        let used: BTreeSet<&str> = objects.map(|name| &*name.namespace).collect();
        Naming {
            several: used.len() > 1,
        }
    }

    fn name(&self, name: &ObjectName) -> String {
        match self.several {
            true => format!("{}.{}", name.namespace, name.name),
            false => name.name.clone(),
        }
    }

    /// The type in its short form, where the engine has one for a long name.
    fn data_type(&self, data_type: &Type) -> String {
        let mut shown = data_type.clone();
        if shown.namespace.is_some() {
            if !self.several {
                shown.namespace = None;
            }
            return shown.to_string();
        }
        let short = match &*shown.name {
            "character varying" => "varchar",
            "character" => "char",
            "bit varying" => "varbit",
            "timestamp with time zone" => "timestamptz",
            "timestamp without time zone" => "timestamp",
            "time with time zone" => "timetz",
            "time without time zone" => "time",
            _ => return shown.to_string(),
        };
        short.clone_into(&mut shown.name);
        shown.to_string()
    }
}
