use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use underpin_cluster::{Answer, AnyLease, Counters, Observer, Operation};
use underpin_core::driver::{
    AnyConnection, Call, Capabilities, Connection, HandOver, Pooled, without_positions,
};
use underpin_core::{
    Class, Deadline, Effect, Engine, Error, FromRow, Params, Position, Result, RowStream,
    TransactionOptions,
};
use underpin_sql::{Savepoints, begun_or_ended};

use crate::engines::EngineDriver;

/// A driver's connection held by one caller: from the pool, or outside it.
pub(crate) enum Held {
    Leased(AnyLease),
    Owned(AnyConnection),
}

impl Deref for Held {
    type Target = dyn Connection;

    fn deref(&self) -> &dyn Connection {
        match self {
            Held::Leased(lease) => &***lease,
            Held::Owned(connection) => &**connection,
        }
    }
}

/// One connection, held by one caller, possibly through several handles: a
/// [`Connection`](crate::Connection) and the transactions begun on it.
pub(crate) struct Session {
    pub(crate) held: Held,
    engine: Engine,
    capabilities: Capabilities,
    counters: Arc<Counters>,
    observer: Observer,
    /// Whether the latest transaction was read-only.
    read_only: AtomicBool,
    /// Whether a [`Transaction`](crate::Transaction) has begun here and not ended.
    in_transaction: AtomicBool,
    /// Whether `leftovers` is not empty, so that the usual call takes no lock.
    has_leftovers: AtomicBool,
    /// The ends of dropped transactions that must be rolled back, in order.
    leftovers: Mutex<Vec<Leftover>>,
}

/// The end of a dropped transaction, which the server has not got yet.
#[derive(Clone)]
pub(crate) enum Leftover {
    Transaction,
    Savepoint(String),
}

impl Session {
    pub(crate) fn new(
        held: Held,
        driver: &dyn EngineDriver,
        counters: Arc<Counters>,
        observer: Observer,
    ) -> Self {
        Session {
            held,
            engine: driver.engine(),
            capabilities: driver.capabilities(),
            counters,
            observer,
            read_only: AtomicBool::new(false),
            in_transaction: AtomicBool::new(false),
            has_leftovers: AtomicBool::new(false),
            leftovers: Mutex::default(),
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        self.engine
    }

    /// Leaves this rollback to the next call, or to the pool.
    pub(crate) fn leave(&self, leftover: Leftover) {
        self.leftovers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(leftover);
        self.has_leftovers.store(true, Ordering::Release);
    }

    /// Runs an operation, after the leftovers of dropped transactions are rolled back.
    pub(crate) async fn run(
        &self,
        mut operation: Operation<'_>,
        sql: &str,
        params: Params,
        deadline: Deadline,
    ) -> Result<Answer> {
        self.clear_leftovers(deadline).await?;
        if self.in_transaction.load(Ordering::Relaxed) {
            self.require_transaction(sql)?;
        }
        let call = Call {
            sql,
            params: &params,
            deadline,
            shared: false,
        };
        let begun = Instant::now();
        let result = operation.run(&*self.held, call).await;
        self.counters.statement(begun.elapsed(), result.is_err());
        if let Err(error) = &result
            && let Held::Leased(lease) = &self.held
            && !self.read_only.load(Ordering::Relaxed)
        {
            self.observer.note(error, lease);
        }
        result
    }

    /// Runs a statement whose rows are read as they arrive; the stream holds the session.
    pub(crate) async fn stream<T: FromRow + Send + 'static>(
        self: Arc<Self>,
        sql: &str,
        params: Params,
        deadline: Deadline,
    ) -> Result<RowStream<T>> {
        let rows = HandOver::new();
        let operation = Operation::Stream(&rows);
        let answer = self.run(operation, sql, params, deadline).await?;
        let (columns, source) = answer.stream();
        Ok(RowStream::new(columns, rows.stream(source), self))
    }

    pub(crate) async fn clear_leftovers(&self, deadline: Deadline) -> Result<()> {
        if !self.has_leftovers.load(Ordering::Acquire) {
            return Ok(());
        }
        // An entry is removed only after its rollback: a future dropped here keeps it.
        while let Some(leftover) = self.first_leftover() {
            match leftover {
                Leftover::Transaction => self.rollback(deadline).await?,
                Leftover::Savepoint(name) => self.rollback_to(&name, deadline).await?,
            }
            self.drop_first_leftover();
        }
        Ok(())
    }

    fn first_leftover(&self) -> Option<Leftover> {
        self.leftovers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .first()
            .cloned()
    }

    fn drop_first_leftover(&self) {
        let mut list = self
            .leftovers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        list.remove(0);
        self.has_leftovers
            .store(!list.is_empty(), Ordering::Release);
    }

