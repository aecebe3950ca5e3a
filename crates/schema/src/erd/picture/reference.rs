//! The foreign keys between the boxes.

use std::collections::{BTreeMap, BTreeSet};

use super::entity::uniques;
use super::{End, Entity, Kind, Naming, Picture, Reference};
use crate::{Action, ForeignKey, ObjectName, Schema, Table};

/// Adds every foreign key, and a box for each table that one refers to and the schema lacks.
pub(super) fn all(
    schema: &Schema,
    naming: &Naming,
    folded: &BTreeMap<ObjectName, ObjectName>,
    places: &mut BTreeMap<ObjectName, usize>,
    picture: &mut Picture,
) {
    for (name, table) in &schema.tables {
        for (key_name, key) in &table.foreign_keys {
            // A partition's is its parent's once more.
            if folded.contains_key(name) && key.inherited {
                continue;
            }
            let child = folded.get(name).unwrap_or(name);
            let parent = folded.get(&key.references).unwrap_or(&key.references);
            let child = places[child];
            let parent = *places.entry(parent.clone()).or_insert_with(|| {
                picture.entities.push(absent(naming, parent));
                picture.entities.len() - 1
            });
            let reference = Reference {
                child: end(picture, child, &key.columns),
                parent: end(picture, parent, &key.referenced_columns),
                columns: key.columns.clone(),
                optional: (key.columns.iter()).any(|name| {
                    !(table.column(name)).is_some_and(|column| column.not_null)
                        && !in_primary(table, name)
                }),
                many: !one_at_most(table, &key.columns),
                identifying: key.columns.iter().all(|name| in_primary(table, name)),
                tooltip: told(key_name, name, key),
            };
            picture.references.push(reference);
        }
    }
}

fn absent(naming: &Naming, name: &ObjectName) -> Entity {
    Entity {
        kind: Kind::Absent,
        name: naming.name(name),
        rows: Vec::new(),
        note: None,
        tooltip: Some(format!("{name}\nnot part of this schema")),
    }
}

fn end(picture: &Picture, entity: usize, columns: &[String]) -> End {
    let rows = &picture.entities[entity].rows;
    let place = |name: &String| rows.iter().position(|row| row.name == *name);
    End {
        entity,
        rows: columns.iter().filter_map(place).collect(),
    }
}

fn in_primary(table: &Table, column: &String) -> bool {
    let key = table.primary_key.as_ref();
    key.is_some_and(|key| key.columns.contains(column))
}

/// Whether a key of the table keeps these columns from being the same in two rows.
fn one_at_most(table: &Table, columns: &[String]) -> bool {
    let columns: BTreeSet<&String> = columns.iter().collect();
    let primary = table.primary_key.iter().map(|key| key.columns.clone());
    let mut keys = primary.chain(uniques(table));
    keys.any(|key| key.iter().all(|name| columns.contains(name)))
}

/// All of a foreign key in words.
fn told(name: &str, table: &ObjectName, key: &ForeignKey) -> String {
    let mut text = format!(
        "{name}: {table} ({}) → {} ({})",
        key.columns.join(", "),
        key.references,
        key.referenced_columns.join(", "),
    );
    for (event, action) in [("update", key.on_update), ("delete", key.on_delete)] {
        let action = match action {
            Action::NoAction => continue,
            Action::Restrict => "restrict",
            Action::Cascade => "cascade",
            Action::SetNull => "set null",
            Action::SetDefault => "set default",
        };
        text.push_str(&format!(", on {event} {action}"));
    }
    if key.not_valid {
        text.push_str(", not valid");
    }
    if let Some(comment) = &key.comment {
        text.push('\n');
        text.push_str(comment);
    }
    text
}
