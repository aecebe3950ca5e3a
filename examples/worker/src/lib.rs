//! A queue in a table. A worker takes a job, works on it and marks it as done in one transaction, so
//! that a worker that dies leaves the job to another one.

use underpin::migrate::{Embedded, Migrator, embed_revisions};
use underpin::{Database, Engine, FromRow, IntoConfig, Result, Transaction};

static REVISIONS: &[Embedded] = embed_revisions!("revisions");

/// A job that waits for a worker.
#[derive(Debug, FromRow)]
pub struct Job {
    /// Primary key; jobs are taken in this order.
    pub id: i64,
    /// What the worker is given.
    pub payload: String,
}

/// Opens the database and migrates it.
///
/// # Errors
/// The error of connecting or of the migration.
pub async fn open(config: impl IntoConfig) -> Result<Database> {
    let db = Database::connect(config).await?;
    Migrator::of(&db).embedded(REVISIONS)?.up("heads").await?;
    Ok(db)
}

/// Adds jobs to the queue, and returns their number.
///
/// # Errors
/// The error of the insert; no job was added then.
pub async fn enqueue(db: &Database, payloads: impl IntoIterator<Item = String>) -> Result<u64> {
    let rows: Vec<(String,)> = payloads.into_iter().map(|payload| (payload,)).collect();
    db.bulk_insert("jobs", &["payload"], rows).await
}

/// Takes one job and works on it. Returns whether there was one.
///
/// # Errors
/// The error of the database or of `work`; the job waits for another worker then.
pub async fn work_once<W, F>(db: &Database, worker: &str, work: W) -> Result<bool>
where
    W: FnOnce(Job) -> F,
    F: Future<Output = Result<()>>,
{
    let tx = db.begin().await?;
    let Some(job) = take(&tx, db.engine()).await? else {
        tx.commit().await?;
        return Ok(false);
    };
    let id = job.id;
    work(job).await?;
    let sql = "UPDATE jobs SET done_by = $1, tries = tries + 1 WHERE id = $2";
    tx.execute(sql, (worker, id)).await?;
    tx.commit().await?;
    Ok(true)
}

async fn take(tx: &Transaction, engine: Engine) -> Result<Option<Job>> {
    // PostgreSQL locks the row, and other workers skip it. SQLite has one writer at a time.
    let lock = match engine {
        Engine::POSTGRES => " FOR UPDATE SKIP LOCKED",
        _ => "",
    };
    let sql =
        format!("SELECT id, payload FROM jobs WHERE done_by IS NULL ORDER BY id LIMIT 1{lock}");
    tx.query_optional(&sql, ()).await
}
