//! How many rows tables have, as far as the engine knows without counting.

use std::collections::BTreeMap;
use std::time::Duration;

use underpin::schema::ObjectName;
use underpin::{Config, Database, Engine, Result};

pub(super) type Estimates = BTreeMap<ObjectName, i64>;

/// Those that were counted when the server last looked: by ANALYZE or VACUUM.
const POSTGRES: &str = "SELECT n.nspname::text, c.relname::text, c.reltuples::int8
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND c.reltuples >= 0";

/// The first number of each is that of the rows. ANALYZE makes the table.
const SQLITE: &str =
    "SELECT 'main', tbl, max(CAST(stat AS INTEGER)) FROM sqlite_stat1 GROUP BY tbl";

const ANALYZED: &str = "SELECT count(*) FROM main.sqlite_schema WHERE name = 'sqlite_stat1'";

pub(super) async fn estimated(config: &Config) -> Result<Estimates> {
    let builder = config.to_builder().pool_min_size(0).max_retries(0);
    let config = match config.engine() {
        Engine::SQLITE => builder.read_only(true).build()?,
        _ => builder.build()?,
    };
    let database = Database::connect(config).await?;
    let estimates = ask(&database).await;
    let closed = database.close(Duration::from_secs(5)).await;
    let estimates = estimates?;
    closed.map(|()| estimates)
}

async fn ask(database: &Database) -> Result<Estimates> {
    let sql = match database.engine() {
        Engine::POSTGRES => POSTGRES,
        Engine::SQLITE if database.query_scalar::<i64>(ANALYZED, ()).await? > 0 => SQLITE,
        _ => return Ok(Estimates::new()),
    };
    let rows: Vec<(String, String, Option<i64>)> = database.query_as(sql, ()).await?;
    let rows = rows.into_iter();
    let rows = rows.filter_map(|(namespace, name, count)| {
        let count = count?;
        Some((ObjectName::new(namespace, name), count))
    });
    Ok(rows.collect())
}
