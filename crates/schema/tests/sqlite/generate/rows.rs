use underpin::schema::{Column, ObjectName, Table};

use super::names::quoted;

/// How many rows each table gets.
pub(crate) const ROWS: i64 = 3;

/// Inserts that fill a table. The value of a column depends on the kind of its type and the
/// number of the row alone, so that rows of the same number refer to one another.
pub(crate) fn rows(name: &ObjectName, table: &Table) -> Vec<String> {
    let columns = table.columns.iter();
    let columns: Vec<&Column> = columns.filter(|one| one.generated.is_none()).collect();
    let names: Vec<String> = columns.iter().map(|one| quoted(&one.name)).collect();
    let insert = |row| {
        let values: Vec<String> = columns.iter().map(|one| value(one, row)).collect();
        format!(
            "INSERT INTO {} ({}) VALUES ({})",
            quoted(&name.name),
            names.join(", "),
            values.join(", ")
        )
    };
    (1..=ROWS).map(insert).collect()
}

fn value(column: &Column, row: i64) -> String {
    let name = column.data_type.name.to_ascii_lowercase();
    match name.as_str() {
        "text" | "varchar" => format!("'v{row}'"),
        "blob" => format!("x'0{row}'"),
        "real" | "double precision" => format!("{row}.5"),
        _ => row.to_string(),
    }
}
