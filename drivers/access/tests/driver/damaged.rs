//! Files with one known damage, or one known oddity.

use std::path::PathBuf;

use jetdb::{PageReader, TableDef, TableRows, Value, find_row, read_table_def};
use underpin_access::{Connection, Options};
use underpin_core::Class;

use crate::common::{Copy, failure, open, query, try_open, try_query};

/// The place of a row in the bytes of a file.
struct Found {
    page: u32,
    row: u16,
    /// Where its bytes begin, and how many there are.
    start: usize,
    size: usize,
    /// Where its pointer is.
    pointer: usize,
}

fn page_of(copy: &Copy, table: &str) -> u32 {
    let mut reader = PageReader::open(copy.path()).unwrap();
    let catalog = jetdb::read_catalog(&mut reader).unwrap();
    jetdb::find_table(&catalog, table).unwrap().table_page
}

/// The definition of a table, and the rows for which `column` has this value.
fn find(copy: &Copy, page: u32, column: &str, wanted: &Value) -> (TableDef, Vec<Found>) {
    let mut reader = PageReader::open(copy.path()).unwrap();
    let def = read_table_def(&mut reader, "t", page).unwrap();
    let at = def.columns.iter().position(|it| it.name == column).unwrap();
    let calculated = Default::default();
    let mut rows = TableRows::new(&def, &calculated);
    let mut found = Vec::new();
    while let Some(row) = rows.next_row(&mut reader).unwrap() {
        if row.values[at] == *wanted {
            let page = def.data_pages[row.position.page as usize];
            found.push(place(&mut reader, page, row.position.row));
        }
    }
    (def, found)
}

fn place(reader: &mut PageReader, page: u32, row: u16) -> Found {
    let format = reader.format();
    let bytes = reader.read_page_copy(page).unwrap();
    let (start, size) = find_row(format, &bytes, page, row).unwrap();
    let base = page as usize * format.page_size;
    Found {
        page,
        row,
        start: base + start,
        size,
        pointer: base + format.data_row_count_pos + 2 + 2 * usize::from(row),
    }
}

fn change(copy: &Copy, at: usize, with: &[u8]) {
    let mut bytes = std::fs::read(copy.path()).unwrap();
    bytes[at..at + with.len()].copy_from_slice(with);
    std::fs::write(copy.path(), bytes).unwrap();
}

fn byte(copy: &Copy, at: usize) -> u8 {
    std::fs::read(copy.path()).unwrap()[at]
}

async fn lenient(path: PathBuf) -> Connection {
    let options = Options {
        lenient: true,
        ..Options::default()
    };
    try_open(&path, options).await.unwrap()
}

const COUNT: &str = "SELECT count(*) FROM \"Job Postings\"";
/// The page of the list of tables.
const CATALOG: u32 = 2;

#[tokio::test]
async fn a_linked_table_is_named_in_the_error() {
    let copy = Copy::of("legacy.accdb", "elsewhere");
    let name = Value::Text("Employers".into());
    let (def, found) = find(&copy, CATALOG, "Name", &name);
    let kind = def.columns.iter().find(|it| it.name == "Type").unwrap();
    // 6: a table of another file.
    let at = found[0].start + 2 + usize::from(kind.fixed_offset);
    change(&copy, at, &6_i16.to_le_bytes());
    let connection = open(&copy.path()).await;
    assert_eq!(connection.tables(), ["Job Postings"]);
    for sql in [
        "SELECT * FROM Employers",
        "SELECT 1 FROM \"Job Postings\" JOIN [employers] USING (ID)",
    ] {
        let error = failure(&connection, sql).await;
        assert_eq!(error.class(), Class::Unsupported, "{error}");
        assert!(
            error.message().starts_with("The table \"Employers\" of "),
            "{error}"
        );
        assert!(error.message().contains(" is linked"), "{error}");
    }
    let other = failure(&connection, "SELECT * FROM none_such").await;
    assert!(!other.message().contains(" is linked"), "{other}");
}

#[tokio::test]
async fn a_table_without_its_definition_is_an_error_of_its_own() {
    let copy = Copy::of("legacy.accdb", "definition");
    let page = page_of(&copy, "Employers") as usize;
    change(&copy, page * 4096, &[7]);
    let connection = open(&copy.path()).await;
    assert_eq!(query::<i64>(&connection, COUNT).await, [1190]);
    let error = failure(&connection, "SELECT * FROM Employers").await;
    assert_eq!(error.class(), Class::Corrupt, "{error}");
    assert_eq!(error.table(), Some("Employers"));
}

