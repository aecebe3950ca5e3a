//! Whether a database has what the revisions say: they are run in a scratch schema that is
//! thrown away, and both catalogs are compared.

use std::collections::BTreeMap;
use std::fmt;

use underpin::migrate::{Graph, History, Migrator, Mode, Target, plan_up, read_embedded};
use underpin::sql;
use underpin::{Database, Engine, Executor, Result, quote};

use crate::migrations::REVISIONS;

/// One thing in which a database is not as the revisions say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The revisions make it, and it is not there.
    Missing {
        /// What: `index idx_users_email`.
        object: String,
    },
    /// It belongs to a table of ours, and no revision makes it.
    Unexpected {
        /// What.
        object: String,
    },
    /// It is there, and defined otherwise.
    Changed {
        /// What.
        object: String,
        /// As the revisions define it.
        expected: String,
        /// As the database defines it.
        found: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Missing { object } => write!(f, "The {object} is missing."),
            Difference::Unexpected { object } => {
                write!(f, "No revision creates the {object}.")
            }
            Difference::Changed {
                object,
                expected,
                found,
            } => write!(f, "The {object} is {found}, but should be {expected}."),
        }
    }
}

/// What was compared and how it differs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// How many objects the revisions make.
    pub objects: usize,
    /// In what the database differs; empty where it does not.
    pub differences: Vec<Difference>,
}

/// Compares tables, columns, constraints and indexes with what the revisions make. Nothing
/// is changed: on PostgreSQL the scratch schema is rolled back, on SQLite it is in memory.
///
/// # Errors
/// What the server refuses: on PostgreSQL the user needs the right to create a schema.
///
/// # Cancel safety
/// Safe.
pub async fn verify(database: &Database) -> Result<Verification> {
    let (expected, found) = match database.engine() {
        Engine::POSTGRES => {
            let expected = postgres_scratch(database).await?;
            (expected, postgres_catalog(database).await?)
        }
        _ => {
            let scratch = Database::connect("sqlite::memory:").await?;
            Migrator::of(&scratch)
                .embedded(REVISIONS)?
                .up("head")
                .await?;
            (
                sqlite_catalog(&scratch).await?,
                sqlite_catalog(database).await?,
            )
        }
    };
    Ok(compare(&expected, &found))
}

/// What each object is, by its name: `index idx_users_email` → its definition.
type Catalog = BTreeMap<String, String>;

fn compare(expected: &Catalog, found: &Catalog) -> Verification {
    let mut differences = Vec::new();
    for (object, definition) in expected {
        match found.get(object) {
            None => differences.push(Difference::Missing {
                object: object.clone(),
            }),
            Some(other) if other != definition => differences.push(Difference::Changed {
                object: object.clone(),
                expected: definition.clone(),
                found: other.clone(),
            }),
            Some(_) => {}
        }
    }
    let ours = |object: &str| {
        let table = object.rsplit(" of ").next().unwrap_or_default();
        expected.contains_key(&format!("table {table}"))
    };
    for object in found
        .keys()
        .filter(|object| !expected.contains_key(*object))
    {
        if ours(object) {
            differences.push(Difference::Unexpected {
                object: object.clone(),
            });
        }
    }
    Verification {
        objects: expected.len(),
        differences,
    }
}

async fn postgres_scratch(database: &Database) -> Result<Catalog> {
    let tx = database.begin().await?;
    let schema = quote::identifier(&format!("underpin_scratch_{:016x}", fastrand::u64(..)))?;
    tx.batch(&format!(
        "CREATE SCHEMA {schema}; SET LOCAL search_path TO {schema}"
    ))
    .await?;
    for sql in statements(Engine::POSTGRES)? {
        tx.batch(&sql).await?;
    }
    let catalog = postgres_catalog(&tx).await;
    tx.rollback().await?;
    catalog
}

/// The statements with which an empty database is brought to the head, in order.
fn statements(engine: Engine) -> Result<Vec<String>> {
    let graph = Graph::new(read_embedded(REVISIONS)?)?;
    let nothing = History::default();
    let plan = plan_up(&graph, &nothing, &Target::Head, engine, Mode::default())?;
    let sections = plan.steps.iter().flat_map(|step| step.sections(&graph));
    let statements = sections.flat_map(|section| &section.statements);
    Ok(statements.map(|statement| statement.sql.clone()).collect())
}

const POSTGRES: &str = "
SELECT 'table ' || c.relname, 'a table'
FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
  AND c.relname <> 'underpin_migrations'
