use underpin_core::{Class, Effect, Engine, Error, Result};

use crate::dialect::Dialect;
use crate::host::Host;
use crate::sqlite;

/// A transaction of a run, open on the host's connection.
pub(crate) struct Transaction {
    /// SQLite's guard of foreign keys is off meanwhile, for otherwise no table that others
    /// refer to could be rebuilt; what this holds was amiss before.
    foreign_keys: Option<Vec<Orphans>>,
}

/// Rows of a table that refer to rows which are not there.
#[derive(Debug, PartialEq, Eq)]
struct Orphans {
    child: String,
    parent: String,
    rows: i64,
}

impl Transaction {
    pub(crate) async fn begin(host: &dyn Host) -> Result<Self> {
        let guarded = host.engine() == Engine::SQLITE && guards_foreign_keys(host).await?;
        if guarded {
            // Within a transaction the setting cannot be changed.
            host.run(sqlite::FOREIGN_KEYS_OFF).await?;
        }
        let mut transaction = Transaction {
            foreign_keys: guarded.then(Vec::new),
        };
        let begun = match host.run(Dialect::of(host.engine())?.begin).await {
            Ok(()) if guarded => orphans(host).await,
            other => other.map(|()| Vec::new()),
        };
        match begun {
            Ok(orphans) if guarded => transaction.foreign_keys = Some(orphans),
            Ok(_) => {}
            Err(error) => {
                transaction.rollback(host).await;
                return Err(error);
            }
        }
        Ok(transaction)
    }

    /// Commits; where that fails it is rolled back.
    pub(crate) async fn commit(self, host: &dyn Host) -> Result<()> {
        let checked = match &self.foreign_keys {
            Some(before) => check(host, before).await,
            None => Ok(()),
        };
        let committed = match checked {
            Ok(()) => host.run("COMMIT").await,
            Err(error) => Err(error),
        };
        match committed {
            Ok(()) => {
                self.guard_again(host).await;
                Ok(())
            }
            Err(error) => {
                self.rollback(host).await;
                Err(error)
            }
        }
    }

    /// Rolls back. Where the connection cannot be told any more, the engine does it.
    pub(crate) async fn rollback(self, host: &dyn Host) {
        if let Err(error) = host.run("ROLLBACK").await {
            tracing::debug!(%error, "the transaction of the run is over already");
        }
        self.guard_again(host).await;
    }

    async fn guard_again(&self, host: &dyn Host) {
        if self.foreign_keys.is_some()
            && let Err(error) = host.run(sqlite::FOREIGN_KEYS_ON).await
        {
            tracing::warn!(%error, "foreign keys stay unguarded on the connection of the run");
        }
    }
}

async fn guards_foreign_keys(host: &dyn Host) -> Result<bool> {
    let rows = host.query(sqlite::FOREIGN_KEYS, Vec::new()).await?;
    rows.first()
        .map_or(Ok(false), |row| row.get("foreign_keys"))
}

async fn orphans(host: &dyn Host) -> Result<Vec<Orphans>> {
    let rows = host.query(sqlite::ORPHANS, Vec::new()).await?;
    let read = |row: &underpin_core::ValueRow| {
        Ok(Orphans {
            child: row.get("child")?,
            parent: row.get("parent")?,
            rows: row.get("rows")?,
        })
    };
    rows.iter().map(read).collect()
}

/// No more rows may lack their parent than did before.
async fn check(host: &dyn Host, before: &[Orphans]) -> Result<()> {
    let had = |now: &Orphans| {
        let same = |b: &&Orphans| b.child == now.child && b.parent == now.parent;
        before.iter().find(same).map_or(0, |b| b.rows)
    };
    let after = orphans(host).await?;
    let Some(worse) = after.iter().find(|now| now.rows > had(now)) else {
        return Ok(());
    };
    Err(Error::new(
        Class::Constraint,
        format!(
            "{} rows of the table {:?} would refer to rows of {:?} that are not there.",
            worse.rows - had(worse),
            worse.child,
            worse.parent
        ),
    )
    .with_effect(Effect::RolledBack)
    .with_hint(
        "While revisions run in a transaction, SQLite neither guards foreign keys nor acts on \
         ON DELETE; a revision takes the rows along itself.",
    ))
}
