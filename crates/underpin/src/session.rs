use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use underpin_core::driver::{Call, Connection, Connector, Pooled};
use underpin_core::{Deadline, Engine, Params, Result, TransactionOptions};
use underpin_pool::Lease;

use crate::backend::on_engine;
use crate::counters::Counters;
use crate::operation::Operation;
use crate::service::mark_stale_if_read_only;

/// A driver's connection in the hands of one caller: of the pool, or of its own.
pub(crate) enum Held<C: Connector> {
    Leased(Lease<C>),
    Owned(C::Connection),
}

impl<C: Connector> Deref for Held<C> {
    type Target = C::Connection;

    fn deref(&self) -> &C::Connection {
        match self {
            Held::Leased(lease) => lease,
            Held::Owned(connection) => connection,
        }
    }
}

/// One connection of any engine, held by one caller, perhaps through several handles: a
/// [`Connection`](crate::Connection) and the transactions begun on it.
pub(crate) struct Session {
    pub(crate) held: AnyHeld,
    pub(crate) counters: Arc<Counters>,
    /// Whether the transaction that was begun last was to read only.
    read_only: AtomicBool,
    /// Whether `leftovers` holds anything, so that the usual call takes no lock.
    has_leftovers: AtomicBool,
    /// What dropped transactions have left to be rolled back, in order.
    leftovers: Mutex<Vec<Leftover>>,
}

/// The connection, by engine.
pub(crate) enum AnyHeld {
    #[cfg(feature = "postgres")]
    Postgres(Held<underpin_postgres::Connector>),
    #[cfg(feature = "sqlite")]
    Sqlite(Held<underpin_sqlite::Connector>),
}

/// The end of a transaction that was dropped, not yet told to the server.
#[derive(Clone)]
pub(crate) enum Leftover {
    Transaction,
    Savepoint(String),
}

impl Session {
    pub(crate) fn new(held: AnyHeld, counters: Arc<Counters>) -> Self {
        Session {
            held,
            counters,
            read_only: AtomicBool::new(false),
            has_leftovers: AtomicBool::new(false),
            leftovers: Mutex::default(),
        }
    }

    pub(crate) fn engine(&self) -> Engine {
        match &self.held {
            #[cfg(feature = "postgres")]
            AnyHeld::Postgres(_) => Engine::Postgres,
            #[cfg(feature = "sqlite")]
            AnyHeld::Sqlite(_) => Engine::Sqlite,
        }
    }

    /// Leaves it to the next call, or to the pool, to roll this back.
    pub(crate) fn leave(&self, leftover: Leftover) {
        self.leftovers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(leftover);
        self.has_leftovers.store(true, Ordering::Release);
    }

    /// Runs an operation, after what dropped transactions have left is rolled back.
    pub(crate) async fn run<O: Operation>(
        &self,
        mut operation: O,
        sql: &str,
        params: Params,
        deadline: Deadline,
    ) -> Result<O::Output> {
        self.clear_leftovers(deadline).await?;
        let call = Call {
            sql,
            params: &params,
            deadline,
            shared: false,
        };
        let begun = Instant::now();
        let result = on_engine!(&self.held, AnyHeld, held => operation.run(&**held, call).await);
        self.counters.statement(begun.elapsed(), result.is_err());
        if let Err(error) = &result
            && !self.read_only.load(Ordering::Relaxed)
        {
            on_engine!(&self.held, AnyHeld, held => match held {
                Held::Leased(lease) => mark_stale_if_read_only(error, lease),
                Held::Owned(_) => {}
            });
        }
        result
    }

    pub(crate) async fn clear_leftovers(&self, deadline: Deadline) -> Result<()> {
        if !self.has_leftovers.load(Ordering::Acquire) {
            return Ok(());
        }
        // Each is taken off the list only once it is done: a future dropped here leaves it.
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
        self.clear_leftovers(deadline).await?;
        self.read_only.store(options.read_only, Ordering::Relaxed);
        on_engine!(&self.held, AnyHeld, held => held.begin(options, deadline).await)
    }

    pub(crate) async fn commit(&self) -> Result<()> {
        self.clear_leftovers(Deadline::NONE).await?;
        on_engine!(&self.held, AnyHeld, held => held.commit().await)
    }

    pub(crate) async fn rollback(&self, deadline: Deadline) -> Result<()> {
        on_engine!(&self.held, AnyHeld, held => held.rollback(deadline).await)
    }

    /// Sends a statement about a savepoint; `name` is one that this crate made up.
    pub(crate) async fn savepoint(&self, verb: &str, name: &str, deadline: Deadline) -> Result<()> {
        let sql = format!("{verb} {}", underpin_core::quote::identifier(name)?);
        self.clear_leftovers(deadline).await?;
        on_engine!(&self.held, AnyHeld, held => held.batch(&sql, deadline).await)
    }

    async fn rollback_to(&self, name: &str, deadline: Deadline) -> Result<()> {
        let name = underpin_core::quote::identifier(name)?;
        let sql = format!("ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}");
        on_engine!(&self.held, AnyHeld, held => held.batch(&sql, deadline).await)
    }

    pub(crate) async fn ping(&self, deadline: Deadline) -> Result<()> {
        self.clear_leftovers(deadline).await?;
        on_engine!(&self.held, AnyHeld, held => held.ping(deadline).await)
    }

    /// Ends a connection of its own, and gives one of the pool back to it.
    pub(crate) async fn close(self, deadline: Deadline) {
        on_engine!(self.held, AnyHeld, held => match held {
            Held::Owned(connection) => connection.close(deadline).await,
            Held::Leased(lease) => drop(lease),
        });
    }
}
