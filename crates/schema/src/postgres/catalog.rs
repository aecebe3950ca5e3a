//! The queries of the catalog, one file for each kind of rows: its text, and its rows as they
//! are. All take the same parameters: `$1` the namespaces or NULL, `$2` the patterns of tables
//! or NULL, `$3` the patterns to leave out.

pub(super) mod access;
pub(super) mod columns;
pub(super) mod constraints;
pub(super) mod defined;
pub(super) mod dependencies;
pub(super) mod functions;
pub(super) mod indexes;
pub(super) mod names;
pub(super) mod policies;
pub(super) mod relations;
pub(super) mod settings;
pub(super) mod triggers;
pub(super) mod types;
pub(super) mod unsupported;

/// Whether the namespace `n` is selected. One of the server's own never is: what an extension has
/// there is the extension's.
macro_rules! namespace_selected {
    () => {
        "(CASE WHEN $1::text[] IS NULL
          THEN n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
          ELSE n.nspname::text = ANY ($1) AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' END)"
    };
}

/// Whether the relation `c` in the namespace `n` is selected, and belongs to no extension. What
/// extensions have is looked up once, and is little.
macro_rules! relation_selected {
    () => {
        concat!(
            $crate::postgres::catalog::namespace_selected!(),
            " AND ($2::text[] IS NULL OR c.relname::text LIKE ANY ($2))
              AND NOT c.relname::text LIKE ANY ($3::text[])
              AND c.oid <> ALL (ARRAY(SELECT x.objid FROM pg_depend x WHERE x.deptype = 'e'
                AND x.refclassid = 'pg_extension'::regclass AND x.classid = 'pg_class'::regclass))"
        )
    };
}

/// Whether an object of no relation, in the namespace `n`, is selected: only where
/// relations are not picked by name, and not where an extension or another type brought it.
/// Its class and number follow.
macro_rules! object_selected {
    ($class:literal, $oid:literal) => {
        concat!(
            $crate::postgres::catalog::namespace_selected!(),
            " AND $2::text[] IS NULL AND $3::text[] IS NOT NULL
              AND NOT EXISTS (SELECT FROM pg_depend x WHERE x.classid = ",
            $class,
            " AND x.objid = ",
            $oid,
            " AND x.deptype IN ('e', 'i'))"
        )
    };
}

use {namespace_selected, object_selected, relation_selected};

/// All queries, in the order in which [`assemble`](super::assemble()) takes their answers.
pub(super) fn queries(version: i32) -> Vec<String> {
    vec![
        names::SQL.to_owned(),
        types::SQL.to_owned(),
        relations::SQL.to_owned(),
        columns::sql(version),
        constraints::sql(version),
        indexes::sql(version),
        functions::SQL.to_owned(),
        triggers::sql(version),
        policies::SQL.to_owned(),
        dependencies::SQL.to_owned(),
        unsupported::sql(),
        defined::sql(version),
        settings::sql(version),
        access::sql(version),
    ]
}
