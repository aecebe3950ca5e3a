use underpin::schema::Schema;
use underpin::{Result, Value};

use super::found::{Found, all};
use super::rows::Estimates;
use crate::listing::{print as print_rows, text};
use crate::options::GlobalOptions;

/// Prints everything that has a name of its own, one a row.
pub(super) fn print(schema: &Schema, rows: &Estimates, options: &GlobalOptions) -> Result<()> {
    let columns = [
        "name",
        "kind",
        "columns",
        "indexes",
        "foreign_keys",
        "rows_estimated",
        "comment",
    ];
    let own = all(schema).filter(|one| !is_of_a_column(one));
    print_rows(options, &columns, own.map(|one| row(&one, rows)))
}

/// A sequence that a column owns is seen with that.
fn is_of_a_column(found: &Found<'_>) -> bool {
    matches!(found, Found::Sequence(_, of) if of.owned_by.is_some())
}

fn row(found: &Found<'_>, rows: &Estimates) -> Vec<Value> {
    let count = |count: usize| Value::I64(i64::try_from(count).unwrap_or(i64::MAX));
    let (columns, indexes, foreign_keys) = match found {
        Found::Table(_, of) => {
            let of_keys = usize::from(of.primary_key.is_some()) + of.uniques.len();
            let indexes = of_keys + of.exclusions.len() + of.indexes.len();
            let keys = of.foreign_keys.len();
            (count(of.columns.len()), count(indexes), count(keys))
        }
        Found::View(_, of) if !of.columns.is_empty() => {
            (count(of.columns.len()), Value::Null, Value::Null)
        }
        Found::MaterializedView(_, of) => {
            let indexes = count(of.indexes.len());
            (count(of.columns.len()), indexes, Value::Null)
        }
        _ => (Value::Null, Value::Null, Value::Null),
    };
    let estimated = match found {
        Found::Table(name, _) | Found::MaterializedView(name, _) => rows.get(name),
        _ => None,
    };
    vec![
        text(found.name()),
        text(found.kind()),
        columns,
        indexes,
        foreign_keys,
        estimated.map_or(Value::Null, |count| Value::I64(*count)),
        found.comment().map_or(Value::Null, text),
    ]
}
