//! What a side's catalogs say, on a connection of the copy: in the snapshot of its rows.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use underpin_core::{Result, ValueRow};
use underpin_schema::{ObjectName, Schema, SchemaDialect, Selection};

use crate::client::Client;

/// Reads the whole schema, in the open transaction.
pub(crate) async fn read(client: &Client, dialect: &SchemaDialect) -> Result<Schema> {
    let catalog = &dialect.catalog;
    let version = match catalog.prepare {
        Some(sql) => client.number(sql).await?.unwrap_or(0),
        None => 0,
    };
    let version = i32::try_from(version).unwrap_or(i32::MAX);
    let statements = (catalog.statements)(version, &Selection::default())?;
    let answers: Vec<Vec<ValueRow>> = if catalog.pipelined {
        let asked = statements
            .iter()
            .map(|one| client.rows(&one.sql, &one.params));
        try_join_all(asked).await?
    } else {
        let mut answers = Vec::new();
        for one in &statements {
            answers.push(client.rows(&one.sql, &one.params).await?);
        }
        answers
    };
    (catalog.assemble)(&answers)
}

/// How many rows tables have, as far as the engine knows.
pub(crate) async fn estimates(
    client: &Client,
    dialect: &SchemaDialect,
) -> Result<BTreeMap<ObjectName, u64>> {
    let Some(estimates) = &dialect.row_estimates else {
        return Ok(BTreeMap::new());
    };
    if let Some(known) = estimates.known
        && client.number(known).await?.unwrap_or(0) == 0
    {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<(String, String, i64)> = client.rows(estimates.query, &[]).await?;
    let known = rows.into_iter().filter_map(|(namespace, name, rows)| {
        Some((ObjectName::new(namespace, name), u64::try_from(rows).ok()?))
    });
    Ok(known.collect())
}