/// The reference of a long text that leads nowhere: jetdb gives NULL.
#[tokio::test]
async fn a_value_that_cannot_be_read_is_not_null() {
    let copy = Copy::of("legacy.accdb", "value");
    let page = page_of(&copy, "Job Postings");
    let (def, found) = find(&copy, page, "ID", &Value::Long(77));
    let title = def
        .columns
        .iter()
        .position(|it| it.name == "Title")
        .unwrap();
    assert!(!def.columns[title].is_fixed);
    // The end of all values of variable length, which is before its beginning then: no such
    // value of the row can be read.
    let mask = usize::from(def.num_cols).div_ceil(8);
    let row = &found[0];
    let offsets = row.start + row.size - mask - 2 - 2 * (usize::from(def.num_var_cols) + 1);
    let offsets_end = row.start + row.size - mask - 2;
    for at in (offsets..offsets_end).step_by(2) {
        change(&copy, at, &u16::MAX.to_le_bytes());
    }
    let strict = open(&copy.path()).await;
    let sql = "SELECT Title FROM \"Job Postings\" WHERE ID = 77";
    let error = try_query::<Option<String>>(&strict, sql).await.unwrap_err();
    assert_eq!(error.class(), Class::Corrupt, "{error}");
    let place = format!("column \"Title\" in row {} of page {}", row.row, row.page);
    assert!(error.to_string().contains(&place), "{error}");
    // What is not asked for is not missed.
    assert_eq!(query::<i64>(&strict, COUNT).await, [1190]);
    let lenient = lenient(copy.path()).await;
    assert_eq!(query::<Option<String>>(&lenient, sql).await, [None]);
}

/// A row that has moved is where another place of the table says, and only then.
#[tokio::test]
async fn a_row_that_has_moved_is_read_once_where_it_is() {
    let copy = Copy::of("legacy.mdb", "moved");
    let page = page_of(&copy, "Job Postings");
    let (_, found) = find(&copy, page, "ID", &Value::Long(500));
    let guest = &found[0];
    let flags = byte(&copy, guest.pointer + 1);
    change(&copy, guest.pointer + 1, &[flags | 0x80]);
    let is_there = "SELECT count(*) FROM \"Job Postings\" WHERE ID = 500";
    let before = open(&copy.path()).await;
    assert_eq!(query::<i64>(&before, is_there).await, [0]);
    assert_eq!(query::<i64>(&before, COUNT).await, [1189]);
    drop(before);
    // Another row stands for it.
    let (_, other) = find(&copy, page, "ID", &Value::Long(900));
    let other = &other[0];
    let flags = byte(&copy, other.pointer + 1);
    change(&copy, other.pointer + 1, &[flags | 0x40]);
    let number = guest.page << 8 | u32::from(guest.row);
    change(&copy, other.start, &number.to_le_bytes());
    let moved = open(&copy.path()).await;
    assert_eq!(query::<i64>(&moved, is_there).await, [1]);
    assert_eq!(query::<i64>(&moved, COUNT).await, [1189]);
    drop(moved);
    // One that leads nowhere is a row that cannot be read.
    change(&copy, other.start, &0xff_ffff_u32.to_le_bytes());
    let lost = open(&copy.path()).await;
    let error = try_query::<i64>(&lost, COUNT).await.unwrap_err();
    let place = format!("1 row: row {} of page {}", other.row, other.page);
    assert!(error.to_string().contains(&place), "{error}");
}

#[tokio::test]
async fn a_column_that_was_added_later_is_null_in_older_rows() {
    let copy = Copy::of("legacy.accdb", "later");
    let page = page_of(&copy, "Job Postings");
    let (_, found) = find(&copy, page, "ID", &Value::Long(3));
    // The row says that it has eight columns; the bits of its mask for others stay.
    let row = &found[0];
    assert_eq!(byte(&copy, row.start), 11);
    change(&copy, row.start, &[9]);
    let connection = open(&copy.path()).await;
    let sql = "SELECT \"Openings\" IS NULL OR \"Ref\" IS NULL OR \"Description\" IS NULL
               FROM \"Job Postings\" WHERE ID = 3";
    assert_eq!(query::<i64>(&connection, sql).await, [1]);
}

#[tokio::test]
async fn a_password_that_asks_for_endless_work_is_refused() {
    let copy = Copy::of("legacy.accdb", "rounds");
    change(&copy, 2000, b"spinCount=\"4000000000\"");
    let options = Options {
        password: "hunter2".into(),
        ..Options::default()
    };
    let error = try_open(&copy.path(), options).await.unwrap_err();
    assert_eq!(error.class(), Class::Corrupt, "{error}");
    assert!(error.to_string().contains("4000000000 rounds"), "{error}");
}
