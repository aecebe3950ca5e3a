use underpin::value::Timestamp;
use underpin::{Engine, Executor, Result};

/// The database's clock at this moment, in the terms of its own defaults: on PostgreSQL
/// `now()` is when the transaction began, which may be before it had its locks.
pub(crate) async fn now(at: &impl Executor) -> Result<Timestamp> {
    let sql = match at.engine() {
        Engine::POSTGRES => "SELECT clock_timestamp()::timestamp",
        _ => "SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')",
    };
    at.query_scalar(sql, ()).await
}
