//! PostgreSQL's tables and statements of models.

use underpin_schema::Type;
use underpin_sql::POSTGRES;

use crate::data_type::normal;
use crate::description::Description;
use crate::dialect::{Counters, ModelDialect};
use crate::sql::rows;

/// The particulars of PostgreSQL in the tables and statements of models.
pub const DIALECT: ModelDialect = ModelDialect {
    name: "postgres",
    sql: &POSTGRES,
    namespaces: true,
    default_namespace: "public",
    collation_namespace: "pg_catalog",
    given_type: normal,
    storage,
    any_type: None,
    now: None,
    comments: true,
    counters: Counters::Sequences,
    enums: true,
    type_check: None,
    readable: None,
    index_options: true,
    partitions: true,
    options: None,
    advance,
    on_conflict,
    array_parameters: true,
    fit: None,
    keys,
};

fn storage(_: &Description, logical: &Type) -> Type {
    logical.clone()
}

fn advance(before: &str, of: &Type, _: &Type) -> String {
    let step = step(of);
    let cast = match of.name == "timestamp without time zone" {
        true => "::timestamp",
        false => "",
    };
    format!("greatest(clock_timestamp(){cast}, {before} + interval '{step}')")
}

/// The smallest step that the type keeps.
fn step(of: &Type) -> String {
    let digits = of.parameters.first().and_then(|one| one.parse().ok());
    match digits.unwrap_or(6usize) {
        0 => "1 second".to_owned(),
        digits => format!("0.{}1 seconds", "0".repeat(digits.min(6) - 1)),
    }
}

/// Within ON CONFLICT, a column alone may be either that of the row which is there or that of
/// the row which is not.
fn on_conflict(table: &str, expression: &str) -> String {
    format!("(SELECT {expression} FROM (SELECT {table}.*) AS {table})")
}

/// `$1, $2` for one column, `($1, $2), ($3, $4)` for two.
fn keys(width: usize, count: usize) -> String {
    rows(POSTGRES.placeholder, width, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_the_smallest_that_is_kept() {
        for (text, expected) in [
            ("timestamp without time zone", "0.000001 seconds"),
            ("timestamp(3) without time zone", "0.001 seconds"),
            ("timestamp(0) with time zone", "1 second"),
        ] {
            assert_eq!(step(&Type::parse(text).unwrap()), expected);
        }
    }

    #[test]
    fn keys_go_by_number() {
        assert_eq!(keys(1, 2), "$1, $2");
        assert_eq!(keys(2, 2), "($1, $2), ($3, $4)");
    }
}
