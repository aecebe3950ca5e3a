//! Statements that build without locking writers out, and what they leave behind when they
//! fail.

use underpin_core::Result;
use underpin_sql::{Kind, Lexer, Token};

use crate::dialect::{Concurrent, MigrationDialect};
use crate::host::Host;

/// Whether the statement is one of them. It waits for all others, however long
/// that takes, and keeps nobody waiting, so that no lock timeout should end it.
pub(crate) fn is_concurrent(dialect: &MigrationDialect, sql: &str) -> bool {
    rules(dialect, sql).is_some()
}

fn rules<'d>(dialect: &'d MigrationDialect, sql: &str) -> Option<&'d Concurrent> {
    let rules = dialect.concurrent.as_ref()?;
    let has = tokens(sql, dialect).any(|token| token.is(rules.word));
    has.then_some(rules)
}

/// The indexes that the statement names and that are INVALID, each quoted.
pub(crate) async fn invalid_indexes(
    host: &dyn Host,
    dialect: &MigrationDialect,
    sql: &str,
) -> Result<Vec<String>> {
    let Some(rules) = rules(dialect, sql) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for row in host.query(rules.invalid_indexes, Vec::new()).await? {
        let name: String = row.get("name")?;
        if names(sql, dialect, &name) {
            let schema: String = row.get("schema")?;
            let (schema, name) = (
                dialect.sql.identifier(&schema)?,
                dialect.sql.identifier(&name)?,
            );
            found.push(format!("{schema}.{name}"));
        }
    }
    Ok(found)
}

/// Drops the INVALID indexes that the statement, which is to run again, names: with IF NOT
/// EXISTS it would take them for the index that it makes.
pub(crate) async fn drop_invalid_indexes(
    host: &dyn Host,
    dialect: &MigrationDialect,
    sql: &str,
) -> Result<()> {
    let first = tokens(sql, dialect).next();
    if !first.is_some_and(|token| token.is("CREATE")) {
        return Ok(());
    }
    for index in invalid_indexes(host, dialect, sql).await? {
        tracing::warn!(index, "dropping an invalid index of an earlier attempt");
        host.run(&format!("DROP INDEX CONCURRENTLY IF EXISTS {index}"))
            .await?;
    }
    Ok(())
}

fn tokens<'a>(sql: &'a str, dialect: &'a MigrationDialect) -> impl Iterator<Item = Token<'a>> {
    Lexer::new(sql, &dialect.sql.lexis).solid()
}

/// Whether the statement has this name, which is folded as PostgreSQL folds names.
fn names(sql: &str, dialect: &MigrationDialect, name: &str) -> bool {
    tokens(sql, dialect).any(|token| match dialect.sql.lexis.name(&token) {
        Some(quoted) if token.kind == Kind::Name => quoted == name,
        Some(word) => word.to_lowercase() == name,
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres;

    #[test]
    fn an_index_is_named_as_postgres_reads_names() {
        let names = |sql, name| names(sql, &postgres::DIALECT, name);
        assert!(names(
            "CREATE INDEX CONCURRENTLY Idx_Name ON t (a)",
            "idx_name"
        ));
        assert!(names(
            "CREATE INDEX CONCURRENTLY \"Idx Name\" ON t (a)",
            "Idx Name"
        ));
        assert!(!names(
            "CREATE INDEX CONCURRENTLY idx_name2 ON t (a)",
            "idx_name"
        ));
        assert!(is_concurrent(
            &postgres::DIALECT,
            "create index\nconcurrently i on t(a)"
        ));
        assert!(!is_concurrent(
            &postgres::DIALECT,
            "CREATE INDEX i ON t (a)"
        ));
        assert!(!is_concurrent(
            &postgres::DIALECT,
            "CREATE INDEX i ON t (a) -- not concurrently"
        ));
    }
}
