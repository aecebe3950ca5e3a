//! SQLite's tables and statements of models.

mod fit;
mod readable;
mod type_check;

use std::collections::BTreeMap;

use underpin_schema::Type;
use underpin_sql::SQLITE;

use crate::description::Description;
use crate::dialect::{Counters, ModelDialect};
use crate::sql::rows;

/// The particulars of SQLite in the tables and statements of models.
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
    readable: Some(readable::readable),
    index_options: false,
    partitions: false,
    options: Some(options),
    advance,
    on_conflict,
    array_parameters: false,
    fit: Some(fit::fit),
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

/// A time as SQLite's functions write it, to the millisecond.
const MILLISECONDS: &str = "%Y-%m-%d %H:%M:%f";

/// Whether a type holds Unix seconds.
fn holds_seconds(stored: &Type) -> bool {
    stored.name.to_ascii_uppercase().contains("INT")
}

/// The present, in the form in which a time of this type is stored: to the second where it is a
/// number, else to the millisecond, without a fraction where that is zero.
fn present(of: &Type, stored: &Type) -> String {
    match of.name.as_str() {
        "date" => "date('now')".to_owned(),
        "time without time zone" => without_zeros("strftime('%H:%M:%f', 'now')"),
        _ if holds_seconds(stored) => "unixepoch()".to_owned(),
        _ => without_zeros(&format!("strftime('{MILLISECONDS}', 'now')")),
    }
}

fn without_zeros(time: &str) -> String {
    format!("replace({time}, '.000', '')")
}

/// The row keeps the form that it has: Unix seconds, a `T` for the space, a zone.
fn advance(before: &str, _: &Type, stored: &Type) -> String {
    let seconds = format!("max(unixepoch(), coalesce({before} + 1, 0))");
    if holds_seconds(stored) {
        return seconds;
    }
    // SQLite reads no zone of hours alone, which is how rows of long ago have it.
    let next = |from: &str| format!("strftime('{MILLISECONDS}', {from}, '+0.001 seconds')");
    let latest = format!(
        "max(strftime('{MILLISECONDS}', 'now'), coalesce({}, {}, ''))",
        next(before),
        next(&format!("{before} || ':00'"))
    );
    format!(
        "CASE typeof({before}) WHEN 'integer' THEN {seconds} ELSE replace({}, ' ', \
         CASE WHEN {before} GLOB '*T*' THEN 'T' ELSE ' ' END) || \
         CASE WHEN {before} GLOB '*+00:00' THEN '+00:00' WHEN {before} GLOB '*Z' THEN 'Z' \
         ELSE '' END END",
        without_zeros(&latest)
    )
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
    fn the_present_has_the_form_that_is_stored() {
        let now = |of: &str, stored: &str| present(&Type::named(of), &Type::named(stored));
        let text = now("timestamp with time zone", "TEXT");
        assert_eq!(
            text,
            "replace(strftime('%Y-%m-%d %H:%M:%f', 'now'), '.000', '')"
        );
        assert_eq!(now("timestamp without time zone", "TEXT"), text);
        assert_eq!(now("timestamp with time zone", "BIGINT"), "unixepoch()");
        assert_eq!(now("date", "TEXT"), "date('now')");
    }

    #[test]
    fn keys_go_by_their_order() {
        assert_eq!(keys(1, 2), "?, ?");
        assert_eq!(keys(2, 2), "VALUES (?, ?), (?, ?)");
    }
}
