//! SQLite's tables and statements of models.

mod type_check;

use std::collections::BTreeMap;

use underpin_schema::Type;
use underpin_sql::SQLITE;

use crate::description::Description;
use crate::dialect::{Counters, ModelDialect};
use crate::sql::rows;

/// What is SQLite's own in the tables and statements of models.
pub const DIALECT: ModelDialect = ModelDialect {
    name: "sqlite",
    sql: &SQLITE,
    namespaces: false,
    default_namespace: "main",
    collation_namespace: "main",
    given_type: std::convert::identity,
    storage,
    any_type: Some("ANY"),
    now: Some(present),
    comments: false,
    counters: Counters::RowIds,
    enums: false,
    type_check: Some(type_check::type_check),
    index_options: false,
    partitions: false,
    options: Some(options),
    advance,
    on_conflict,
    array_parameters: false,
    keys,
};

/// The type with which SQLite keeps what a type of PostgreSQL holds. Those of strict tables
/// are few; what has no form of its own there is text.
fn storage(of: &Description, logical: &Type) -> Type {
    Type::named(stored_as(logical, of.sqlite.strict))
}

fn stored_as(logical: &Type, strict: bool) -> &'static str {
    if logical.namespace.is_some() || logical.array {
        return "TEXT";
    }
    match logical.name.as_str() {
        "boolean" | "smallint" | "integer" | "bigint" => "INTEGER",
        "real" | "double precision" => "REAL",
        "numeric" if strict => "REAL",
        "numeric" => "NUMERIC",
        "bytea" => "BLOB",
        _ => "TEXT",
    }
}

/// The present to the millisecond, in the form in which a time of this type is stored.
fn present(of: &Type) -> String {
    let form = match of.name.as_str() {
        "date" => "%Y-%m-%d",
        "timestamp with time zone" => "%Y-%m-%d %H:%M:%f+00",
        _ => "%Y-%m-%d %H:%M:%f",
    };
    format!("strftime('{form}', 'now')")
}

fn advance(before: &str, of: &Type) -> String {
    let now = present(of);
    // SQLite reads no zone of hours alone.
    let next = now.replace(
        "'now'",
        &format!("substr({before}, 1, instr({before} || '+', '+') - 1), '+0.001 seconds'"),
    );
    format!("max({now}, coalesce({next}, ''))")
}

fn on_conflict(_: &str, expression: &str) -> String {
    expression.to_owned()
}

fn options(of: &Description) -> BTreeMap<String, String> {
    let options = [
        ("strict", of.sqlite.strict),
        ("without_rowid", of.sqlite.without_rowid),
    ];
    let set = options.into_iter().filter(|(_, set)| *set);
    set.map(|(name, _)| (name.to_owned(), "true".to_owned()))
        .collect()
}

/// SQLite has rows only after VALUES, and looks through all numbered parameters for each:
/// there, they go by their order.
fn keys(width: usize, count: usize) -> String {
    let rows = rows(|_| "?".to_owned(), width, count);
    match width {
        1 => rows,
        _ => format!("VALUES {rows}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_is_kept_as_what_holds_it() {
        for (name, kept, strict) in [
            ("boolean", "INTEGER", "INTEGER"),
            ("numeric", "NUMERIC", "REAL"),
            ("bytea", "BLOB", "BLOB"),
            ("timestamp with time zone", "TEXT", "TEXT"),
            ("inet", "TEXT", "TEXT"),
        ] {
            let of = Type::named(name);
            assert_eq!(
                (stored_as(&of, false), stored_as(&of, true)),
                (kept, strict)
            );
        }
    }

    #[test]
    fn keys_go_by_their_order() {
        assert_eq!(keys(1, 2), "?, ?");
        assert_eq!(keys(2, 2), "VALUES (?, ?), (?, ?)");
    }
}
