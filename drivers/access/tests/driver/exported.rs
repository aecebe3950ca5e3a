//! Every value of every file, against `mdb-export` and `mdb-count` of mdbtools.

use std::path::Path;
use std::process::Command;

use crate::common::{all, open, own, query, sample};
use underpin_core::{Row as _, Value, ValueRow};
use underpin_testkit::skip;

/// What mdbtools prints where there is no value.
const NOTHING: &str = "<<nothing>>";

fn run(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    Some(String::from_utf8(output.stdout).expect("mdbtools prints UTF-8"))
}

#[tokio::test]
async fn values_are_those_that_mdbtools_reads() {
    let name = "values_are_those_that_mdbtools_reads";
    if run("mdb-ver", &["--version"]).is_none() {
        skip::report(name, "mdbtools is not installed.");
        return;
    }
    let own = ["legacy.mdb", "legacy.accdb"].map(own);
    let samples = ["nwind.mdb", "ASampleDatabase.accdb"].map(sample);
    let mut values = 0;
    for file in own.iter().chain(&samples) {
        if !file.exists() {
            skip::report_without_input(name, file);
            continue;
        }
        values += compare(file).await;
    }
    assert!(values > 20_000, "{values} values were compared");
}

async fn compare(file: &Path) -> usize {
    let connection = open(file).await;
    let path = file.to_str().unwrap();
    let listed = run("mdb-tables", &["-1", path]).unwrap();
    let mut expected: Vec<&str> = listed.lines().collect();
    let mut tables = connection.tables();
    tables.sort_unstable();
    expected.sort_unstable();
    assert_eq!(tables, expected, "{path}");
    let mut values = 0;
    for table in tables {
        let counted = run("mdb-count", &[path, table]).unwrap();
        let sql = format!("SELECT count(*) FROM {}", crate::common::quoted(table));
        let count = query::<i64>(&connection, &sql).await[0];
        assert_eq!(
            count,
            counted.trim().parse::<i64>().unwrap(),
            "{path} {table}"
        );
        let time = "%Y-%m-%d %H:%M:%S";
        let exported = run(
            "mdb-export",
            &[
                "-T", time, "-D", time, "-b", "hex", "-0", NOTHING, path, table,
            ],
        );
        let exported = exported.unwrap();
        let mut reader = csv::ReaderBuilder::new().from_reader(exported.as_bytes());
        let names: Vec<String> = reader
            .headers()
            .unwrap()
            .iter()
            .map(str::to_owned)
            .collect();
        let printed: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
        let rows = all(&connection, table).await;
        assert_eq!(rows.len(), printed.len(), "{path} {table}");
        for (number, (row, printed)) in rows.iter().zip(&printed).enumerate() {
            values += compare_row(
                row,
                &names,
                printed,
                &format!("{path} {table} row {number}"),
            );
        }
    }
    values
}

fn compare_row(row: &ValueRow, names: &[String], printed: &csv::StringRecord, at: &str) -> usize {
    let columns = row.columns();
    assert_eq!(columns.len(), names.len(), "{at}");
    for (index, column) in columns.iter().enumerate() {
        assert_eq!(column.name, names[index], "{at}");
        let (value, text) = (&row.values()[index], &printed[index]);
        let at = format!("{at}, column {}: {value:?} {text:?}", column.name);
        let same = is_same(value, &column.type_name, text);
        assert!(same, "{at}");
    }
    columns.len()
}

/// Whether a value is what mdbtools prints. It is not exact with each type: it prints a GUID without
/// its last hyphen, and a number with six to fifteen digits, false ones of a Single among them.
fn is_same(value: &Value, declared: &str, text: &str) -> bool {
    let number = || text.parse::<f64>().ok();
    match value {
        Value::Null => text == NOTHING,
        Value::Bool(it) => text == if *it { "1" } else { "0" },
        Value::I64(it) if declared.starts_with("NUMERIC") => number() == Some(*it as f64),
        Value::I64(it) => text == it.to_string(),
        Value::F64(it) if declared == "REAL" => near(*it, number(), 1e-5),
        Value::F64(it) if declared.starts_with("NUMERIC") => number() == Some(*it),
        Value::F64(it) => near(*it, number(), 1e-13),
        Value::Text(it) if declared == "UUID" => digits(it) == digits(text),
        Value::Text(it) if declared == "DATETIME" => &**it == text,
        Value::Text(it) => &**it == text,
        Value::Bytes(it) => {
            let hex: String = it.iter().map(|byte| format!("{byte:02x}")).collect();
            hex == text.to_ascii_lowercase()
        }
        _ => false,
    }
}

fn near(value: f64, printed: Option<f64>, relative: f64) -> bool {
    printed.is_some_and(|printed| (value - printed).abs() <= value.abs() * relative)
}

fn digits(guid: &str) -> String {
    let digits = guid.chars().filter(char::is_ascii_hexdigit);
    digits.collect::<String>().to_ascii_lowercase()
}
