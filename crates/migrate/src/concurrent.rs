//! PostgreSQL's statements that build without locking writers out, and what they leave
//! behind when they fail.

use underpin_core::{Engine, Result, quote};

use crate::host::Host;
use crate::postgres;

/// Whether the statement is one of them. It waits for whoever is at work, however long
/// that takes, and keeps nobody waiting, so that no lock timeout should end it.
pub(crate) fn is_concurrent(engine: Engine, sql: &str) -> bool {
    engine == Engine::POSTGRES && words(sql).any(|word| word.eq_ignore_ascii_case("concurrently"))
}

/// The indexes that the statement names and that are INVALID, each quoted.
pub(crate) async fn invalid_indexes(host: &dyn Host, sql: &str) -> Result<Vec<String>> {
    if !is_concurrent(host.engine(), sql) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for row in host.query(postgres::INVALID_INDEXES, Vec::new()).await? {
        let name: String = row.get("name")?;
        if names(sql, &name) {
            let schema: String = row.get("schema")?;
            let (schema, name) = (quote::identifier(&schema)?, quote::identifier(&name)?);
            found.push(format!("{schema}.{name}"));
        }
    }
    Ok(found)
}

/// Drops the INVALID indexes that the statement, which is to run again, names: with IF NOT
/// EXISTS it would take them for the index that it makes.
pub(crate) async fn drop_invalid_indexes(host: &dyn Host, sql: &str) -> Result<()> {
    let creates = words(sql)
        .next()
        .is_some_and(|word| word.eq_ignore_ascii_case("create"));
    if !creates {
        return Ok(());
    }
    for index in invalid_indexes(host, sql).await? {
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

fn names(sql: &str, name: &str) -> bool {
    let plain = words(sql).any(|word| word.to_lowercase() == name);
    plain || quote::identifier(name).is_ok_and(|quoted| sql.contains(&quoted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_named_as_postgres_reads_names() {
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
            Engine::POSTGRES,
            "create index\nconcurrently i on t(a)"
        ));
        assert!(!is_concurrent(Engine::POSTGRES, "CREATE INDEX i ON t (a)"));
    }
}
