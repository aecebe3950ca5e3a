//! Where rows with a value are, so that a join does not read a table again for each row of another.
//!
//! SQLite asks a virtual table for the rows with one value as often as the other table of a join has
//! rows. The second time, the table is read once and the place of each row is noted by a hash of its
//! value: sixteen bytes a row.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use rusqlite::types::Value;

use crate::condition::is_numeric;
use crate::value::Affinity;

/// Rows of a table whose places are noted; a longer one is read each time.
pub(crate) const ROWS: usize = 1 << 20;

/// Where a row is: the position of its page among those of the table, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) page: u32,
    pub(crate) row: u16,
}

/// Where the rows with each value of a column are.
#[derive(Debug, Default)]
pub(crate) struct Lookup(Vec<(u64, Position)>);

impl Lookup {
    /// Of all rows with a value, in any order.
    pub(crate) fn new(mut rows: Vec<(u64, Position)>) -> Self {
        rows.sort_unstable();
        Lookup(rows)
    }

    /// The rows that may have a value, in the order of the table.
    pub(crate) fn rows(&self, hash: u64) -> Vec<Position> {
        let first = self.0.partition_point(|(of, _)| *of < hash);
        let found = self.0[first..].iter().take_while(|(of, _)| *of == hash);
        found.map(|(_, position)| *position).collect()
    }
}

/// What is known of a column.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    /// It was asked for a value once.
    Asked,
    /// Where its rows are.
    Rows(Arc<Lookup>),
    /// The table is too long to note that.
    TooLong,
}

/// What is known of the columns of a table.
pub(crate) type Lookups = HashMap<usize, Known>;

/// A number that equal values have in common; `None` for NULL, which equals nothing.
pub(crate) fn hash(value: &Value, affinity: Affinity) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    let mut number = |number: f64| {
        // The two zeros are equal.
        (number + 0.0).to_bits().hash(&mut hasher);
    };
    match value {
        Value::Null => return None,
        Value::Integer(whole) => number(*whole as f64),
        Value::Real(real) => number(*real),
        Value::Text(text) if affinity == Affinity::Number && is_numeric(text) => {
            number(text.trim().parse().unwrap_or_default());
        }
        Value::Text(text) => text.hash(&mut hasher),
        Value::Blob(bytes) => bytes.hash(&mut hasher),
    }
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_value_in_their_order() {
        let of = |number: i64| hash(&Value::Integer(number), Affinity::Number).unwrap();
        let at = |page, row| Position { page, row };
        let lookup = Lookup::new(vec![
            (of(5), at(2, 0)),
            (of(7), at(0, 1)),
            (of(5), at(0, 3)),
            (of(5), at(1, 9)),
        ]);
        assert_eq!(lookup.rows(of(5)), [at(0, 3), at(1, 9), at(2, 0)]);
        assert_eq!(lookup.rows(of(6)), []);
    }

    #[test]
    fn equal_values_have_one_hash() {
        let number = |value: Value| hash(&value, Affinity::Number);
        assert_eq!(number(Value::Integer(5)), number(Value::Real(5.0)));
        assert_eq!(number(Value::Real(0.0)), number(Value::Real(-0.0)));
        let digits = "922337203685477.5807";
        let parsed = digits.parse().unwrap();
        assert_eq!(
            number(Value::Text(digits.into())),
            number(Value::Real(parsed))
        );
        assert_eq!(number(Value::Null), None);
        assert_ne!(
            hash(&Value::Text("5".into()), Affinity::Text),
            number(Value::Integer(5))
        );
    }
}
