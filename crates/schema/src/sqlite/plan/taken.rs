use std::collections::HashSet;

use crate::Schema;

/// The names of tables, views and indexes, in lower case, as SQLite tells them apart.
pub(super) struct Taken(HashSet<String>);

impl Taken {
    pub(super) fn of(schemas: [&Schema; 2]) -> Self {
        let names = schemas.into_iter().flat_map(|schema| {
            let views = schema.views.keys();
            let tables = schema.tables.values();
            let indexes = tables.flat_map(|table| table.indexes.keys());
            let names = schema.tables.keys().chain(views).map(|one| &one.name);
            names.chain(indexes)
        });
        Taken(names.map(|name| name.to_ascii_lowercase()).collect())
    }

    /// A name that nothing has, for a table that does not keep it.
    pub(super) fn spare(&self, name: &str) -> String {
        let mut spare = format!("{name}__new");
        while self.0.contains(&spare.to_ascii_lowercase()) {
            spare.push('_');
        }
        spare
    }
}
