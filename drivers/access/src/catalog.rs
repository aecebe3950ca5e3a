//! What the file has, by its own list: the table `MSysObjects`.

use std::sync::Arc;

use jetdb::{CatalogEntry, ObjectType};
use rusqlite::types::Value;
use underpin_core::{Class, Error, Result};

use crate::error::{REPAIR, guarded, of_file};
use crate::scan::{Io, Row, Scan};
use crate::table::Table;

/// What the file has.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    /// The tables, those of the system and hidden ones among them.
    pub(crate) tables: Vec<CatalogEntry>,
    /// The tables of other databases.
    pub(crate) linked: Vec<Linked>,
    /// The names of the saved queries.
    pub(crate) queries: Vec<String>,
}

/// A table of another database.
#[derive(Debug, Clone)]
pub(crate) struct Linked {
    pub(crate) name: String,
    /// Its name there.
    foreign: Option<String>,
    /// The file that it is in; none for one that ODBC leads to.
    file: Option<String>,
}

impl Linked {
    /// The error of a statement that uses it.
    pub(crate) fn error(&self, place: &str) -> Error {
        let foreign = match &self.foreign {
            Some(foreign) if *foreign != self.name => format!("the table {foreign:?} "),
            _ => String::new(),
        };
        let of = match (&self.file, foreign.is_empty()) {
            (Some(file), true) => format!("a table of the file {file}"),
            (Some(file), false) => format!("{foreign}of the file {file}"),
            (None, true) => "a table that ODBC leads to".to_owned(),
            (None, false) => format!("{foreign}that ODBC leads to"),
        };
        let what = format!(
            "The table {:?} of {place} is linked: it stands for {of}, and has no rows here.",
            self.name
        );
        Error::new(Class::Unsupported, what)
            .with_table(self.name.as_str())
            .with_hint("Connect to the database that it is linked to.")
    }
}

/// The columns of the catalog that are read.
const COLUMNS: [&str; 7] = [
    "Id",
    "Name",
    "Type",
    "Flags",
    "LvProp",
    "Database",
    "ForeignName",
];

impl Catalog {
    /// Reads the list.
    pub(crate) fn read(io: &mut Io<'_>) -> Result<Catalog> {
        let table =
            guarded(|| Table::catalog(io.reader)).map_err(|error| of_file(error, io.place))?;
        let at = COLUMNS.map(|name| table.column(name));
        let [Some(_), Some(_), Some(_), ..] = at else {
            let what = format!("The list of tables of {} has not its columns.", io.place);
            return Err(Error::new(Class::Corrupt, what).with_hint(REPAIR));
        };
        let wanted: Vec<usize> = at.into_iter().flatten().collect();
        let mut scan = Scan::new(Arc::new(table), &wanted, Vec::new());
        let mut catalog = Catalog::default();
        while let Some(row) = scan.next(io)? {
            catalog.add(Object::of(row, at));
        }
        scan.report(io.place);
        Ok(catalog)
    }

    fn add(&mut self, object: Object) {
        let Some(name) = object.name.filter(|name| !name.is_empty()) else {
            return;
        };
        match object.kind {
            Some(ObjectType::Table) => self.tables.push(CatalogEntry {
                name,
                object_type: ObjectType::Table,
                table_page: object.page,
                flags: object.flags,
                lv_prop: object.properties,
                lv_extra: None,
            }),
            Some(ObjectType::LinkedTable) => self.linked.push(Linked {
                name,
                foreign: object.foreign,
                file: object.file,
            }),
            Some(ObjectType::LinkedOdbcTable) => self.linked.push(Linked {
                name,
                foreign: object.foreign,
                file: None,
            }),
            // Forms and reports keep queries under names of their own.
            Some(ObjectType::Query) if !name.starts_with('~') => self.queries.push(name),
            _ => {}
        }
    }
}

/// A row of the list.
struct Object {
    name: Option<String>,
    kind: Option<ObjectType>,
    page: u32,
    flags: u32,
    properties: Option<Vec<u8>>,
    file: Option<String>,
    foreign: Option<String>,
}

impl Object {
    fn of(mut row: Row, at: [Option<usize>; COLUMNS.len()]) -> Self {
        let mut take = |index: usize| {
            let value = at[index].map(|at| std::mem::replace(&mut row.values[at], Value::Null));
            value.unwrap_or(Value::Null)
        };
        let kind = i32::try_from(whole(&take(2))).ok();
        Object {
            page: (whole(&take(0)) & 0x00ff_ffff) as u32,
            name: text(take(1)),
            kind: kind.and_then(|kind| ObjectType::try_from(kind).ok()),
            flags: whole(&take(3)) as u32,
            properties: match take(4) {
                Value::Blob(bytes) => Some(bytes),
                _ => None,
            },
            file: text(take(5)),
            foreign: text(take(6)),
        }
    }
}

fn whole(value: &Value) -> i64 {
    match value {
        Value::Integer(whole) => *whole,
        _ => 0,
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linked_table_says_what_it_stands_for() {
        let linked = |foreign: Option<&str>, file: Option<&str>| Linked {
            name: "Orders".into(),
            foreign: foreign.map(str::to_owned),
            file: file.map(str::to_owned),
        };
        let said = linked(Some("tblOrders"), Some("C:\\shop.mdb")).error("/a.mdb");
        assert_eq!(said.class(), Class::Unsupported);
        let expected = "The table \"Orders\" of /a.mdb is linked: it stands for the table \
                        \"tblOrders\" of the file C:\\shop.mdb, and has no rows here.";
        assert_eq!(said.message(), expected);
        let said = linked(Some("Orders"), None).error("/a.mdb");
        assert!(
            said.message().contains("a table that ODBC leads to"),
            "{said}"
        );
    }
}
