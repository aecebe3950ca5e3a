//! SQLite's part in copying tables.
//!
//! SQLite keeps the type of a column as it was declared, and takes from it only whether it converts
//! values to numbers or text. So a column is declared with the name of its kind: `BOOLEAN`,
//! `TIMESTAMPTZ(3)`, `INT4 ARRAY`. Where SQLite would take that for a number and change the value,
//! `TEXT` stands behind it: `NUMERIC TEXT(30,10)`, `JSONB TEXT`. Read back, it is the same kind.

use std::fmt::Write;

use underpin_core::{Result, Value, quote};
use underpin_schema::{Column, ObjectName, Schema, Type};
use underpin_sql::SQLITE;

use crate::convert::Misfit;
use crate::dialect::{CopyDialect, Counting, ForeignKeyRules, TargetLock, TargetRules};
use crate::kind::{Digits, Kind, TextLimit};
use crate::literal::{self, Literal};
use crate::postgres::NATIVE;

/// The particulars of SQLite in copying tables.
pub const DIALECT: CopyDialect = CopyDialect {
    kind_of,
    within: |kind| kind,
    dynamic: true,
    table_name: |name| quote::identifier(&name.name),
    read: |column, _| column.to_owned(),
    from: |name, _| name.to_owned(),
    session: &[],
    snapshot: None,
    counts,
    last_number,
    literal,
    target: Some(TargetRules {
        type_of,
        loses,
        refuses,
        text_forms: true,
        store,
        default,
        has_rows: |table| format!("SELECT EXISTS (SELECT 1 FROM {table})"),
        identity: "SELECT file FROM pragma_database_list WHERE name = 'main'",
        // The lock of a transaction ends with each table.
        lock: TargetLock::File {
            suffix: "-underpin-copy",
        },
        counting: Counting::Key,
        set_number,
        session: &["PRAGMA foreign_keys = OFF"],
        foreign_keys: ForeignKeyRules::CheckedAfter(|table| {
            format!(
                "SELECT count(*) FROM pragma_foreign_key_check({})",
                (SQLITE.text)(table)
            )
        }),
        writers: false,
        namespaces: false,
    }),
};

/// A declared type in its parts.
struct Declared {
    /// The words in capitals, with one blank between two.
    words: String,
    numbers: Vec<i64>,
}

impl Declared {
    fn of(of: &Type) -> Self {
        let words = of.name.split_whitespace();
        let words: Vec<String> = words.map(str::to_ascii_uppercase).collect();
        let numbers = of.parameters.iter();
        Declared {
            words: words.join(" "),
            numbers: numbers
                .filter_map(|number| number.trim().parse().ok())
                .collect(),
        }
    }

    fn digits(&self) -> Option<Digits> {
        let precision = u32::try_from(*self.numbers.first()?).ok()?;
        let scale = self.numbers.get(1).copied().unwrap_or(0);
        Some(Digits {
            precision,
            scale: i32::try_from(scale).ok()?,
        })
    }

    fn length(&self) -> Option<u32> {
        u32::try_from(*self.numbers.first()?).ok()
    }

    fn second_digits(&self) -> u8 {
        let first = self
            .numbers
            .first()
            .and_then(|first| u8::try_from(*first).ok());
        first.unwrap_or(Kind::MICROS).min(Kind::MICROS)
    }
}

fn kind_of(_: &Schema, of: &Type) -> Kind {
    kind_of_declared(&Declared::of(of))
}

