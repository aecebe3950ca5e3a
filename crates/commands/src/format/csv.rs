use std::io::{Result, Write};

use underpin::{Columns, Value, ValueRow};

use super::Printer;

/// A header, then a line a row. NULL is an empty field, an empty text is `""`.
pub(crate) struct Csv {
    header: Option<Vec<String>>,
}

impl Csv {
    pub(crate) fn new(columns: &Columns) -> Self {
        Csv {
            header: Some(columns.iter().map(|column| column.name.clone()).collect()),
        }
    }

    fn begin(&mut self, out: &mut dyn Write) -> Result<()> {
        match self.header.take() {
            Some(names) if !names.is_empty() => {
                let fields = names.iter().map(|name| Some(name.as_str()));
                line(fields, out)
            }
            _ => Ok(()),
        }
    }
}

impl Printer for Csv {
    fn row(&mut self, row: &ValueRow, out: &mut dyn Write) -> Result<()> {
        self.begin(out)?;
        let fields: Vec<Option<String>> = row
            .values()
            .iter()
            .map(|value| (!matches!(value, Value::Null)).then(|| value.to_string()))
            .collect();
        line(fields.iter().map(Option::as_deref), out)
    }

    fn end(&mut self, out: &mut dyn Write) -> Result<()> {
        self.begin(out)?;
        out.flush()
    }
}

fn line<'a>(fields: impl Iterator<Item = Option<&'a str>>, out: &mut dyn Write) -> Result<()> {
    for (index, field) in fields.enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        match field {
            None => {}
            Some(text) if text.is_empty() || text.contains(['"', ',', '\n', '\r']) => {
                write!(out, "\"{}\"", text.replace('"', "\"\""))?;
            }
            Some(text) => out.write_all(text.as_bytes())?,
        }
    }
    out.write_all(b"\n")
}
