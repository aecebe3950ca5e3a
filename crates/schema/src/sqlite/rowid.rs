use crate::{PrimaryKey, Table};

/// Whether a primary key is the number that SQLite gives to every row: of one column whose
/// type is exactly INTEGER, not from high to low, of a table that has rowids.
pub(super) fn is_rowid(table: &Table, key: &PrimaryKey) -> bool {
    let [name] = &key.columns[..] else {
        return false;
    };
    let integer = table.column(name).is_some_and(|column| {
        let data_type = &column.data_type;
        data_type.name.eq_ignore_ascii_case("INTEGER") && data_type.parameters.is_empty()
    });
    let descending = key.orders.get(name).is_some_and(|order| order.descending);
    integer && !descending && !is_set(table, "without_rowid")
}

/// Whether a table has one of the options that SQLite knows.
pub(super) fn is_set(table: &Table, option: &str) -> bool {
    table
        .options
        .get(option)
        .is_some_and(|value| value == "true")
}