    pub(crate) async fn begin(
        &self,
        options: TransactionOptions,
        deadline: Deadline,
    ) -> Result<()> {
        if !self.capabilities.transactions {
            return Err(self.cannot("begin transactions"));
        }
        self.clear_leftovers(deadline).await?;
        self.read_only.store(options.read_only, Ordering::Relaxed);
        self.held.begin(options, deadline).await?;
        self.in_transaction.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Refuses SQL that would begin or end a transaction while a `Transaction` is open.
    fn require_transaction(&self, sql: &str) -> Result<()> {
        let Some(dialect) = self.engine.dialect() else {
            return Ok(());
        };
        let Some(word) = begun_or_ended(sql, &dialect.lexis) else {
            return Ok(());
        };
        let instead = match word.starts_with(['B', 'S']) {
            true => "Call savepoint() or transaction() on the transaction to begin one within it.",
            false => "Call commit() or rollback() on the transaction to end it.",
        };
        Err(Error::new(
            Class::Unsupported,
            format!(
                "{word} was sent as SQL while a transaction is open, and later statements would run \
                 outside of it; nothing was sent."
            ),
        )
        .with_effect(Effect::NotSent)
        .with_hint(instead))
    }

    pub(crate) async fn commit(&self) -> Result<()> {
        self.clear_leftovers(Deadline::NONE).await?;
        self.in_transaction.store(false, Ordering::Relaxed);
        self.held.commit().await
    }

    pub(crate) async fn commit_with_position(&self) -> Result<Position> {
        self.clear_leftovers(Deadline::NONE).await?;
        self.in_transaction.store(false, Ordering::Relaxed);
        self.held.commit_with_position().await
    }

    pub(crate) async fn position(&self, deadline: Deadline) -> Result<Position> {
        self.require_positions()?;
        self.clear_leftovers(deadline).await?;
        self.held.position(deadline).await
    }

    pub(crate) fn require_positions(&self) -> Result<()> {
        match self.capabilities.positions {
            true => Ok(()),
            false => Err(without_positions()),
        }
    }

    pub(crate) async fn rollback(&self, deadline: Deadline) -> Result<()> {
        self.in_transaction.store(false, Ordering::Relaxed);
        self.held.rollback(deadline).await
    }

    /// Sets a savepoint; this crate chose its `name`.
    pub(crate) async fn set_savepoint(&self, name: &str, deadline: Deadline) -> Result<()> {
        let savepoints = self.savepoints()?;
        self.clear_leftovers(deadline).await?;
        let sql = format!("{}{}", savepoints.set, self.quoted(name)?);
        self.held.batch(&sql, deadline).await
    }

    /// Releases a savepoint, so that its changes become part of the enclosing transaction. If the
    /// engine cannot release one, it stays until the transaction ends, and does no harm.
    pub(crate) async fn release_savepoint(&self, name: &str, deadline: Deadline) -> Result<()> {
        self.clear_leftovers(deadline).await?;
        let Some(release) = self.savepoints()?.release else {
            return Ok(());
        };
        let sql = format!("{release}{}", self.quoted(name)?);
        self.held.batch(&sql, deadline).await
    }

    async fn rollback_to(&self, name: &str, deadline: Deadline) -> Result<()> {
        let savepoints = self.savepoints()?;
        let name = self.quoted(name)?;
        let mut sql = format!("{}{name}", savepoints.roll_back);
        if let Some(release) = savepoints.release {
            sql = format!("{sql}; {release}{name}");
        }
        self.held.batch(&sql, deadline).await
    }

    fn savepoints(&self) -> Result<&'static Savepoints> {
        let dialect = self.engine.dialect();
        dialect
            .and_then(|dialect| dialect.savepoints.as_ref())
            .ok_or_else(|| self.cannot("set savepoints"))
    }

    fn quoted(&self, name: &str) -> Result<String> {
        let dialect = self.engine.dialect();
        let dialect = dialect.ok_or_else(|| self.cannot("quote names"))?;
        Ok(dialect.identifier(name)?)
    }

    #[cold]
    fn cannot(&self, what: &str) -> Error {
        Error::new(
            Class::Unsupported,
            format!(
                "The engine {} cannot {what}; nothing was sent.",
                self.engine
            ),
        )
        .with_effect(Effect::NotSent)
    }

    pub(crate) async fn ping(&self, deadline: Deadline) -> Result<()> {
        self.clear_leftovers(deadline).await?;
        self.held.ping(deadline).await
    }

    /// Closes a connection of its own, and returns one of the pool to the pool.
    pub(crate) async fn close(self, deadline: Deadline) {
        match self.held {
            Held::Owned(connection) => Box::new(connection).close(deadline).await,
            Held::Leased(lease) => drop(lease),
        }
    }
}
