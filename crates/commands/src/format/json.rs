use std::io::{Result, Write};

use serde_json::value::RawValue;
use underpin::{Columns, Value, ValueRow};

use super::Printer;

/// An array with one object a row, each on a line of its own. Numbers keep all their
/// digits, and JSON columns are nested as they are.
pub(crate) struct Json {
    keys: Vec<String>,
    rows: u64,
}

impl Json {
    pub(crate) fn new(columns: &Columns) -> Self {
        Json {
            keys: columns.iter().map(|column| text(&column.name)).collect(),
            rows: 0,
        }
    }
}

impl Printer for Json {
    fn row(&mut self, row: &ValueRow, out: &mut dyn Write) -> Result<()> {
        out.write_all(if self.rows == 0 { b"[\n" } else { b",\n" })?;
        self.rows += 1;
        out.write_all(b"{")?;
        for (index, (key, cell)) in self.keys.iter().zip(row.values()).enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(out, "{comma}{key}:{}", value(cell))?;
        }
        out.write_all(b"}")
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<()> {
        out.write_all(if self.rows == 0 { b"[]\n" } else { b"\n]\n" })?;
        out.flush()
    }
}

fn value(cell: &Value) -> String {
    match cell {
        Value::Null => "null".into(),
        Value::Bool(_) | Value::I16(_) | Value::I32(_) | Value::I64(_) => match cell {
            Value::Bool(v) => v.to_string(),
            other => other.to_string(),
        },
        Value::F32(v) if v.is_finite() => v.to_string(),
        Value::F64(v) if v.is_finite() => v.to_string(),
        // NaN and infinities are no numbers in JSON; PostgreSQL writes them as text too.
        Value::Numeric(v) if v.as_str().ends_with(|c: char| c.is_ascii_digit()) => v.to_string(),
        // SQLite stores any text in a column that is declared as JSON.
        Value::Json(json) => match serde_json::from_str::<&RawValue>(json) {
            Ok(raw) => raw.get().to_owned(),
            Err(_) => text(json),
        },
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(value).collect();
            format!("[{}]", elements.join(","))
        }
        Value::Timestamp(time) => text(&rfc_3339(&time.to_string())),
        Value::TimestampTz(time) => text(&rfc_3339(&time.to_string())),
        other => text(&other.to_string()),
    }
}

/// `2026-11-30 07:51:27.5+00` as `2026-11-30T07:51:27.5Z`, and without a zone as
/// `2026-11-30T07:51:27.5`. A year that has not four digits, and infinity, have no such form.
fn rfc_3339(shown: &str) -> String {
    let is_usual = shown.find('-') == Some(4) && !shown.ends_with("BC");
    match shown.split_once(' ') {
        Some((day, time)) if is_usual => match time.strip_suffix("+00") {
            Some(time) => format!("{day}T{time}Z"),
            None => format!("{day}T{time}"),
        },
        _ => shown.to_owned(),
    }
}

fn text(content: &str) -> String {
    serde_json::Value::from(content).to_string()
}
