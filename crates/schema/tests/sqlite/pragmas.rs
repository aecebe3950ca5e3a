//! What is read out of the stored SQL is what SQLite itself understands of it.

use std::collections::BTreeSet;

use underpin::Database;
use underpin::schema::{Action, GeneratedKind, KeyTarget, ObjectName, Schema, Table};

/// Compares every table with SQLite's own pragmas.
pub(crate) async fn assert_told(name: &str, db: &Database, schema: &Schema) {
    for (of, table) in &schema.tables {
        let place = format!("{name}, table {of}");
        columns(&place, db, of, table).await;
        foreign_keys(&place, db, of, table).await;
        keys(&place, db, of, table).await;
        options(&place, db, of, table).await;
    }
}

async fn columns(place: &str, db: &Database, of: &ObjectName, table: &Table) {
    let told: Vec<(String, i64, Option<String>, i64, i64)> = db
        .query_as(
            "SELECT name, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?1) ORDER BY cid",
            (of.name.clone(),),
        )
        .await
        .unwrap();
    assert_eq!(told.len(), table.columns.len(), "{place}");
    for ((name, not_null, default, key, hidden), column) in told.into_iter().zip(&table.columns) {
        let place = format!("{place}, column {name}");
        assert_eq!(name, column.name, "{place}");
        assert!(not_null == 0 || column.not_null, "{place}");
        assert_eq!(default.is_some(), column.default.is_some(), "{place}");
        let kind = match hidden {
            2 => Some(GeneratedKind::Virtual),
            3 => Some(GeneratedKind::Stored),
            _ => None,
        };
        let generated = column.generated.as_ref().map(|one| one.kind);
        assert_eq!(kind, generated, "{place}");
        let columns = table.primary_key.as_ref().map(|key| &key.columns);
        let number = columns.and_then(|names| names.iter().position(|one| *one == name));
        assert_eq!(key, number.map_or(0, |at| at as i64 + 1), "{place}");
    }
}

async fn foreign_keys(place: &str, db: &Database, of: &ObjectName, table: &Table) {
    let told: Vec<(String, String, Option<String>, String, String)> = db
        .query_as(
            "SELECT lower(\"table\"), lower(\"from\"), lower(\"to\"), on_update, on_delete
             FROM pragma_foreign_key_list(?1)",
            (of.name.clone(),),
        )
        .await
        .unwrap();
    let lower = |name: &String| name.to_ascii_lowercase();
    let mut read = Vec::new();
    for key in table.foreign_keys.values() {
        for (at, from) in key.columns.iter().enumerate() {
            let actions = [key.on_update, key.on_delete].map(word);
            let to = key.referenced_columns.get(at).map(lower);
            read.push((lower(&key.references.name), lower(from), to, actions));
        }
    }
    assert_eq!(told.len(), read.len(), "{place}");
    for (parent, from, to, on_update, on_delete) in told {
        let found = read.iter().any(|(a, b, c, [update, delete])| {
            *a == parent
                && *b == from
                && (to.is_none() || *c == to)
                && (*update, *delete) == (on_update.as_str(), on_delete.as_str())
        });
        assert!(found, "{place}: {from} to {parent}.{to:?}");
    }
}

fn word(action: Action) -> &'static str {
    match action {
        Action::NoAction => "NO ACTION",
        Action::Restrict => "RESTRICT",
        Action::Cascade => "CASCADE",
        Action::SetNull => "SET NULL",
        Action::SetDefault => "SET DEFAULT",
    }
}

/// One column of an index: its name, none for an expression; its order; its collation.
type Key = (Option<String>, bool, Option<String>);

async fn keys(place: &str, db: &Database, of: &ObjectName, table: &Table) {
    let told: Vec<(String, i64, String, i64)> = db
        .query_as(
            "SELECT name, \"unique\", origin, partial FROM pragma_index_list(?1)",
            (of.name.clone(),),
        )
        .await
        .unwrap();
    let mut uniques = BTreeSet::new();
    for (name, unique, origin, partial) in &told {
        let place = format!("{place}, index {name}");
        let rows: Vec<(Option<String>, i64, Option<String>)> = db
            .query_as(
                "SELECT name, \"desc\", coll FROM pragma_index_xinfo(?1) WHERE key = 1 ORDER BY seqno",
                (name.clone(),),
            )
            .await
            .unwrap();
        let upper = |name: String| name.to_ascii_uppercase();
        let keys = rows.into_iter().map(|(a, b, c)| (a, b != 0, c.map(upper)));
        let keys: Vec<Key> = keys.collect();
        match origin.as_str() {
            "c" => {
                let index = &table.indexes[name];
                assert_eq!(*unique != 0, index.unique, "{place}");
                assert_eq!(*partial != 0, index.predicate.is_some(), "{place}");
                assert_eq!(keys.len(), index.keys.len(), "{place}");
                for ((told, descending, collation), key) in keys.into_iter().zip(&index.keys) {
                    assert_eq!(descending, key.descending, "{place}");
                    match &key.target {
                        KeyTarget::Column(column) => {
                            assert_eq!(told.as_ref(), Some(column), "{place}");
                            let own = table.column(column).unwrap().collation.as_ref();
                            let named = key.collation.as_ref().or(own);
                            let named = named.map_or("BINARY", |one| &one.name);
                            assert_eq!(collation.as_deref(), Some(named), "{place}");
                        }
                        KeyTarget::Expression(_) => assert_eq!(told, None, "{place}"),
                    }
                }
            }
            "u" => drop(uniques.insert(keys)),
            _ => {}
        }
    }
    let created = told
        .iter()
        .filter(|(_, _, origin, _)| origin == "c")
        .count();
    assert_eq!(created, table.indexes.len(), "{place}");
    // SQLite makes one index for several constraints that are alike.
    for unique in table.uniques.values() {
        let columns = unique.columns.iter().map(|name| {
            let order = unique.orders.get(name);
            let own = table.column(name).unwrap().collation.as_ref();
            let named = order.and_then(|order| order.collation.as_ref()).or(own);
            let named = named.map_or("BINARY", |one| &one.name);
            let descending = order.is_some_and(|order| order.descending);
            (Some(name.clone()), descending, Some(named.to_owned()))
        });
        let columns: Vec<Key> = columns.collect();
        let primary = table.primary_key.as_ref();
        let same = primary.is_some_and(|key| key.columns == unique.columns);
        let found = uniques.iter().any(|keys| {
            let pairs = keys.iter().zip(&columns);
            keys.len() == columns.len() && pairs.clone().all(|(a, b)| (&a.0, &a.2) == (&b.0, &b.2))
        });
        assert!(found || same, "{place}: {columns:?} of {uniques:?}");
    }
}

async fn options(place: &str, db: &Database, of: &ObjectName, table: &Table) {
    let told: Vec<(i64, i64)> = db
        .query_as(
            "SELECT wr, strict FROM pragma_table_list(?1) WHERE schema = 'main'",
            (of.name.clone(),),
        )
        .await
        .unwrap();
    let is = |option: &str| i64::from(table.options.contains_key(option));
    assert_eq!(told, [(is("without_rowid"), is("strict"))], "{place}");
}
