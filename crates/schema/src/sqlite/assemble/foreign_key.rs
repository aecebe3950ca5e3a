use std::collections::BTreeMap;

use crate::{ForeignKey, ObjectName, Schema};

/// The known facts about a table that others refer to.
struct Parent {
    name: ObjectName,
    columns: Vec<String>,
    key: Vec<String>,
}

/// Gives each foreign key the names as they are in the table that it refers to, and the
/// primary key of that where it names no columns. What refers to nothing stays as it is.
pub(super) fn resolve(schema: &mut Schema) {
    let parents: BTreeMap<String, Parent> = schema
        .tables
        .iter()
        .map(|(name, table)| {
            let columns = table.columns.iter().map(|column| column.name.clone());
            let key = table.primary_key.as_ref();
            let parent = Parent {
                name: name.clone(),
                columns: columns.collect(),
                key: key.map_or(Vec::new(), |key| key.columns.clone()),
            };
            (name.name.to_ascii_lowercase(), parent)
        })
        .collect();
    for table in schema.tables.values_mut() {
        for key in table.foreign_keys.values_mut() {
            if let Some(parent) = parents.get(&key.references.name.to_ascii_lowercase()) {
                refer(key, parent);
            }
        }
    }
}

fn refer(key: &mut ForeignKey, parent: &Parent) {
    key.references = parent.name.clone();
    if key.referenced_columns.is_empty() && key.columns.len() == parent.key.len() {
        key.referenced_columns.clone_from(&parent.key);
    }
    for name in &mut key.referenced_columns {
        let mut columns = parent.columns.iter();
        if let Some(column) = columns.find(|column| column.eq_ignore_ascii_case(name)) {
            name.clone_from(column);
        }
    }
}
