//! Statements that build without locking writers out, and what they leave behind when they
//! fail.

use underpin_core::Result;

use crate::dialect::{Concurrent, MigrationDialect};
use crate::host::Host;

/// Whether the statement is one of them. It waits for whoever is at work, however long
/// that takes, and keeps nobody waiting, so that no lock timeout should end it.
pub(crate) fn is_concurrent(dialect: &MigrationDialect, sql: &str) -> bool {
    rules(dialect, sql).is_some()
}

fn rules<'d>(dialect: &'d MigrationDialect, sql: &str) -> Option<&'d Concurrent> {
    let rules = dialect.concurrent.as_ref()?;
    let has = words(sql).any(|word| word.eq_ignore_ascii_case(rules.word));
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
        let quoted = (dialect.quote)(&name)?;
        if names(sql, &name, &quoted) {
            let schema: String = row.get("schema")?;
            found.push(format!("{}.{quoted}", (dialect.quote)(&schema)?));
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
    let creates = words(sql)
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("create"));
    if !creates {
        return Ok(());
    }
    for index in invalid_indexes(host, dialect, sql).await? {
        tracing::warn!(index, "an invalid index of an earlier try is dropped");
        host.run(&format!("DROP INDEX CONCURRENTLY IF EXISTS {index}"))
            .await?;
    }
    Ok(())
}

fn words(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
        .filter(|word| !word.is_empty())
}

fn names(sql: &str, name: &str, quoted: &str) -> bool {
    let plain = words(sql).any(|word| word.to_lowercase() == name);
    plain || sql.contains(quoted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres;

    #[test]
    fn an_index_is_named_as_postgres_reads_names() {
        let names = |sql, name| names(sql, name, &(postgres::DIALECT.quote)(name).unwrap());
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
    }
}
