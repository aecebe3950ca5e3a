//! Results with one row.

use underpin_core::{Class, Columns, Effect, Error, FromRow, FromValue, Result, Row};

/// The first column of a row that has only one.
pub(crate) struct Scalar<T>(pub(crate) T);

impl<T: for<'r> FromValue<'r>> FromRow for Scalar<T> {
    type Layout = ();

    fn layout(columns: &Columns) -> Result<()> {
        // The same check and the same message as for a tuple of one.
        <(T,)>::layout(columns)
    }

    #[inline]
    fn from_row(row: &dyn Row, (): &()) -> Result<Self> {
        row.read(0).map(Scalar)
    }
}

/// Returns the only row, or the error that there was none or more than one.
pub(crate) fn exactly_one<T>(rows: Vec<T>, sql: &str) -> Result<T> {
    at_most_one(rows, sql)?.ok_or_else(|| {
        Error::new(
            Class::NotFound,
            format!(
                "The statement returned no rows, but one row was expected: {}",
                shorten(sql)
            ),
        )
        .with_effect(Effect::Applied)
        .with_hint("Use query_optional if there may be none.")
    })
}

/// Returns the only row or none, or the error that there were more.
pub(crate) fn at_most_one<T>(mut rows: Vec<T>, sql: &str) -> Result<Option<T>> {
    if rows.len() > 1 {
        return Err(Error::new(
            Class::Data,
            format!(
                "The statement returned more than one row, but one row was expected: {}",
                shorten(sql)
            ),
        )
        .with_effect(Effect::Applied)
        .with_hint("Use query_as for many rows, or add LIMIT 1."));
    }
    Ok(rows.pop())
}

/// A statement on one line, cut if it is too long for a message.
pub(crate) fn shorten(sql: &str) -> String {
    const LONGEST: usize = 200;
    let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}
