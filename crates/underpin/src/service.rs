use std::panic::Location;
use std::sync::Arc;
use std::time::Instant;

use underpin_core::driver::{Call, Connection, Connector};
use underpin_core::retry::{Decision, Operation as Tried, RetryPolicy};
use underpin_core::{Deadline, Error, Params, Result};
use underpin_pool::{AcquireOptions, Lease, Pool};

use crate::counters::Counters;
use crate::operation::Operation;
use crate::options::Options;
use crate::routes::Routes;

/// The pools of one database on one engine, and which of them serves which call.
pub(crate) struct Service<C: Connector> {
    /// Takes writes.
    pub(crate) primary: Pool<C>,
    /// Takes reads, where the engine keeps them apart.
    pub(crate) readers: Option<Pool<C>>,
    routes: Routes,
    retry: RetryPolicy,
    pub(crate) counters: Arc<Counters>,
}

impl<C> Service<C>
where
    C: Connector,
    C::Connection: Connection,
{
    pub(crate) fn new(
        primary: Pool<C>,
        readers: Option<Pool<C>>,
        retry: RetryPolicy,
        counters: Arc<Counters>,
    ) -> Self {
        Service {
            primary,
            readers,
            routes: Routes::default(),
            retry,
            counters,
        }
    }

    pub(crate) fn pools(&self) -> impl Iterator<Item = &Pool<C>> {
        std::iter::once(&self.primary).chain(&self.readers)
    }

    /// Leases a connection for as long as the caller wants it.
    pub(crate) async fn lease(
        &self,
        options: Options,
        deadline: Deadline,
        place: &'static Location<'static>,
    ) -> Result<Lease<C>> {
        let reads = options.read || options.transaction.read_only;
        let pool = if reads { self.readers.as_ref() } else { None };
        acquire(pool.unwrap_or(&self.primary), options, deadline, place).await
    }

    /// Runs one operation on a connection of the pool, and again where that is safe.
    pub(crate) async fn run<O: Operation>(
        &self,
        mut operation: O,
        sql: &str,
        params: Params,
        options: Options,
        place: &'static Location<'static>,
    ) -> Result<O::Output> {
        let begun = Instant::now();
        let deadline = deadline_of(options, begun);
        let mut attempt = 0;
        let result = loop {
            let lease = match self.route(sql, options, deadline, place).await {
                Ok(lease) => lease,
                Err(error) => break Err(error),
            };
            let call = Call {
                sql,
                params: &params,
                deadline,
            };
            let error = match operation.run(&*lease, call).await {
                Ok(output) => break Ok(output),
                Err(error) => error,
            };
            drop(lease);
            match self.again::<O>(attempt, &error, options, deadline) {
                Some(wait) => {
                    self.counters.retry();
                    tracing::warn!(%error, wait_ms = wait.as_millis() as u64, "a statement is tried again");
                    tokio::time::sleep(wait).await;
                    attempt += 1;
                }
                None => break Err(error),
            }
        };
        self.counters.statement(begun.elapsed(), result.is_err());
        result
    }

    /// How long to wait before the statement is tried again; `None` where it is not.
    fn again<O: Operation>(
        &self,
        attempt: u32,
        error: &Error,
        options: Options,
        deadline: Deadline,
    ) -> Option<std::time::Duration> {
        // Without the caller's word nothing is repeated: also what was rolled back may be
        // a conflict that the caller has to see.
        if !options.idempotent || !O::REPEATABLE {
            return None;
        }
        let policy = self.policy(options);
        let tried = Tried::Statement { idempotent: true };
        let left = deadline.remaining(Instant::now());
        match policy.decide(attempt, error, tried, left, fastrand::f64()) {
            Decision::Retry { after } => Some(after),
            Decision::GiveUp(_) => None,
        }
    }

    pub(crate) fn policy(&self, options: Options) -> RetryPolicy {
        match options.retries {
            Some(max_retries) => RetryPolicy {
                max_retries,
                ..self.retry
            },
            None => self.retry,
        }
    }

    /// Leases the connection that the statement belongs on: a reader where there are
    /// readers and the engine itself says that the statement only reads.
    async fn route(
        &self,
        sql: &str,
        options: Options,
        deadline: Deadline,
        place: &'static Location<'static>,
    ) -> Result<Lease<C>> {
        let Some(readers) = &self.readers else {
            return acquire(&self.primary, options, deadline, place).await;
        };
        let known = if options.read {
            Some(true)
        } else {
            self.routes.get(sql)
        };
        match known {
            Some(true) => acquire(readers, options, deadline, place).await,
            Some(false) => acquire(&self.primary, options, deadline, place).await,
            None => self.ask(readers, sql, options, deadline, place).await,
        }
    }

    #[cold]
    async fn ask(
        &self,
        readers: &Pool<C>,
        sql: &str,
        options: Options,
        deadline: Deadline,
        place: &'static Location<'static>,
    ) -> Result<Lease<C>> {
        let lease = acquire(readers, options, deadline, place).await?;
        // What cannot be prepared goes to the primary, whose error is the one to show:
        // a reader's may only mean that a table of the open transaction is not seen yet.
        let reads = lease.only_reads(sql).await.ok().flatten();
        if let Some(reads) = reads {
            self.routes.set(sql, reads);
        }
        if reads == Some(true) {
            return Ok(lease);
        }
        drop(lease);
        acquire(&self.primary, options, deadline, place).await
    }
}

pub(crate) fn deadline_of(options: Options, now: Instant) -> Deadline {
    options
        .deadline
        .map_or(Deadline::NONE, |wait| Deadline::after(now, wait))
}

async fn acquire<C: Connector>(
    pool: &Pool<C>,
    options: Options,
    deadline: Deadline,
    place: &'static Location<'static>,
) -> Result<Lease<C>> {
    pool.acquire(AcquireOptions {
        deadline,
        timeout: None,
        retries: options.retries,
        place,
    })
    .await
}
