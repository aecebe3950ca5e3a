use super::scope;
use super::table::is_own;
use crate::sqlite::error::SqlError;
use crate::sqlite::parse;
use crate::{Index, KeyTarget, Table};

/// Reads an index of a table from its SQL.
pub(super) fn read(sql: &str, of: &str, table: &Table) -> Result<Index, SqlError> {
    let names = table.columns.iter().map(|column| column.name.clone());
    let names: Vec<String> = names.collect();
    let mut index = parse::index(sql, scope(of, &names))?;
    for key in &mut index.keys {
        if let KeyTarget::Column(name) = &key.target
            && let Some(column) = table.column(name)
            && is_own(key.collation.as_ref(), column)
        {
            key.collation = None;
        }
    }
    Ok(index)
}
