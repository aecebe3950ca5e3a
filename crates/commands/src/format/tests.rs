use std::sync::Arc;

use underpin::{Column, Columns, Value, ValueRow};

use super::{Format, printer};

fn columns() -> Arc<Columns> {
    let column = |name: &str| Column {
        name: name.into(),
        type_name: "any".into(),
    };
    Arc::new(Columns(vec![column("id"), column("full name")]))
}

fn print(format: Format, rows: &[[Value; 2]]) -> String {
    let columns = columns();
    let mut out = Vec::new();
    let mut printer = printer(format, &columns, true);
    for row in rows {
        printer
            .row(&ValueRow::new(columns.clone(), row.to_vec()), &mut out)
            .unwrap();
    }
    printer.end(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn rows() -> [[Value; 2]; 3] {
    [
        [Value::I32(7), Value::Text("Ada \"the\" first, and".into())],
        [Value::I64(12_345), Value::Null],
        [
            Value::Json(r#"{"a": [1]}"#.into()),
            Value::Text(String::new()),
        ],
    ]
}

#[test]
fn a_table_has_a_header_and_counts_its_rows() {
    let expected = " id         │ full name
────────────┼──────────────────────
          7 │ Ada \"the\" first, and
      12345 │ NULL
 {\"a\": [1]} │
3 rows
";
    assert_eq!(print(Format::Table, &rows()), expected);
    assert!(print(Format::Table, &[]).ends_with("0 rows\n"));
}

#[test]
fn a_table_cuts_what_is_too_long_for_a_terminal_and_shows_line_ends() {
    let long = print(
        Format::Table,
        &[[Value::Null, Value::Text("a\nb".repeat(50))]],
    );
    assert!(long.contains("a\\nba\\nb") && long.contains('…'), "{long}");
}

#[test]
fn json_keeps_digits_and_nests_json() {
    let expected = "[
{\"id\":7,\"full name\":\"Ada \\\"the\\\" first, and\"},
{\"id\":12345,\"full name\":null},
{\"id\":{\"a\": [1]},\"full name\":\"\"}
]
";
    let printed = print(Format::Json, &rows());
    assert_eq!(printed, expected);
    serde_json::from_str::<serde_json::Value>(&printed).unwrap();
    assert_eq!(print(Format::Json, &[]), "[]\n");
    let odd = [
        Value::F64(f64::NAN),
        Value::Numeric("1.10".parse().unwrap()),
    ];
    assert!(print(Format::Json, &[odd]).contains("{\"id\":\"NaN\",\"full name\":1.10}"));
}

#[test]
fn csv_tells_null_from_empty_text() {
    let expected = "id,full name
7,\"Ada \"\"the\"\" first, and\"
12345,
\"{\"\"a\"\": [1]}\",\"\"
";
    assert_eq!(print(Format::Csv, &rows()), expected);
    assert_eq!(print(Format::Csv, &[]), "id,full name\n");
}