fn kind_of_declared(of: &Declared) -> Kind {
    if let Some(element) = of.words.strip_suffix(" ARRAY") {
        let element = Declared {
            words: element.to_owned(),
            numbers: of.numbers.clone(),
        };
        return match kind_of_declared(&element) {
            Kind::Any => Kind::TEXT,
            element => Kind::Array(Box::new(element)),
        };
    }
    if let Some(kept) = of.words.strip_suffix(" TEXT") {
        let known = kept.to_ascii_lowercase();
        return match kept {
            "NUMERIC" => Kind::Numeric(of.digits()),
            "JSON" => Kind::Json,
            "JSONB" => Kind::Jsonb,
            "TIMETZ" => Kind::Native("time with time zone".to_owned()),
            _ if NATIVE.binary_search(&known.as_str()).is_ok() => {
                let numbers: Vec<String> = of.numbers.iter().map(i64::to_string).collect();
                Kind::Native(match numbers.is_empty() {
                    true => known,
                    false => format!("{known}({})", numbers.join(",")),
                })
            }
            _ => Kind::TEXT,
        };
    }
    let varying = || TextLimit {
        length: of.length(),
        padded: false,
    };
    match of.words.as_str() {
        "" | "ANY" => Kind::Any,
        "BOOLEAN" | "BOOL" => Kind::Bool,
        "SMALLINT" | "INT2" => Kind::I16,
        "INT4" => Kind::I32,
        "FLOAT4" => Kind::F32,
        "NUMERIC" | "DECIMAL" | "DEC" | "MONEY" => Kind::Numeric(of.digits()),
        "CHAR" | "CHARACTER" | "NCHAR" => Kind::Text(TextLimit {
            length: of.length(),
            padded: true,
        }),
        "DATE" => Kind::Date,
        "TIME" => Kind::Time(of.second_digits()),
        "DATETIME" | "TIMESTAMP" => Kind::Timestamp(of.second_digits()),
        "TIMESTAMPTZ" | "TIMESTAMP WITH TIME ZONE" => Kind::TimestampTz(of.second_digits()),
        "INTERVAL" => Kind::Interval,
        "UUID" | "GUID" => Kind::Uuid,
        "JSON" | "JSONB" => Kind::Jsonb,
        words if words.contains("INT") => Kind::I64,
        words if words.contains("CHAR") => Kind::Text(varying()),
        words if words.contains("CLOB") || words.contains("TEXT") => Kind::TEXT,
        words
            if ["BLOB", "BINARY", "BYTEA"]
                .iter()
                .any(|name| words.contains(name)) =>
        {
            Kind::Bytes
        }
        words
            if ["REAL", "FLOA", "DOUB"]
                .iter()
                .any(|name| words.contains(name)) =>
        {
            Kind::F64
        }
        _ => Kind::Any,
    }
}

/// The most digits of a decimal number that every float of 64 bits keeps.
const FLOAT_DIGITS: u32 = 15;

fn type_of(kind: &Kind, counts: bool) -> Type {
    let plain = |name: &str| Type::named(name);
    let with = |name: &str, numbers: &[i64]| Type {
        parameters: numbers.iter().map(i64::to_string).collect(),
        ..Type::named(name)
    };
    let timed = |name: &str, digits: u8| match digits {
        Kind::MICROS.. => plain(name),
        digits => with(name, &[i64::from(digits)]),
    };
    match kind {
        // Only this very name is that of a key that counts.
        Kind::I16 | Kind::I32 | Kind::I64 if counts => plain("INTEGER"),
        Kind::Bool => plain("BOOLEAN"),
        Kind::I16 => plain("SMALLINT"),
        Kind::I32 => plain("INT4"),
        Kind::I64 => plain("BIGINT"),
        Kind::F32 => plain("FLOAT4"),
        Kind::F64 => plain("DOUBLE PRECISION"),
        Kind::Numeric(Some(digits)) => {
            let numbers = [i64::from(digits.precision), i64::from(digits.scale)];
            let exact = digits.precision <= FLOAT_DIGITS && digits.scale >= 0;
            with(if exact { "NUMERIC" } else { "NUMERIC TEXT" }, &numbers)
        }
        Kind::Numeric(None) => plain("NUMERIC TEXT"),
        Kind::Text(TextLimit {
            length: Some(length),
            padded,
        }) => with(
            if *padded { "CHAR" } else { "VARCHAR" },
            &[i64::from(*length)],
        ),
        Kind::Bytes => plain("BLOB"),
        Kind::Date => plain("DATE"),
        Kind::Time(digits) => timed("TIME", *digits),
        Kind::Timestamp(digits) => timed("TIMESTAMP", *digits),
        Kind::TimestampTz(digits) => timed("TIMESTAMPTZ", *digits),
        Kind::Interval => plain("INTERVAL"),
        Kind::Uuid => plain("UUID"),
        Kind::Json => plain("JSON TEXT"),
        Kind::Jsonb => plain("JSONB TEXT"),
        Kind::Array(element) => {
            let element = type_of(element, false);
            let name = match element.name.strip_suffix(" TEXT") {
                // A list is text in any case.
                Some("NUMERIC") => "NUMERIC",
                _ => &element.name,
            };
            Type {
                name: format!("{name} ARRAY"),
                ..element
            }
        }
        Kind::Native(name) if name == "time with time zone" => plain("TIMETZ TEXT"),
        Kind::Native(name) => native(name).unwrap_or_else(|| plain("TEXT")),
        Kind::Text(_) | Kind::Labels(_) => plain("TEXT"),
        Kind::Any => plain(""),
    }
}

