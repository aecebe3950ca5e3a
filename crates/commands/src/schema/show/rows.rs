//! How many rows tables have, as far as the engine knows without counting.

use std::collections::BTreeMap;
use std::time::Duration;

use underpin::schema::{ObjectName, RowEstimates, SchemaDialect};
use underpin::{Config, Database, Result};

pub(super) type Estimates = BTreeMap<ObjectName, i64>;

pub(super) async fn estimated(config: &Config) -> Result<Estimates> {
    let dialect = SchemaDialect::of(config.engine())?;
    let Some(rules) = &dialect.row_estimates else {
        return Ok(Estimates::new());
    };
    let mut config = config.to_builder().pool_min_size(0).max_retries(0);
    if dialect.creates_databases {
        config = config.read_only(true);
    }
    let database = Database::connect(config.build()?).await?;
    let estimates = ask(&database, rules).await;
    let closed = database.close(Duration::from_secs(5)).await;
    let estimates = estimates?;
    closed.map(|()| estimates)
}

async fn ask(database: &Database, rules: &RowEstimates) -> Result<Estimates> {
    if let Some(known) = rules.known
        && database.query_scalar::<i64>(known, ()).await? == 0
    {
        return Ok(Estimates::new());
    }
    let rows: Vec<(String, String, Option<i64>)> = database.query_as(rules.query, ()).await?;
    let rows = rows.into_iter();
    let rows = rows.filter_map(|(namespace, name, count)| {
        let count = count?;
        Some((ObjectName::new(namespace, name), count))
    });
    Ok(rows.collect())
}
