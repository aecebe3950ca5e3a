use underpin_core::{Class, Effect, Error, Result};
use underpin_sql::Transactions;

use crate::dialect::{ForeignKeyGuard, MigrationDialect};
use crate::host::Host;

/// A transaction of a run, open on the host's connection.
pub(crate) struct Transaction {
    /// The guard of foreign keys, which is off meanwhile, and what was amiss before.
    foreign_keys: Option<(&'static ForeignKeyGuard, Vec<Orphans>)>,
    statements: Transactions,
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
        let dialect = MigrationDialect::of(host.engine())?;
        let guard = match &dialect.foreign_keys {
            Some(guard) if is_on(guard, host).await? => Some(guard),
            _ => None,
        };
        if let Some(guard) = guard {
            // Within a transaction the setting cannot be changed.
            host.run(guard.off).await?;
        }
        let mut transaction = Transaction {
            foreign_keys: guard.map(|guard| (guard, Vec::new())),
            statements: dialect.sql.transactions,
        };
        let begun = match (host.run(transaction.statements.begin).await, guard) {
            (Ok(()), Some(guard)) => orphans(guard, host).await,
            (begun, _) => begun.map(|()| Vec::new()),
        };
        match (begun, &mut transaction.foreign_keys) {
            (Ok(found), Some((_, before))) => *before = found,
            (Ok(_), None) => {}
            (Err(error), _) => {
                transaction.rollback(host).await;
                return Err(error);
            }
        }
        Ok(transaction)
    }

    /// Commits; where that fails it is rolled back.
    pub(crate) async fn commit(self, host: &dyn Host) -> Result<()> {
        let checked = match &self.foreign_keys {
            Some((guard, before)) => check(guard, host, before).await,
            None => Ok(()),
        };
        let committed = match checked {
            Ok(()) => host.run(self.statements.commit).await,
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
        if let Err(error) = host.run(self.statements.rollback).await {
            tracing::debug!(%error, "the transaction of the run is over already");
        }
        self.guard_again(host).await;
    }

    async fn guard_again(&self, host: &dyn Host) {
        if let Some((guard, _)) = &self.foreign_keys
            && let Err(error) = host.run(guard.on).await
        {
            tracing::warn!(%error, "foreign keys stay unguarded on the connection of the run");
        }
    }
}

async fn is_on(guard: &ForeignKeyGuard, host: &dyn Host) -> Result<bool> {
    let rows = host.query(guard.is_on, Vec::new()).await?;
    rows.first()
        .map_or(Ok(false), |row| row.get("foreign_keys"))
}

async fn orphans(guard: &ForeignKeyGuard, host: &dyn Host) -> Result<Vec<Orphans>> {
    let rows = host.query(guard.orphans, Vec::new()).await?;
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
async fn check(guard: &ForeignKeyGuard, host: &dyn Host, before: &[Orphans]) -> Result<()> {
    let had = |now: &Orphans| {
        let same = |b: &&Orphans| b.child == now.child && b.parent == now.parent;
        before.iter().find(same).map_or(0, |b| b.rows)
    };
    let after = orphans(guard, host).await?;
    let Some(worse) = after.iter().find(|now| now.rows > had(now)) else {
        return Ok(());
    };
    Err(Error::new(
        Class::Constraint,
        format!(
            "{} rows of the table {:?} would refer to rows of {:?} that do not exist.",
            worse.rows - had(worse),
            worse.child,
            worse.parent
        ),
    )
    .with_effect(Effect::RolledBack)
    .with_hint(
        "While revisions run in a transaction, SQLite does not enforce foreign keys or ON DELETE; \
         the revision must delete or change the rows itself.",
    ))
}
