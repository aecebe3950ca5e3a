//! Conditions on one column, checked before SQLite sees a row. SQLite checks them again, so a
//! condition may let a row pass that does not meet it, and never the other way around.

use std::cmp::Ordering;

use rusqlite::types::Value;

use crate::value::Affinity;

/// How a column is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    IsNull,
    IsNotNull,
}

/// One condition.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition {
    pub(crate) column: usize,
    pub(crate) comparison: Comparison,
    pub(crate) with: Value,
    affinity: Affinity,
}

impl Condition {
    /// A condition that is decided here as SQLite decides it; `None` for one that is not. `binary`:
    /// texts are compared byte by byte.
    pub(crate) fn new(
        column: usize,
        affinity: Affinity,
        comparison: Comparison,
        with: Value,
        binary: bool,
    ) -> Option<Self> {
        let decided = match (&with, affinity) {
            _ if matches!(comparison, Comparison::IsNull | Comparison::IsNotNull) => true,
            (Value::Null | Value::Blob(_), _) => true,
            (Value::Integer(_) | Value::Real(_), Affinity::Text) => false,
            (Value::Integer(_) | Value::Real(_), _) => true,
            // SQLite takes such a text for a number beside a column of numbers.
            (Value::Text(text), Affinity::Number) => binary && !is_numeric(text),
            (Value::Text(_), _) => binary,
        };
        decided.then_some(Condition {
            column,
            comparison,
            with,
            affinity,
        })
    }

    /// Whether a row with this value in the column may meet the condition.
    pub(crate) fn may_hold(&self, value: &Value) -> bool {
        let is_null = matches!(value, Value::Null);
        match self.comparison {
            Comparison::IsNull => return is_null,
            Comparison::IsNotNull => return !is_null,
            _ if is_null || matches!(self.with, Value::Null) => return false,
            _ => {}
        }
        if matches!((value, self.affinity), (Value::Text(text), Affinity::Number) if is_numeric(text))
        {
            return true;
        }
        let Some(order) = order(value, &self.with) else {
            return true;
        };
        match self.comparison {
            Comparison::Equal => order.is_eq(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            _ => order.is_ge(),
        }
    }
}

/// Whether SQLite may take a text for a number.
pub(crate) fn is_numeric(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok()
}

/// The order of two values as SQLite has it: numbers, texts, blobs. `None` where it depends on how
/// a number is rounded.
fn order(one: &Value, other: &Value) -> Option<Ordering> {
    const EXACT: u64 = 1 << 53;
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Integer(_) | Value::Real(_) => 1,
        Value::Text(_) => 2,
        Value::Blob(_) => 3,
    };
    match (one, other) {
        (Value::Integer(one), Value::Integer(other)) => Some(one.cmp(other)),
        (Value::Real(one), Value::Real(other)) => one.partial_cmp(other),
        (Value::Integer(whole), Value::Real(real)) if whole.unsigned_abs() < EXACT => {
            (*whole as f64).partial_cmp(real)
        }
        (Value::Real(real), Value::Integer(whole)) if whole.unsigned_abs() < EXACT => {
            real.partial_cmp(&(*whole as f64))
        }
        (Value::Integer(_), Value::Real(_)) | (Value::Real(_), Value::Integer(_)) => None,
        (Value::Text(one), Value::Text(other)) => Some(one.as_bytes().cmp(other.as_bytes())),
        (Value::Blob(one), Value::Blob(other)) => Some(one.cmp(other)),
        _ => Some(rank(one).cmp(&rank(other))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each condition that is decided here, on each value, against SQLite's own answer.
    #[test]
    fn no_row_is_left_out_that_sqlite_would_take() {
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        let text = |text: &str| Value::Text(text.to_owned());
        let values = [
            Value::Null,
            Value::Integer(0),
            Value::Integer(-7),
            Value::Integer(i64::MAX),
            Value::Real(0.5),
            Value::Real(9.223_372_036_854_776e18),
            Value::Real(-7.0),
            text(""),
            text("7"),
            text(" -7 "),
            text("a"),
            text("A"),
            text("é"),
            text("2026-01-31 00:00:00"),
            text("922337203685477.5807"),
            Value::Blob(vec![97]),
        ];
        let comparisons = [
            ("=", Comparison::Equal),
            ("<", Comparison::Less),
            ("<=", Comparison::LessOrEqual),
            (">", Comparison::Greater),
            (">=", Comparison::GreaterOrEqual),
        ];
        let mut decided = (0, 0);
        for (declared, affinity) in [
            ("NUMERIC", Affinity::Number),
            ("TEXT", Affinity::Text),
            ("BLOB", Affinity::Blob),
        ] {
            // A virtual table gives its values as they are; so does a column without a type
            // beneath a cast that only names the affinity.
            for value in &values {
                if matches!(
                    (affinity, value),
                    (Affinity::Text, Value::Integer(_) | Value::Real(_))
                ) {
                    continue;
                }
                conn.execute_batch(&format!(
                    "DROP TABLE IF EXISTS t; CREATE TABLE t (c {declared})"
                ))
                .unwrap();
                conn.execute("INSERT INTO t VALUES (?1)", [value]).unwrap();
                let kept: Value = conn
                    .query_row("SELECT c FROM t", [], |row| row.get(0))
                    .unwrap();
                for (sign, comparison) in comparisons {
                    for with in &values {
                        let made = Condition::new(0, affinity, comparison, with.clone(), true);
                        let Some(condition) = made else { continue };
                        let sql = format!("SELECT count(*) FROM t WHERE c {sign} ?1");
                        let taken: i64 = conn.query_row(&sql, [with], |row| row.get(0)).unwrap();
                        let may = condition.may_hold(&kept);
                        assert!(may || taken == 0, "{declared} {kept:?} {sign} {with:?}");
                        decided.0 += 1;
                        decided.1 += usize::from(!may);
                    }
                }
            }
        }
        assert!(decided.0 > 2000 && decided.1 > 1000, "{decided:?}");
    }

    #[test]
    fn nulls_are_found() {
        let is = |comparison| Condition::new(0, Affinity::Text, comparison, Value::Null, true);
        assert!(is(Comparison::IsNull).unwrap().may_hold(&Value::Null));
        assert!(!is(Comparison::IsNull).unwrap().may_hold(&Value::Integer(1)));
        assert!(!is(Comparison::IsNotNull).unwrap().may_hold(&Value::Null));
        assert!(!is(Comparison::Equal).unwrap().may_hold(&Value::Null));
    }
}
