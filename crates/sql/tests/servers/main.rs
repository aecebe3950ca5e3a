//! Statements end where the servers themselves end them.

mod postgres;
mod sqlite;

use proptest::prelude::*;
use underpin_sql::{Lexis, Piece, split};

/// The statements of a text that can be split.
fn statements<'a>(sql: &'a str, lexis: &Lexis) -> Vec<&'a str> {
    let pieces = split(sql, lexis).unwrap_or_else(|error| panic!("{sql}\n{error}"));
    let statements = pieces.into_iter().filter_map(|piece| match piece {
        Piece::Statement { range, .. } => Some(&sql[range]),
        Piece::Rows { .. } | Piece::Between { .. } => None,
    });
    statements.collect()
}

/// A text of statements, each `SELECT` and some of these expressions, or one of the `others`.
fn text(
    expressions: &'static [&'static str],
    others: &'static [&'static str],
) -> impl Strategy<Value = String> {
    let blanks = [
        " ",
        "\n",
        "\r\n",
        "\t",
        " -- ;'\n",
        " -- it's\r\n",
        "/* ; ' */",
        " /**/ ",
    ];
    let blank = || prop::sample::select(blanks.to_vec());
    let expressions = (prop::sample::select(expressions), blank(), blank());
    let select = prop::collection::vec(expressions, 1..4).prop_map(|list| {
        let list: Vec<String> = list
            .into_iter()
            .map(|(one, before, after)| [before, one, after].concat())
            .collect();
        format!("SELECT {}", list.join(","))
    });
    let other = prop::sample::select(others).prop_map(str::to_owned);
    let statement = prop_oneof![4 => select, 1 => other];
    let ends = [";", " ;", "; ;", ";-- a; b\n", ";\r\n/* ; */ ;"];
    let end = prop::sample::select(ends.to_vec());
    prop::collection::vec((blank(), statement, end), 1..5).prop_map(|parts| {
        let parts = parts.into_iter();
        parts
            .map(|(blank, statement, end)| format!("{blank}{statement}{end}"))
            .collect()
    })
}
