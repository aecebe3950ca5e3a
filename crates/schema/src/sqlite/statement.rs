use underpin_core::Value;

use crate::selection::like_pattern;
use crate::{Selection, Statement};

/// What has SQL of its own.
const OBJECTS: &str = "SELECT type, name, tbl_name, sql FROM main.sqlite_schema
WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

/// What SQLite takes each table for.
const RELATIONS: &str = "SELECT name, type FROM pragma_table_list WHERE schema = 'main'";

/// The columns of tables, in order. Not those of views, since one that refers to what is not
/// there makes such a query fail.
const COLUMNS: &str = "SELECT r.name, c.name, c.\"notnull\"
FROM (SELECT name FROM pragma_table_list
      WHERE schema = 'main' AND type = 'table' LIMIT -1 OFFSET 0) AS r
JOIN pragma_table_xinfo(r.name, 'main') AS c WHERE true";

/// The queries that read what is selected: three, however many objects there are.
pub fn statements(selection: &Selection) -> Vec<Statement> {
    let patterns = selection.tables.iter().chain(&selection.exclude);
    let params: Vec<Value> = patterns
        .map(|name| Value::Text(like_pattern(name)))
        .collect();
    [
        (OBJECTS, "tbl_name", "ORDER BY rowid"),
        (RELATIONS, "name", ""),
        (COLUMNS, "r.name", "ORDER BY r.name, c.cid"),
    ]
    .into_iter()
    .map(|(query, name, order)| Statement {
        sql: format!("{query}{}\n{order}", selected(selection, name)),
        params: params.clone(),
    })
    .collect()
}

/// The condition that a table or view of this name is selected.
fn selected(selection: &Selection, name: &str) -> String {
    let (picked, left_out) = (selection.tables.len(), selection.exclude.len());
    let like = |number: usize| format!("{name} LIKE ?{number} ESCAPE '\\'");
    let any = |numbers: std::ops::Range<usize>| {
        let conditions: Vec<String> = numbers.map(like).collect();
        conditions.join(" OR ")
    };
    let mut sql = String::new();
    if picked > 0 {
        sql = format!(" AND ({})", any(1..picked + 1));
    }
    if left_out > 0 {
        let conditions = any(picked + 1..picked + left_out + 1);
        sql = format!("{sql} AND NOT ({conditions})");
    }
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_selected_is_a_parameter() {
        let selection = Selection {
            tables: vec!["a*".to_owned(), "b".to_owned()],
            exclude: vec!["a_x".to_owned()],
            ..Selection::default()
        };
        for statement in statements(&selection) {
            assert!(statement.sql.contains("LIKE ?2"), "{}", statement.sql);
            assert!(statement.sql.contains("AND NOT ("), "{}", statement.sql);
            let texts = ["a%", "b", "a\\_x"].map(|text| Value::Text(text.to_owned()));
            assert_eq!(statement.params, texts);
        }
        assert_eq!(statements(&Selection::default())[0].params, []);
    }
}
