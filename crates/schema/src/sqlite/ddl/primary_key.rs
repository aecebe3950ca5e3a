//! Primary keys.

use underpin_core::Result;

use crate::sqlite::rowid::is_rowid;
use crate::{PrimaryKey, Table};

/// Whether the key stands within its column: one of a single column, unless it has parts that
/// cannot be written there.
pub(super) fn is_of_column(key: &PrimaryKey) -> bool {
    let orders = key.orders.values();
    let collated = orders.filter(|order| order.collation.is_some()).count() > 0;
    key.columns.len() == 1 && !collated && key.comment.is_none()
}

/// ` [CONSTRAINT …] PRIMARY KEY …` within its column.
///
/// # Errors
/// For a name that cannot be one.
pub(super) fn of_column(name: Option<&str>, table: &Table, key: &PrimaryKey) -> Result<String> {
    let descending = key.orders.values().any(|order| order.descending);
    Ok(format!(
        " {}PRIMARY KEY{}{}{}",
        super::constraint(name)?,
        if descending { " DESC" } else { "" },
        super::on_conflict(key.conflict),
        autoincrement(table, key)
    ))
}

/// `[CONSTRAINT …] PRIMARY KEY (…)`.
///
/// # Errors
/// For a name that cannot be one, and for what SQLite cannot have.
pub fn clause(name: Option<&str>, table: &Table, key: &PrimaryKey) -> Result<String> {
    super::not_deferred(key.deferral, "primary key")?;
    super::refuse(
        !key.include.is_empty(),
        || "a primary key that includes other columns".to_owned(),
        "Create an additional index over all of them.",
    )?;
    // Outside its column, an INTEGER would be the rowid whatever its order.
    let plain = PrimaryKey {
        orders: std::collections::BTreeMap::new(),
        ..key.clone()
    };
    super::refuse(
        is_rowid(table, &plain) && !is_rowid(table, key),
        || {
            format!(
                "a comment on the primary key {:?}, an INTEGER from high to low",
                key.name
            )
        },
        "Write it on the column.",
    )?;
    Ok(format!(
        "{}PRIMARY KEY ({}{}){}",
        super::constraint(name)?,
        super::key_columns(&key.columns, &key.orders)?,
        autoincrement(table, key),
        super::on_conflict(key.conflict)
    ))
}

fn autoincrement(table: &Table, key: &PrimaryKey) -> &'static str {
    let name = key.columns.first().filter(|_| is_rowid(table, key));
    let column = name.and_then(|name| table.column(name));
    match column.is_some_and(|column| column.identity.is_some()) {
        true => " AUTOINCREMENT",
        false => "",
    }
}