/// The type of another engine with `TEXT` behind its name, where it can be found again.
fn native(name: &str) -> Option<Type> {
    let of = Type::parse(name).ok()?;
    let known = !of.array && NATIVE.binary_search(&of.name.as_str()).is_ok();
    known.then(|| Type {
        name: format!("{} TEXT", of.name.to_ascii_uppercase()),
        ..of
    })
}

fn loses(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::F32 | Kind::F64 => Some("the sign of a zero"),
        Kind::Array(_) => Some("bounds other than 1 (it is a list in JSON)"),
        Kind::Labels(_) => Some("the order of the labels"),
        Kind::Native(name) if native(name).is_none() => Some("the type; its text is kept"),
        _ => None,
    }
}

fn refuses(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::F32 | Kind::F64 | Kind::Numeric(_) => Some("NaN"),
        Kind::Date | Kind::Timestamp(_) | Kind::TimestampTz(_) => {
            Some("years before 1 and after 9999")
        }
        Kind::Array(_) => Some("bytes, NaN and infinite floats in it"),
        _ => None,
    }
}

/// An array as JSON; the driver writes one only where no number is in the name of the type.
fn store(value: Value, kind: &Kind) -> Result<Value, Misfit> {
    match (value, kind) {
        (Value::Array(elements), _) => {
            let mut json = String::new();
            array(&elements, &mut json)?;
            Ok(Value::Text(json))
        }
        // All digits, since SQLite would make a number of it.
        (value, _) => Ok(value),
    }
}

fn array(elements: &[Value], json: &mut String) -> Result<(), Misfit> {
    json.push('[');
    for (at, element) in elements.iter().enumerate() {
        if at > 0 {
            json.push(',');
        }
        match element {
            Value::Null => json.push_str("null"),
            Value::Bool(v) => json.push_str(if *v { "true" } else { "false" }),
            Value::I16(_) | Value::I32(_) | Value::I64(_) => {
                let _ = write!(json, "{element}");
            }
            Value::F32(v) => float(f64::from(*v), json)?,
            Value::F64(v) => float(*v, json)?,
            Value::Array(elements) => array(elements, json)?,
            Value::Bytes(_) => {
                return Err(Misfit(
                    "it is an array of bytes, for which JSON has no form".to_owned(),
                ));
            }
            other => quoted(&other.to_string(), json),
        }
    }
    json.push(']');
    Ok(())
}

fn float(value: f64, json: &mut String) -> Result<(), Misfit> {
    if !value.is_finite() {
        let why = "it is an array of floats that are not all finite, and JSON has no others";
        return Err(Misfit(why.to_owned()));
    }
    let _ = write!(json, "{value:?}");
    Ok(())
}

fn quoted(text: &str, json: &mut String) {
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            c if c < ' ' => {
                let _ = write!(json, "\\u{:04x}", u32::from(c));
            }
            c => json.push(c),
        }
    }
    json.push('"');
}

fn default(literal: &Literal, kind: &Kind) -> Option<String> {
    Some(match (literal, kind) {
        (Literal::Null, _) => return None,
        (Literal::Bool(truth), Kind::Bool) => if *truth { "TRUE" } else { "FALSE" }.to_owned(),
        (Literal::Number(number), _) => number.clone(),
        (Literal::Now, Kind::Date) => "CURRENT_DATE".to_owned(),
        (Literal::Now, Kind::Time(_)) => without_zeros("%H:%M:%f"),
        (Literal::Now, Kind::Timestamp(_) | Kind::TimestampTz(_)) => {
            without_zeros("%Y-%m-%d %H:%M:%f")
        }
        (Literal::Text(text), Kind::Array(_)) => match text.as_str() {
            "[]" | "{}" => "'[]'".to_owned(),
            _ => return None,
        },
        (Literal::Text(text), _) => (SQLITE.text)(text),
        _ => return None,
    })
}

/// The present as a time is stored: without a fraction where that is zero.
fn without_zeros(form: &str) -> String {
    format!("replace(strftime('{form}', 'now'), '.000', '')")
}

fn literal(sql: &str) -> Option<Literal> {
    let present = ["strftime(", "datetime(", "date(", "time(", "unixepoch("];
    let lower = sql.to_ascii_lowercase();
    let is_present = lower.contains("'now'") && present.iter().any(|call| lower.contains(call));
    match is_present {
        true => Some(Literal::Now),
        false => literal::literal(sql, &SQLITE.lexis),
    }
}

