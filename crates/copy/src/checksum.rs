//! The checksum of a table's values.
//!
//! Each row is written as bytes in one form, whatever engine held it: a tag for the kind of each
//! value, and the value, texts with their length. The 128-bit SipHash-1-3 of the bytes of all rows
//! are added, so that the order of the rows does not matter, and a row that is there twice counts
//! twice. Two tables are equal where the sums and the numbers of rows are.
//!
//! What means the same is written the same: decimal numbers without zeros at the end, all integers
//! in 64 bits, all floats in 64 bits with one NaN and one zero, text of a padded type without the
//! blanks at its end, JSON of which only the content counts with sorted keys.

use std::fmt;
use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13};
use underpin_core::Value;

use crate::json;
use crate::kind::{Kind, TextLimit};

/// The checksum of a table's values, and the number of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checksum {
    /// The number of rows.
    pub rows: u64,
    sum: u128,
}

impl Checksum {
    /// Adds a row by its [hash](row_hash).
    pub fn add(&mut self, hash: u128) {
        self.rows += 1;
        self.sum = self.sum.wrapping_add(hash);
    }

    /// Takes out a row that was added.
    pub fn take_out(&mut self, hash: u128) {
        self.rows -= 1;
        self.sum = self.sum.wrapping_sub(hash);
    }

    /// Reads what [`Display`](fmt::Display) has written, of so many rows.
    pub fn parse(text: &str, rows: u64) -> Option<Checksum> {
        let sum = u128::from_str_radix(text, 16).ok()?;
        (text.len() == 32).then_some(Checksum { rows, sum })
    }
}

/// The hash of a row whose values are of these kinds. Its bytes are written to `buffer`.
pub fn row_hash<'k>(
    row: &[Value],
    kinds: impl IntoIterator<Item = &'k Kind>,
    buffer: &mut Vec<u8>,
) -> u128 {
    buffer.clear();
    for (value, kind) in row.iter().zip(kinds) {
        write(value, kind, buffer);
    }
    let mut hasher = SipHasher13::new();
    hasher.write(buffer);
    hasher.finish128().as_u128()
}

/// The sum in 32 hexadecimal digits.
impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.sum)
    }
}

fn write(value: &Value, kind: &Kind, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0),
        Value::Bool(v) => out.extend([1, u8::from(*v)]),
        Value::I16(v) => whole(2, i64::from(*v), out),
        Value::I32(v) => whole(2, i64::from(*v), out),
        Value::I64(v) => whole(2, *v, out),
        Value::F32(v) => float(f64::from(*v), out),
        Value::F64(v) => float(*v, out),
        Value::Numeric(v) => {
            let text = v.as_str();
            let short = match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.'),
                false => text,
            };
            bytes(4, if short == "-0" { "0" } else { short }.as_bytes(), out);
        }
        Value::Text(v) => {
            let padded = matches!(kind, Kind::Text(TextLimit { padded: true, .. }));
            let text = if padded { v.trim_end_matches(' ') } else { v };
            bytes(5, text.as_bytes(), out);
        }
        Value::Json(v) => match kind {
            Kind::Jsonb => bytes(6, json::content(v).as_bytes(), out),
            // SQLite has no kind for it, so that it may come as text.
            _ => bytes(5, v.as_bytes(), out),
        },
        Value::Bytes(v) => bytes(7, v, out),
        Value::Date(v) => whole(8, i64::from(v.days()), out),
        Value::Time(v) => whole(9, v.micros(), out),
        Value::Timestamp(v) => whole(10, v.micros(), out),
        Value::TimestampTz(v) => whole(11, v.micros(), out),
        Value::Interval(v) => {
            whole(12, v.micros, out);
            out.extend(v.days.to_le_bytes());
            out.extend(v.months.to_le_bytes());
        }
        Value::Uuid(v) => {
            out.push(13);
            out.extend(v.as_bytes());
        }
        Value::Array(elements) => {
            whole(14, elements.len() as i64, out);
            let kind = match kind {
                Kind::Array(element) => element,
                other => other,
            };
            for element in elements {
                write(element, kind, out);
            }
        }
        other => bytes(15, other.to_string().as_bytes(), out),
    }
}

fn whole(tag: u8, value: i64, out: &mut Vec<u8>) {
    out.push(tag);
    out.extend(value.to_le_bytes());
}

