use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};

use jetdb::{
    CatalogEntry, ColumnType, FileError, ObjectType, PageReader, PropertyMap, TableDef,
    calculated_column_types_in, entry_properties, read_table_def,
};

use crate::lookup::Lookups;
use crate::page::{Page, Place, number_at};
use crate::value::{Declared, declared};

/// Columns of a table that Access can have.
const COLUMNS: usize = 255;

/// A table of the file, as its definition has it.
pub(crate) struct Table {
    pub(crate) name: String,
    /// The page of its definition.
    pub(crate) page: u32,
    /// Without the data pages, which a scan fills in one at a time.
    pub(crate) def: TableDef,
    /// The data pages.
    pub(crate) pages: Vec<u32>,
    /// What each column is declared as.
    pub(crate) declared: Vec<Declared>,
    /// The types of calculations, by the column's name in small letters.
    pub(crate) calculated: HashMap<String, ColumnType>,
    /// What Access notes beside the definition: descriptions, rules, defaults.
    pub(crate) properties: Result<Vec<PropertyMap>, FileError>,
    pub(crate) lookups: Mutex<Lookups>,
    moved: OnceLock<HashSet<u32>>,
    warned: AtomicBool,
}

impl Table {
    /// Reads the definition of a table.
    pub(crate) fn read(
        reader: &mut PageReader,
        entry: &CatalogEntry,
        check_pages: bool,
    ) -> Result<Table, FileError> {
        if check_pages {
            check_map(reader, entry.table_page)?;
        }
        let mut def = read_table_def(reader, &entry.name, entry.table_page)?;
        if def.columns.len() > COLUMNS {
            return Err(FileError::InvalidTableDef {
                reason: "the table has more columns than Access allows",
            });
        }
        let pages = std::mem::take(&mut def.data_pages);
        let properties = entry_properties(entry, def.text_encoding);
        let entries = std::slice::from_ref(entry);
        let calculated = calculated_column_types_in(entries, &def);
        let declared = def.columns.iter().map(|column| {
            let of = match column.is_calculated {
                true => calculated.get(&column.name.to_ascii_lowercase()),
                false => Some(&column.col_type),
            };
            declared(&def, column, of.copied().unwrap_or(ColumnType::Binary))
        });
        Ok(Table {
            name: entry.name.clone(),
            page: entry.table_page,
            declared: declared.collect(),
            pages,
            calculated,
            properties: properties.map(|read| read.maps),
            lookups: Mutex::default(),
            moved: OnceLock::new(),
            warned: AtomicBool::new(false),
            def,
        })
    }

    /// The catalog of the file.
    pub(crate) fn catalog(reader: &mut PageReader) -> Result<Table, FileError> {
        let entry = CatalogEntry {
            name: "MSysObjects".to_owned(),
            object_type: ObjectType::Table,
            table_page: jetdb::format::CATALOG_PAGE,
            flags: 0,
            lv_prop: None,
            lv_extra: None,
        };
        Table::read(reader, &entry, true)
    }

    /// The position of a column.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.def
            .columns
            .iter()
            .position(|column| column.name == name)
    }

    pub(crate) fn is_jet3(&self) -> bool {
        self.def.text_encoding.is_jet3()
    }

    /// Whether values of this column stand on pages of their own.
    pub(crate) fn is_long(&self, column: usize) -> bool {
        let is_long = |of: ColumnType| matches!(of, ColumnType::Memo | ColumnType::Ole);
        let column = &self.def.columns[column];
        let of = self.calculated.get(&column.name.to_ascii_lowercase());
        is_long(column.col_type) || of.copied().is_some_and(is_long)
    }

    /// Whether a row that claims to have moved here is where one that has moved says it is.
    pub(crate) fn is_moved_row(&self, reader: &mut PageReader, number: Option<u32>) -> bool {
        let moved = self.moved.get_or_init(|| {
            let mut moved = HashSet::new();
            for &page in &self.pages {
                let Ok(page) = Page::read(reader, page, self.page) else {
                    continue;
                };
                for (row, place) in page.places.iter().enumerate() {
                    if *place == Place::Moved {
                        moved.extend(page.moved_to(reader.format(), row as u16));
                    }
                }
            }
            moved
        });
        number.is_some_and(|number| moved.contains(&number))
    }

    /// Whether a warning about this table is the first.
    pub(crate) fn warns_first(&self) -> bool {
        !self.warned.swap(true, Ordering::Relaxed)
    }
}

/// Checks the map of a table's data pages before it is read: a damaged one may stand for any number
/// of pages.
fn check_map(reader: &mut PageReader, table: u32) -> Result<(), FileError> {
    let invalid = |reason| FileError::InvalidUsageMap { reason };
    let pages = reader.page_count();
    let (at, page_size) = {
        let format = reader.format();
        (format.tdef_owned_pages_pos, format.page_size)
    };
    let row = number_at(reader.read_page(table)?, at).unwrap_or_default();
    if row == 0 {
        return Ok(());
    }
    let map = reader.read_pg_row(row)?;
    match map.first() {
        Some(0) => match number_at(&map, 1) {
            Some(first) if first < pages => Ok(()),
            _ => Err(invalid("its first page is beyond the end of the file")),
        },
        Some(1) => {
            let of_one = (page_size as u32 - 4) * 8;
            let most = pages.div_ceil(of_one) as usize;
            let named = map[1..].chunks_exact(4).skip(most);
            match named.flatten().all(|byte| *byte == 0) {
                true => Ok(()),
                false => Err(invalid("it covers more pages than the file has")),
            }
        }
        _ => Ok(()),
    }
}
