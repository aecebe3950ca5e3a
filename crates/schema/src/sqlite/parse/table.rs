use std::collections::BTreeMap;

use super::column::column;
use super::constraint::{self, Constraint, Named};
use super::placement::place;
use crate::Column;
use crate::sqlite::cursor::Cursor;
use crate::sqlite::error::SqlError;
use crate::sqlite::expression::Scope;
use crate::sqlite::token::Tokens;

/// A table as `CREATE TABLE` has it: its constraints in order, not all with a name.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::sqlite) struct TableSql {
    pub(in crate::sqlite) columns: Vec<Column>,
    pub(in crate::sqlite) constraints: Vec<Named>,
    pub(in crate::sqlite) options: BTreeMap<String, String>,
    pub(in crate::sqlite) comment: Option<String>,
}

/// Where the comments of a column or constraint go.
enum Item {
    Column(usize),
    Constraint(usize),
    Nothing,
}

/// Reads `CREATE TABLE`.
pub(in crate::sqlite) fn table(sql: &str, scope: Scope<'_>) -> Result<TableSql, SqlError> {
    let of = Tokens::of(sql)?;
    let mut cursor = Cursor::over(&of);
    cursor.expect("CREATE")?;
    cursor.expect("TABLE")?;
    cursor.object()?;
    cursor.expect_symbol("(")?;
    let mut table = TableSql::default();
    let (mut items, mut ranges) = (Vec::new(), Vec::new());
    while !cursor.eat_symbol(")") {
        let start = cursor.at;
        items.push(item(&mut cursor, &mut table, scope)?);
        // Between constraints it can be left out.
        cursor.eat_symbol(",");
        ranges.push(start..cursor.at);
    }
    table.options = options(&mut cursor)?;
    let placed = place(&of, &ranges);
    table.comment = placed.table;
    for (item, comment) in items.into_iter().zip(placed.items) {
        match item {
            Item::Column(place) => table.columns[place].comment = comment,
            Item::Constraint(place) => set_comment(&mut table.constraints[place], comment),
            Item::Nothing => {
                let both = [table.comment.take(), comment].into_iter().flatten();
                let both: Vec<String> = both.collect();
                table.comment = (!both.is_empty()).then(|| both.join("\n"));
            }
        }
    }
    Ok(table)
}

fn item(
    cursor: &mut Cursor<'_, '_>,
    table: &mut TableSql,
    scope: Scope<'_>,
) -> Result<Item, SqlError> {
    if constraint::begins(cursor) {
        return Ok(match constraint::of_table(cursor, scope)? {
            Some(constraint) => {
                table.constraints.push(constraint);
                Item::Constraint(table.constraints.len() - 1)
            }
            None => Item::Nothing,
        });
    }
    let (column, constraints) = column(cursor, scope)?;
    table.columns.push(column);
    table.constraints.extend(constraints);
    Ok(Item::Column(table.columns.len() - 1))
}

fn set_comment(named: &mut Named, comment: Option<String>) {
    match &mut named.constraint {
        Constraint::PrimaryKey { key, .. } => key.comment = comment,
        Constraint::Unique(unique) => unique.comment = comment,
        Constraint::Check(check) => check.comment = comment,
        Constraint::ForeignKey { key, .. } => key.comment = comment,
    }
}

fn options(cursor: &mut Cursor<'_, '_>) -> Result<BTreeMap<String, String>, SqlError> {
    let mut options = BTreeMap::new();
    while cursor.peek().is_some() {
        let option = if cursor.eat(&["STRICT"]) {
            "strict"
        } else if cursor.eat(&["WITHOUT", "ROWID"]) {
            "without_rowid"
        } else {
            return Err(cursor.unexpected("an option of the table"));
        };
        options.insert(option.to_owned(), "true".to_owned());
        cursor.eat_symbol(",");
    }
    Ok(options)
}