fn float(value: f64, out: &mut Vec<u8>) {
    let one = match value {
        v if v.is_nan() => f64::NAN,
        // SQLite keeps no sign of zero.
        0.0 => 0.0,
        v => v,
    };
    out.push(3);
    out.extend(one.to_bits().to_le_bytes());
}

fn bytes(tag: u8, value: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    out.extend((value.len() as u64).to_le_bytes());
    out.extend(value);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(rows: &[Vec<Value>], kinds: &[Kind]) -> Checksum {
        let (mut sum, mut buffer) = (Checksum::default(), Vec::new());
        for row in rows {
            sum.add(row_hash(row, kinds, &mut buffer));
        }
        sum
    }

    fn one(value: Value, kind: Kind) -> Checksum {
        of(&[vec![value]], &[kind])
    }

    fn number(text: &str) -> Value {
        Value::Numeric(text.parse().unwrap())
    }

    #[test]
    fn the_order_of_rows_does_not_matter_and_their_number_does() {
        let (a, b) = (vec![Value::I64(1)], vec![Value::I64(2)]);
        let kinds = [Kind::I64];
        let sum = of(&[a.clone(), b.clone()], &kinds);
        assert_eq!(sum, of(&[b.clone(), a.clone()], &kinds));
        assert_ne!(sum, of(&[a.clone(), b.clone(), b.clone()], &kinds));
        assert_ne!(
            of(&[a.clone(), a.clone()], &kinds),
            of(&[b.clone(), b], &kinds)
        );
        let mut without = sum;
        without.take_out(row_hash(&a, &kinds, &mut Vec::new()));
        assert_eq!(without, of(&[vec![Value::I64(2)]], &kinds));
        assert_eq!(Checksum::parse(&sum.to_string(), 2), Some(sum));
        assert_eq!(Checksum::parse("12", 2), None);
    }

    #[test]
    fn what_means_the_same_is_the_same() {
        let numeric = Kind::Numeric(None);
        assert_eq!(
            one(number("1.10"), numeric.clone()),
            one(number("1.1"), numeric.clone())
        );
        assert_ne!(
            one(number("10"), numeric.clone()),
            one(number("1"), numeric)
        );
        assert_eq!(one(Value::I16(5), Kind::I16), one(Value::I64(5), Kind::I64));
        assert_eq!(
            one(Value::F64(-0.0), Kind::F64),
            one(Value::F64(0.0), Kind::F64)
        );
        let json = |text: &str, kind| one(Value::Json(text.to_owned()), kind);
        let (spread, tight) = ("{\"b\": 1, \"a\": 2}", "{\"a\":2,\"b\":1.0}");
        assert_eq!(json(spread, Kind::Jsonb), json(tight, Kind::Jsonb));
        assert_ne!(json(spread, Kind::Json), json(tight, Kind::Json));
    }

    #[test]
    fn values_do_not_run_into_each_other() {
        let text = |text: &str| Value::Text(text.to_owned());
        let kinds = [Kind::TEXT, Kind::TEXT];
        assert_ne!(
            of(&[vec![text("ab"), text("c")]], &kinds),
            of(&[vec![text("a"), text("bc")]], &kinds)
        );
        assert_ne!(
            of(&[vec![Value::Null, text("")]], &kinds),
            of(&[vec![text(""), Value::Null]], &kinds)
        );
    }

    proptest! {
        #[test]
        fn any_order_has_the_same_sum(mut rows: Vec<(i64, String)>, seed: u64) {
            let values = |rows: &[(i64, String)]| -> Vec<Vec<Value>> {
                let row = |(n, text): &(i64, String)| vec![Value::I64(*n), Value::Text(text.clone())];
                rows.iter().map(row).collect()
            };
            let kinds = [Kind::I64, Kind::TEXT];
            let before = of(&values(&rows), &kinds);
            let turn = (seed as usize) % rows.len().max(1);
            rows.rotate_left(turn);
            rows.reverse();
            prop_assert_eq!(before, of(&values(&rows), &kinds));
            if let Some(first) = rows.first_mut() {
                first.0 = first.0.wrapping_add(1);
                prop_assert_ne!(before, of(&values(&rows), &kinds));
            }
        }
    }
}
