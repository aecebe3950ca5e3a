//! Every value of every file, against `mdb-export` and `mdb-count` of mdbtools.
//!
//! `UNDERPIN_ACCESS_SAMPLES` may name a directory of further files.

use std::path::{Path, PathBuf};
use std::process::Command;

use underpin_access::{Connection, Options};
use underpin_core::{Row as _, Value, ValueRow};
use underpin_testkit::skip;

use crate::common::{own, quoted, sample, try_open, try_query};

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
    let mut compared = Compared::default();
    for file in own.iter().chain(&samples) {
        if !file.exists() {
            skip::report_without_input(name, file);
            continue;
        }
        compare(file, &mut compared).await;
    }
    let Compared { values, different } = compared;
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(values > 20_000, "{values} values were compared");
}

/// Of files that nobody has looked at, the differences are for a person to judge.
#[tokio::test]
async fn differences_in_further_files_are_printed() {
    let mut compared = Compared::default();
    for file in further() {
        compare(&file, &mut compared).await;
    }
    let Compared { values, different } = compared;
    println!("{values} values were compared. {}", different.join("\n"));
}

fn further() -> Vec<PathBuf> {
    let directory = std::env::var_os("UNDERPIN_ACCESS_SAMPLES");
    let entries = directory.map(|directory| std::fs::read_dir(directory).unwrap());
    let paths = entries
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths.collect();
    paths.sort();
    paths
}

#[derive(Default)]
struct Compared {
    values: usize,
    different: Vec<String>,
}

async fn compare(file: &Path, compared: &mut Compared) {
    let path = file.to_str().unwrap();
    let connection = match try_open(file, Options::default()).await {
        Ok(connection) => connection,
        Err(error) => return compared.different.push(error.to_string()),
    };
    let listed = run("mdb-tables", &["-1", path]).unwrap();
    let mut expected: Vec<&str> = listed.lines().collect();
    let mut tables = connection.tables();
    tables.sort_unstable();
    expected.sort_unstable();
    if tables != expected {
        let what = format!("{path}: {tables:?}, and of mdb-tables {expected:?}");
        compared.different.push(what);
    }
    for table in tables {
        if let Err(what) = compare_table(&connection, path, table, compared).await {
            compared.different.push(format!("{path} {table}: {what}"));
        }
    }
}

async fn compare_table(
    connection: &Connection,
    path: &str,
    table: &str,
    compared: &mut Compared,
) -> Result<(), String> {
    let sql = format!("SELECT count(*) FROM {}", quoted(table));
    let count = try_query::<i64>(connection, &sql).await;
    let count = count.map_err(|error| error.to_string())?[0];
    let counted = run("mdb-count", &[path, table]).unwrap();
    if Ok(count) != counted.trim().parse::<i64>() {
        return Err(format!("{count} rows, and of mdb-count {counted}"));
    }
    let time = "%Y-%m-%d %H:%M:%S";
    let options = [
        "-T", time, "-D", time, "-b", "hex", "-0", NOTHING, path, table,
    ];
    let exported = run("mdb-export", &options).unwrap();
    let mut reader = csv::ReaderBuilder::new().from_reader(exported.as_bytes());
    let names = reader.headers().unwrap().clone();
    let printed: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().unwrap();
    let sql = format!("SELECT * FROM {}", quoted(table));
    let rows = try_query::<ValueRow>(connection, &sql).await;
    let rows = rows.map_err(|error| error.to_string())?;
    if rows.len() != printed.len() {
        return Err(format!(
            "{} rows, and of mdb-export {}",
            rows.len(),
            printed.len()
        ));
    }
    for (number, (row, printed)) in rows.iter().zip(&printed).enumerate() {
        let columns = row.columns();
        if !columns
            .iter()
            .map(|column| column.name.as_str())
            .eq(names.iter())
        {
            return Err(format!(
                "the columns {columns:?}, and of mdb-export {names:?}"
            ));
        }
        for (index, column) in columns.iter().enumerate() {
            let (value, text) = (&row.values()[index], &printed[index]);
            if !is_same(value, &column.type_name, text) {
                let at = format!("row {number}, column {}", column.name);
                return Err(format!("{at}: {value:?}, and of mdb-export {text:?}"));
            }
        }
        compared.values += columns.len();
    }
    Ok(())
}

/// Whether a value is what mdbtools prints. It is not exact with each type: it prints a GUID as the
/// hexadecimal form of its text, an empty long text as none, and a number with six to fifteen digits,
/// false ones of a Single among them.
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
        Value::Text(it) if declared == "UUID" => digits(it) == digits(&unhexed(text)),
        Value::Text(it) if it.is_empty() && declared == "TEXT" => {
            text == NOTHING || text.is_empty()
        }
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

/// The text of which these are the hexadecimal digits, where they are such.
fn unhexed(text: &str) -> String {
    let bytes = text.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    });
    let bytes: Option<Vec<u8>> = bytes.collect();
    let decoded = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.unwrap_or_else(|| text.to_owned())
}

fn digits(guid: &str) -> String {
    let digits = guid.chars().filter(char::is_ascii_hexdigit);
    digits.collect::<String>().to_ascii_lowercase()
}
