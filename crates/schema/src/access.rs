//! Access: how the structure of a file is read. The driver tells it as the SQL of SQLite that would
//! make it, with the function `access_structure`, and names what such SQL has no place for: saved
//! queries, linked tables, rules that SQL cannot say. Nothing is written to an Access file, so that
//! what is dumped is SQL of SQLite too.

use underpin_core::{Result, Value, ValueRow};

use crate::selection::like_pattern;
use crate::{
    Catalog, Schema, SchemaDialect, ScratchRules, Selection, Statement, Unsupported, sqlite,
};

/// The particulars of Access in reading and comparing schemas.
pub const DIALECT: SchemaDialect = SchemaDialect {
    catalog: Catalog {
        statements,
        assemble,
        ..sqlite::DIALECT.catalog
    },
    scratch: ScratchRules::None,
    creates_databases: false,
    row_estimates: None,
    old_times: None,
    ..sqlite::DIALECT
};

/// The parts of the structure: their columns, and the name that is selected by.
const PARTS: [(&str, &str, &str); 4] = [
    (
        "objects",
        "value ->> 'type', value ->> 'name', value ->> 'of', value ->> 'sql'",
        "value ->> 'of'",
    ),
    (
        "relations",
        "value ->> 'name', value ->> 'type'",
        "value ->> 'name'",
    ),
    (
        "columns",
        "value ->> 'of', value ->> 'name', value ->> 'not_null'",
        "value ->> 'of'",
    ),
    ("others", "value ->> 'kind', value ->> 'name'", ""),
];

fn statements(_: i32, selection: &Selection) -> Result<Vec<Statement>> {
    let statement = |(part, columns, name): (&str, &str, &str)| {
        let mut sql =
            format!("SELECT {columns} FROM json_each(access_structure('{part}')) WHERE true");
        let mut params = Vec::new();
        if name.is_empty() {
            // What has no table goes with all of them.
            if !selection.tables.is_empty() {
                sql.push_str(" AND false");
            }
        } else {
            sql.push_str(&selected(selection, name, &mut params));
        }
        sql.push_str(" ORDER BY key");
        Statement { sql, params }
    };
    Ok(PARTS.into_iter().map(statement).collect())
}

/// The condition that a table of this name is selected.
fn selected(selection: &Selection, name: &str, params: &mut Vec<Value>) -> String {
    let mut any = |patterns: &[String]| {
        let conditions = patterns.iter().map(|pattern| {
            params.push(Value::Text(like_pattern(pattern)));
            format!("{name} LIKE ?{} ESCAPE '\\'", params.len())
        });
        conditions.collect::<Vec<_>>().join(" OR ")
    };
    let (picked, left_out) = (any(&selection.tables), any(&selection.exclude));
    let mut sql = String::new();
    if !picked.is_empty() {
        sql = format!(" AND ({picked})");
    }
    if !left_out.is_empty() {
        sql = format!("{sql} AND NOT ({left_out})");
    }
    sql
}

fn assemble(answers: &[Vec<ValueRow>]) -> Result<Schema> {
    let (others, of_sqlite) = match answers.split_last() {
        Some((others, rest)) => (others.as_slice(), rest),
        None => (&[][..], answers),
    };
    let mut schema = sqlite::assemble(of_sqlite)?;
    for row in others {
        schema.unsupported.insert(Unsupported {
            kind: row.read(0)?,
            name: row.read(1)?,
            fingerprint: String::new(),
        });
    }
    Ok(schema)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_selected_is_a_parameter_of_each_part_that_has_tables() {
        let selection = Selection {
            tables: vec!["Order*".to_owned()],
            exclude: vec!["Orders_x".to_owned()],
            ..Selection::default()
        };
        let all = statements(0, &selection).unwrap();
        for statement in &all[..3] {
            assert!(statement.sql.contains("LIKE ?2"), "{}", statement.sql);
            let texts = ["Order%", "Orders\\_x"].map(|text| Value::Text(text.to_owned()));
            assert_eq!(statement.params, texts);
        }
        assert!(all[3].sql.contains("AND false"), "{}", all[3].sql);
        assert_eq!(statements(0, &Selection::default()).unwrap()[0].params, []);
    }
}
