//! Columns that hold several values: multiple values, attachments, earlier versions. A row has a
//! number there, and the values are the rows of a hidden table with that number. They are read as
//! JSON.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jetdb::read_complex_column;
use jetdb::{CatalogEntry, ComplexColumn, ComplexValues, FileError, Value as Stored};
use rusqlite::types::Value;
use serde_json::{Map, Value as Json};
use underpin_core::Result;

use crate::error::{guarded, of_file};
use crate::scan::{Io, Scan};
use crate::table::Table;
use crate::value::converted;

/// Where the values of a complex column are; `None` where that cannot be read.
type Found = Option<Arc<ComplexColumn>>;

/// Where the values of complex columns are, found out when one is read.
pub(crate) struct Complex {
    catalog: Vec<CatalogEntry>,
    /// By the table's page and the column.
    columns: Mutex<HashMap<(u32, usize), Found>>,
}

impl Complex {
    /// Of a file with these tables.
    pub(crate) fn new(mut catalog: Vec<CatalogEntry>) -> Self {
        for entry in &mut catalog {
            entry.lv_prop = None;
        }
        Complex {
            catalog,
            columns: Mutex::default(),
        }
    }

    /// The values with this number, as JSON; `None` where they cannot be read.
    pub(crate) fn values(
        &self,
        io: &mut Io<'_>,
        table: &Table,
        column: usize,
        number: i64,
    ) -> Result<Option<String>> {
        let key = (table.page, column);
        let known = {
            let columns = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
            columns.get(&key).cloned()
        };
        let found = match known {
            Some(known) => known,
            None => {
                let found = self.find(io, table, column)?.map(Arc::new);
                let mut columns = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
                columns.insert(key, found.clone());
                found
            }
        };
        let (Some(found), Ok(number)) = (found, i32::try_from(number)) else {
            return Ok(None);
        };
        let reader = &mut *io.reader;
        match guarded(|| found.values(reader, number)) {
            Ok(values) => Ok(json(values).map(|json| json.to_string())),
            Err(FileError::Io(error)) => Err(of_file(FileError::Io(error), io.place)),
            Err(_) => Ok(None),
        }
    }

    /// Finds the rows with the values of a column. jetdb leaves those out that it cannot read, so
    /// that they are read once as those of any table before.
    fn find(&self, io: &mut Io<'_>, table: &Table, column: usize) -> Result<Option<ComplexColumn>> {
        let column = &table.def.columns[column];
        let Some(page) = self.table_of_values(io, column.complex_id)? else {
            return Ok(None);
        };
        let entry = self.catalog.iter().find(|entry| entry.table_page == page);
        let read = entry.map(|entry| guarded(|| Table::read(io.reader, entry, true)));
        let Some(Ok(values)) = read else {
            return Ok(None);
        };
        let every: Vec<usize> = (0..values.def.columns.len()).collect();
        let mut scan = Scan::new(Arc::new(values), &every, Vec::new());
        let outside = io.complex.take();
        let checked: Result<()> = (|| {
            while scan.next(io)?.is_some() {}
            scan.report(io.place);
            Ok(())
        })();
        io.complex = outside;
        checked?;
        let reader = &mut *io.reader;
        match guarded(|| read_complex_column(reader, &self.catalog, &table.def, column)) {
            Ok(found) => Ok(found),
            Err(FileError::Io(error)) => Err(of_file(FileError::Io(error), io.place)),
            Err(_) => Ok(None),
        }
    }

    /// The page of the table with the values of the column with this id.
    fn table_of_values(&self, io: &mut Io<'_>, id: Option<u32>) -> Result<Option<u32>> {
        let entry = self
            .catalog
            .iter()
            .find(|entry| entry.name == "MSysComplexColumns");
        let read = entry.map(|entry| guarded(|| Table::read(io.reader, entry, true)));
        let (Some(Ok(links)), Some(id)) = (read, id) else {
            return Ok(None);
        };
        let (Some(of), Some(flat)) = (links.column("ComplexID"), links.column("FlatTableID"))
        else {
            return Ok(None);
        };
        let rows = Scan::new(Arc::new(links), &[of, flat], Vec::new()).all(io)?;
        let found = rows
            .iter()
            .find(|row| row.values[of] == Value::Integer(id.into()));
        Ok(found.and_then(|row| match row.values[flat] {
            Value::Integer(page) => Some((page & 0x00ff_ffff) as u32),
            _ => None,
        }))
    }
}

fn json(values: ComplexValues) -> Option<Json> {
    match values {
        ComplexValues::MultiValue(values) => values.into_iter().map(one).collect(),
        ComplexValues::Attachment(files) => files
            .into_iter()
            .map(|file| {
                // A file that is not elsewhere is here.
                if matches!((&file.data, &file.url), (Stored::Null, Stored::Null)) {
                    return None;
                }
                object([
                    ("name", file.name),
                    ("type", file.file_type),
                    ("data", file.data),
                    ("url", file.url),
                    ("timestamp", file.timestamp),
                ])
            })
            .collect(),
        ComplexValues::VersionHistory(versions) => versions
            .into_iter()
            .map(|version| object([("value", version.value), ("modified", version.modified)]))
            .collect(),
        _ => None,
    }
}

/// An object of the values that are not NULL.
fn object<const N: usize>(fields: [(&str, Stored); N]) -> Option<Json> {
    let mut object = Map::new();
    for (name, value) in fields {
        let value = one(value)?;
        if !value.is_null() {
            object.insert(name.to_owned(), value);
        }
    }
    Some(Json::Object(object))
}

fn one(value: Stored) -> Option<Json> {
    Some(match converted(value).ok()? {
        Value::Null => Json::Null,
        Value::Integer(whole) => whole.into(),
        Value::Real(real) => serde_json::Number::from_f64(real)?.into(),
        Value::Text(text) => text.into(),
        Value::Blob(bytes) => BASE64_STANDARD.encode(bytes).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_an_array() {
        let values = vec![Stored::Text("a\"b".into()), Stored::Long(7), Stored::Null];
        let json = json(ComplexValues::MultiValue(values)).unwrap();
        assert_eq!(json.to_string(), r#"["a\"b",7,null]"#);
        let bad = ComplexValues::MultiValue(vec![Stored::Double(f64::NAN)]);
        assert_eq!(super::json(bad), None);
        assert_eq!(super::json(ComplexValues::Unknown), None);
    }

    #[test]
    fn what_is_null_is_left_out_of_an_object() {
        let object = object([
            ("name", Stored::Text("a.txt".into())),
            ("data", Stored::Binary(vec![1, 2, 3])),
            ("url", Stored::Null),
        ]);
        assert_eq!(
            object.unwrap().to_string(),
            r#"{"data":"AQID","name":"a.txt"}"#
        );
    }
}
