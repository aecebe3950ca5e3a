use std::collections::BTreeMap;

use underpin::schema::{
    Conflict, Deferral, GeneratedKind, KeyTarget, Match, ObjectRef, Schema, Table,
};

/// Every kind of thing that SQLite has and that the generator has to make.
pub(crate) const KINDS: [&str; 35] = [
    "tables",
    "strict tables",
    "tables without rowids",
    "columns",
    "columns without a type",
    "defaults",
    "generated columns, stored",
    "generated columns, virtual",
    "collations",
    "not null",
    "primary keys",
    "keys of several columns",
    "autoincrement",
    "orders of keys",
    "conflict clauses",
    "uniques",
    "checks",
    "names given to constraints",
    "names left to the engine",
    "foreign keys",
    "foreign keys of several columns",
    "foreign keys to themselves",
    "foreign keys match full",
    "deferrable foreign keys",
    "indexes",
    "unique indexes",
    "expressions in indexes",
    "orders of indexes",
    "predicates",
    "views",
    "views of views",
    "views that name their columns",
    "triggers",
    "triggers of views",
    "comments",
];

/// How many there are of each kind.
pub(crate) fn count(schema: &Schema) -> BTreeMap<&'static str, usize> {
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut add = |kind: &'static str, many: usize| *counts.entry(kind).or_default() += many;
    for (name, table) in &schema.tables {
        of_table(table, &mut add);
        of_constraints(&name.name, table, &mut add);
        of_indexes(table, &mut add);
        let keys = table.foreign_keys.values();
        let own = keys.filter(|key| key.references == *name).count();
        add("foreign keys to themselves", own);
    }
    for view in schema.views.values() {
        add("views", 1);
        let of_view = |on: &&ObjectRef| matches!(on, ObjectRef::View(_));
        add(
            "views of views",
            view.depends_on.iter().filter(of_view).count(),
        );
        add("views that name their columns", view.options.len());
        add("triggers of views", view.triggers.len());
        add("comments", usize::from(view.comment.is_some()));
    }
    counts
}

fn of_table(table: &Table, add: &mut impl FnMut(&'static str, usize)) {
    add("tables", 1);
    let has = |option: &str| usize::from(table.options.contains_key(option));
    add("strict tables", has("strict"));
    add("tables without rowids", has("without_rowid"));
    add("triggers", table.triggers.len());
    add("comments", usize::from(table.comment.is_some()));
    for column in &table.columns {
        add("columns", 1);
        add(
            "columns without a type",
            usize::from(column.data_type.name.is_empty()),
        );
        add("defaults", usize::from(column.default.is_some()));
        match column.generated.as_ref().map(|one| one.kind) {
            Some(GeneratedKind::Stored) => add("generated columns, stored", 1),
            Some(GeneratedKind::Virtual) => add("generated columns, virtual", 1),
            None => {}
        }
        add("collations", usize::from(column.collation.is_some()));
        add("not null", usize::from(column.not_null));
        add("autoincrement", usize::from(column.identity.is_some()));
        add(
            "conflict clauses",
            usize::from(column.not_null_conflict != Conflict::Abort),
        );
        add("comments", usize::from(column.comment.is_some()));
    }
}

fn of_constraints(name: &str, table: &Table, add: &mut impl FnMut(&'static str, usize)) {
    for key in table.primary_key.iter() {
        add("primary keys", 1);
        add(
            "keys of several columns",
            usize::from(key.columns.len() > 1),
        );
        add("orders of keys", key.orders.len());
        add(
            "conflict clauses",
            usize::from(key.conflict != Conflict::Abort),
        );
    }
    for unique in table.uniques.values() {
        add("uniques", 1);
        add("orders of keys", unique.orders.len());
        add(
            "conflict clauses",
            usize::from(unique.conflict != Conflict::Abort),
        );
    }
    add("checks", table.checks.len());
    for key in table.foreign_keys.values() {
        add("foreign keys", 1);
        add(
            "foreign keys of several columns",
            usize::from(key.columns.len() > 1),
        );
        add(
            "foreign keys match full",
            usize::from(key.matching == Match::Full),
        );
        add(
            "deferrable foreign keys",
            usize::from(key.deferral != Deferral::NotDeferrable),
        );
    }
    let names = table.checks.keys().chain(table.uniques.keys());
    for constraint in names.chain(table.foreign_keys.keys()) {
        match constraint.starts_with(name) {
            true => add("names left to the engine", 1),
            false => add("names given to constraints", 1),
        }
    }
}

fn of_indexes(table: &Table, add: &mut impl FnMut(&'static str, usize)) {
    for index in table.indexes.values() {
        add("indexes", 1);
        add("unique indexes", usize::from(index.unique));
        add("predicates", usize::from(index.predicate.is_some()));
        for key in &index.keys {
            let expression = matches!(key.target, KeyTarget::Expression(_));
            add("expressions in indexes", usize::from(expression));
            add("orders of indexes", usize::from(key.descending));
        }
    }
}