/// The table that counts for this column: its key is the number of the row.
fn counts(schema: &Schema, table: &ObjectName, column: &Column) -> bool {
    let Some(of) = schema.tables.get(table) else {
        return false;
    };
    let is_key = of.primary_key.as_ref().is_some_and(|key| {
        let descending = key
            .orders
            .get(&column.name)
            .is_some_and(|order| order.descending);
        key.columns == [column.name.as_str()] && !descending
    });
    let without_rowid = of
        .options
        .get("without_rowid")
        .is_some_and(|set| set == "true");
    is_key && !without_rowid && column.data_type.name.eq_ignore_ascii_case("INTEGER")
}

fn last_number(_: &Schema, table: &ObjectName, column: &Column) -> Result<Option<String>> {
    // Without AUTOINCREMENT no number is kept.
    Ok(column.identity.as_ref().map(|_| {
        let name = (SQLITE.text)(&table.name);
        format!("SELECT seq FROM sqlite_sequence WHERE name = {name}")
    }))
}

fn set_number(_: &Schema, table: &ObjectName, column: &Column, number: i64) -> Result<Vec<String>> {
    if column.identity.is_none() {
        return Ok(Vec::new());
    }
    let name = (SQLITE.text)(&table.name);
    Ok(vec![
        format!("DELETE FROM sqlite_sequence WHERE name = {name}"),
        format!("INSERT INTO sqlite_sequence (name, seq) VALUES ({name}, {number})"),
    ])
}

/// The types of the published table.
pub fn published() -> Vec<Type> {
    let all = [
        "INTEGER",
        "INT",
        "SMALLINT",
        "BIGINT",
        "TEXT",
        "VARCHAR(255)",
        "CHAR(2)",
        "CLOB",
        "REAL",
        "DOUBLE",
        "FLOAT",
        "NUMERIC",
        "DECIMAL(10,2)",
        "BLOB",
        "BOOLEAN",
        "DATE",
        "TIME",
        "DATETIME",
        "TIMESTAMP",
        "UUID",
        "JSON",
        "ANY",
    ];
    all.iter()
        .filter_map(|text| Type::parse(text).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> Kind {
        let of = match text {
            "" => Type::named(""),
            text => Type::parse(text).unwrap(),
        };
        kind_of(&Schema::default(), &of)
    }

    #[test]
    fn a_kind_is_found_again_by_its_type() {
        for of in crate::postgres::published() {
            let there = (crate::postgres::DIALECT.kind_of)(&Schema::default(), &of);
            let stored = type_of(&there, false);
            let back = kind_of(&Schema::default(), &stored);
            assert_eq!(back, there, "{of} as {stored}");
        }
    }

    #[test]
    fn declared_types_have_a_kind() {
        for (declared, expected) in [
            ("int", Kind::I64),
            ("UNSIGNED BIG INT", Kind::I64),
            ("Integer", Kind::I64),
            ("text", Kind::TEXT),
            (
                "NVARCHAR(100)",
                Kind::Text(TextLimit {
                    length: Some(100),
                    padded: false,
                }),
            ),
            ("double", Kind::F64),
            ("VARBINARY(16)", Kind::Bytes),
            ("datetime", Kind::Timestamp(6)),
            ("", Kind::Any),
            ("strange", Kind::Any),
            ("POINT TEXT", Kind::Native("point".to_owned())),
            (
                "BIT VARYING TEXT(5)",
                Kind::Native("bit varying(5)".to_owned()),
            ),
            ("LONG TEXT", Kind::TEXT),
        ] {
            assert_eq!(kind(declared), expected, "{declared}");
        }
    }

    #[test]
    fn arrays_are_json() {
        let array = Value::Array(vec![
            Value::I32(1),
            Value::Null,
            Value::F64(0.5),
            Value::Text("a\"\\\n".to_owned()),
            Value::Array(vec![Value::Bool(true)]),
            Value::Numeric("1.10".parse().unwrap()),
        ]);
        let stored = store(array, &Kind::Any).unwrap();
        let expected = "[1,null,0.5,\"a\\\"\\\\\\n\",[true],\"1.10\"]";
        assert_eq!(stored, Value::Text(expected.to_owned()));
        for bad in [Value::F64(f64::NAN), Value::Bytes(vec![1])] {
            assert!(store(Value::Array(vec![bad]), &Kind::Any).is_err());
        }
    }

    #[test]
    fn the_present_is_known_in_each_form() {
        for sql in [
            "CURRENT_TIMESTAMP",
            "(strftime('%s', 'now'))",
            "datetime('now')",
        ] {
            assert_eq!(literal(sql), Some(Literal::Now), "{sql}");
        }
        assert_eq!(literal("'now'"), Some(Literal::Text("now".to_owned())));
    }
}
