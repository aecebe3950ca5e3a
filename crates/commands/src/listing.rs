use std::borrow::Cow;
use std::io::{BufWriter, IsTerminal, stdout};
use std::sync::Arc;

use underpin::{Column, Columns, Result, Value, ValueRow};

use crate::format::printer;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

/// Prints rows of these columns in the form that was asked for.
pub(crate) fn print(
    options: &GlobalOptions,
    columns: &[&str],
    rows: impl IntoIterator<Item = Vec<Value>>,
) -> Result<()> {
    let column = |name: &&str| Column {
        name: (*name).to_owned(),
        type_name: Cow::Borrowed("text"),
    };
    let columns = Arc::new(Columns(columns.iter().map(column).collect()));
    let mut printer = printer(options.format, &columns, stdout().is_terminal());
    let mut out = BufWriter::new(stdout());
    for row in rows {
        or_broken_pipe(printer.row(&ValueRow::new(Arc::clone(&columns), row), &mut out))?;
    }
    or_broken_pipe(printer.end(&mut out))
}

pub(crate) fn text(shown: impl std::fmt::Display) -> Value {
    Value::Text(shown.to_string())
}

/// Ids with blanks between them.
pub(crate) fn ids<'a>(ids: impl IntoIterator<Item = &'a underpin::migrate::RevisionId>) -> Value {
    names(ids)
}

/// Names with blanks between them.
pub(crate) fn names(names: impl IntoIterator<Item = impl ToString>) -> Value {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    Value::Text(names.join(" "))
}
