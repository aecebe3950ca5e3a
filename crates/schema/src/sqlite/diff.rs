use crate::{Diff, Hints, Rename, Schema};

/// How two schemas of SQLite differ: as [`diff`](crate::diff()) has it, but that a table or column
/// whose name differs in capitals alone is renamed, since SQLite takes both names for one.
pub fn diff(from: &Schema, to: &Schema, hints: &Hints) -> Diff {
    let mut hints = hints.clone();
    let mut found = Vec::new();
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    for new in to
        .tables
        .keys()
        .filter(|name| !from.tables.contains_key(*name))
    {
        let mut old = from
            .tables
            .keys()
            .filter(|name| !to.tables.contains_key(*name));
        if let Some(old) = old.find(|old| same(&old.name, &new.name)) {
            found.push(Rename::Table {
                from: old.clone(),
                to: new.clone(),
            });
        }
    }
    hints.renames.extend(found);
    let tables = hints.renamed(from, to).tables;
    for (name, table) in &to.tables {
        let Some(was) = tables.get(name) else {
            continue;
        };
        for new in table
            .columns
            .iter()
            .filter(|one| was.column(&one.name).is_none())
        {
            let mut old = was
                .columns
                .iter()
                .filter(|one| table.column(&one.name).is_none());
            if let Some(old) = old.find(|old| same(&old.name, &new.name)) {
                hints.renames.push(Rename::Column {
                    table: name.clone(),
                    from: old.name.clone(),
                    to: new.name.clone(),
                });
            }
        }
    }
    crate::diff(from, to, &hints)
}
