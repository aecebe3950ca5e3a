use std::error::Error as _;

use underpin_core::{Error, quote};

use crate::wire::server_error::ServerError;

/// The place in the rows of a COPY at which the server found the mistake.
#[derive(Debug, PartialEq, Eq)]
struct RowPosition<'n> {
    row: u64,
    column: Option<&'n str>,
}

/// The error of a COPY that has a line for each row, with the row and the column that the server
/// names in its context.
#[cold]
pub(crate) fn located(error: Error, table: &str, columns: &[&str]) -> Error {
    let context = error
        .source()
        .and_then(|source| source.downcast_ref::<ServerError>())
        .and_then(ServerError::context);
    let relation = quote::parts(table).ok().and_then(|mut parts| parts.pop());
    let (Some(context), Some(relation)) = (context, relation) else {
        return error;
    };
    let Some(place) = place(context, &relation, columns) else {
        return error;
    };
    let row = place.row;
    let column = error.column().or(place.column).map(str::to_owned);
    let error = error.with_row(row);
    match column {
        Some(column) => error
            .with_context(format!(
                "Row {row} could not be inserted because of its column {column:?}, so no row was inserted."
            ))
            .with_column(column),
        None => error.with_context(format!("Row {row} could not be inserted, so no row was inserted.")),
    }
}

/// Reads `COPY users, line 3, column email: "…"` in any language: the known parts are the relation,
/// the names of the columns, and that one part is a number. Of several lines, earlier ones are
/// about code that ran for the row, and later ones belong to the value.
fn place<'n>(context: &str, relation: &str, columns: &[&'n str]) -> Option<RowPosition<'n>> {
    let rest = context.lines().find_map(|line| {
        let named = line.strip_prefix("COPY ").unwrap_or(line);
        let rest = named.strip_prefix(relation)?;
        let apart = !rest.starts_with(|c: char| c == '_' || c.is_ascii_alphanumeric());
        (apart && rest.contains(|c: char| c.is_ascii_digit())).then_some(rest)
    })?;
    let rest = &rest[rest.find(|c: char| c.is_ascii_digit())?..];
    let end = rest.find(|c: char| !c.is_ascii_digit());
    let (row, rest) = rest.split_at(end.unwrap_or(rest.len()));
    // The value, or its replacement, follows a colon.
    let named = rest.split([':', '：']).next().unwrap_or_default();
    Some(RowPosition {
        row: row.parse().ok()?,
        column: column(named, columns),
    })
}

/// The column in `, column email`: of the names that are found in it, the one that ends last, and
/// the longest of those, so that a column named "column" is not taken for it.
fn column<'n>(named: &str, columns: &[&'n str]) -> Option<&'n str> {
    let is_apart = |c: char| !(c.is_alphanumeric() || c == '_');
    let ends = columns.iter().filter_map(|name| {
        let start = named.rfind(name)?;
        let end = start + name.len();
        let apart = named[..start].ends_with(is_apart)
            && (named[end..].is_empty() || named[end..].starts_with(is_apart));
        apart.then_some((end, name.len(), *name))
    });
    ends.max().map(|(.., name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_place(context: &str, row: u64, column: Option<&str>) {
        let columns = ["id", "email", "column", "first name", "name"];
        let expected = Some(RowPosition { row, column });
        assert_eq!(place(context, "users", &columns), expected, "{context}");
    }

    #[test]
    fn row_and_column_are_read_in_any_language() {
        assert_place("COPY users, line 3, column email: \"x\"", 3, Some("email"));
        assert_place(
            "COPY users, line 3, column email: null input",
            3,
            Some("email"),
        );
        assert_place("COPY users, line 3, column id", 3, Some("id"));
        assert_place("COPY users, line 3", 3, None);
        assert_place("COPY users, line 3: \"1\tid\tx\"", 3, None);
        assert_place("COPY users, Zeile 12, Spalte email: »x«", 12, Some("email"));
        assert_place(
            "COPY users, ligne 3, colonne email : « x »",
            3,
            Some("email"),
        );
        assert_place(
            "COPY users, строка 3, столбец email: \"x\"",
            3,
            Some("email"),
        );
        assert_place("COPY users, 行 3, 列 email: \"x\"", 3, Some("email"));
        assert_place("users 복사, 3번째 줄, email 열: \"x\"", 3, Some("email"));
    }

    #[test]
    fn names_and_values_do_not_mislead() {
        assert_place(
            "COPY users, line 3, column column: \"x\"",
            3,
            Some("column"),
        );
        assert_place(
            "COPY users, line 3, column first name",
            3,
            Some("first name"),
        );
        assert_place("COPY users, line 3, column name", 3, Some("name"));
        assert_place(
            "COPY users, line 3, column email: \"x\nCOPY users, line 99\"",
            3,
            Some("email"),
        );
        assert_place(
            "PL/pgSQL function f() line 7 at RAISE\nCOPY users, line 2: \"1\"",
            2,
            None,
        );
        assert_place("COPY users, line 2, unnamed: \"id\"", 2, None);
        for context in [
            "",
            "COPY users2, line 3",
            "COPY users_old, line 3",
            "COPY users",
            "PL/pgSQL function users() line 7 at RAISE",
            "COPY users, line 99999999999999999999999",
        ] {
            assert_eq!(place(context, "users", &["id"]), None, "{context}");
        }
    }
}