UNION ALL
SELECT 'column ' || a.attname || ' of ' || c.relname,
    format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
    || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid, true), '')
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
UNION ALL
SELECT 'constraint ' || k.conname || ' of ' || c.relname, pg_get_constraintdef(k.oid, true)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE c.relnamespace = current_schema()::regnamespace
UNION ALL
SELECT 'index ' || i.relname || ' of ' || c.relname,
    pg_get_indexdef(x.indexrelid, 0, true) || CASE WHEN x.indisvalid THEN '' ELSE ' (invalid)' END
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid)";

async fn postgres_catalog(on: &impl Executor) -> Result<Catalog> {
    let rows: Vec<(String, String)> = on.query_as(POSTGRES, ()).await?;
    Ok(rows.into_iter().collect())
}

const SQLITE: &str = "
SELECT 'table ' || name, 'a table' FROM sqlite_schema
WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' AND name NOT LIKE 'underpin~_%' ESCAPE '~'
UNION ALL
SELECT 'column ' || c.name || ' of ' || t.name,
    lower(c.type) || CASE WHEN c.\"notnull\" THEN ' not null' ELSE '' END
    || coalesce(' default ' || c.dflt_value, '')
FROM sqlite_schema t JOIN pragma_table_info(t.name) c
WHERE t.type = 'table' AND t.name NOT LIKE 'underpin~_%' ESCAPE '~'
UNION ALL
SELECT type || ' ' || name || ' of ' || tbl_name, sql FROM sqlite_schema
WHERE type IN ('index', 'trigger') AND sql IS NOT NULL AND tbl_name NOT LIKE 'underpin~_%' ESCAPE '~'
UNION ALL
SELECT 'foreign key ' || k.\"from\" || ' of ' || t.name, k.\"table\" || '.' || coalesce(k.\"to\", 'id')
FROM sqlite_schema t JOIN pragma_foreign_key_list(t.name) k WHERE t.type = 'table'";

async fn sqlite_catalog(database: &Database) -> Result<Catalog> {
    let rows: Vec<(String, String)> = database.query_as(SQLITE, ()).await?;
    let mut catalog: Catalog = rows.into_iter().collect();
    let tables: Vec<(String, String)> = database
        .query_as(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'table'
             AND name NOT LIKE 'underpin~_%' ESCAPE '~' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'",
            (),
        )
        .await?;
    for (table, sql) in tables {
        for (name, definition) in constraints(&sql) {
            catalog.insert(format!("constraint {name} of {table}"), definition);
        }
    }
    Ok(catalog)
}

/// The named constraints of a CREATE TABLE: what follows each CONSTRAINT, up to the comma,
/// the next constraint or the end that closes it.
fn constraints(sql: &str) -> Vec<(String, String)> {
    let words = words(sql);
    let mut found = Vec::new();
    let mut at = 0;
    while at < words.len() {
        if !words[at].0.eq_ignore_ascii_case("CONSTRAINT") || at + 1 >= words.len() {
            at += 1;
            continue;
        }
        let (name, depth) = (words[at + 1].0.trim_matches('"').to_owned(), words[at].1);
        let ends = |(word, level): &(&str, usize)| {
            *level < depth
                || (*level == depth && (*word == "," || word.eq_ignore_ascii_case("CONSTRAINT")))
        };
        let body = &words[at + 2..];
        let length = body.iter().position(ends).unwrap_or(body.len());
        let text: Vec<&str> = body[..length].iter().map(|(word, _)| *word).collect();
        found.push((name, text.join(" ")));
        at += 2 + length;
    }
    found
}

/// The words of a statement, each with how many parentheses are open around it: quoted
/// texts whole, comments left out.
fn words(text: &str) -> Vec<(&str, usize)> {
    let mut depth = 0usize;
    let tokens = sql::Lexer::new(text, &sql::SQLITE.lexis).solid();
    tokens
        .map(|token| {
            match token.text {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ => {}
            }
            (token.text, depth)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_found_with_what_they_say() {
        let sql =
            "CREATE TABLE t (n INTEGER NOT NULL CONSTRAINT n_small CHECK (n < 10 AND (n > 'a, )')),
            -- CONSTRAINT of a comment
            m TEXT CONSTRAINT m_key UNIQUE CONSTRAINT m_length CHECK (length(m) <= 5),
            CONSTRAINT both CHECK (n <> m)) STRICT";
        let found = constraints(sql);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["n_small", "m_key", "m_length", "both"]);
        assert_eq!(found[1].1, "UNIQUE");
        assert_eq!(found[3].1, "CHECK ( n <> m )");
    }
}
