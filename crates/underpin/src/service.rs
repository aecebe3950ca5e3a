use std::panic::Location;
use std::sync::Arc;
use std::time::Instant;

use underpin_core::driver::{Call, Connection, Connector, Pooled, SessionState};
use underpin_core::retry::{Decision, Operation as Tried, RetryPolicy};
use underpin_core::{Class, Deadline, Effect, Engine, Error, Params, Result};
use underpin_pool::{AcquireOptions, Grant, Lease, Pool};

use crate::counters::Counters;
use crate::operation::Operation;
use crate::options::Options;
use crate::routes::Routes;
use crate::statement_speed::{StatementSpeed, StatementSpeeds};

/// The pools of one database on one engine, and which of them serves which call.
pub(crate) struct Service<C: Connector> {
    /// Takes writes.
    pub(crate) primary: Pool<C>,
    /// Takes reads, where the engine keeps them apart.
    pub(crate) readers: Option<Pool<C>>,
    routes: Routes,
    /// Whether statements may share connections.
    pipelining: bool,
    speeds: StatementSpeeds,
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
        pipelining: bool,
        retry: RetryPolicy,
        counters: Arc<Counters>,
    ) -> Self {
        Service {
            primary,
            readers,
            routes: Routes::default(),
            pipelining: pipelining && C::Connection::PIPELINES,
            speeds: StatementSpeeds::default(),
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
        let call = Call {
            sql,
            params: &params,
            deadline,
            shared: false,
        };
        let speed = self.speed::<O>(sql, options);
        let (mut attempt, mut silent, mut alone) = (0, 0, false);
        let result = loop {
            let lane = speed.as_deref().filter(|speed| !alone && speed.is_shared());
            let run = match lane {
                Some(speed) => {
                    self.in_lane(&mut operation, call, speed, options, place)
                        .await
                }
                None => {
                    self.alone(&mut operation, call, speed.as_deref(), options, place)
                        .await
                }
            };
            let error = match run {
                Run::Answered(Ok(output)) => break Ok(output),
                Run::NotBegun(error) => break Err(error),
                Run::Answered(Err(error)) => error,
                Run::Stuck => {
                    alone = true;
                    continue;
                }
            };
            if O::REPEATABLE && is_unsent(&error, silent) {
                silent += 1;
                continue;
            }
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

    /// What is known of a statement that may share a connection; `None` for others.
    fn speed<O: Operation>(&self, sql: &str, options: Options) -> Option<Arc<StatementSpeed>> {
        let shares = O::SHARES && self.pipelining && !options.exclusive;
        shares.then(|| self.speeds.of(sql, C::Connection::shares))
    }

    /// Runs an operation beside others' on one connection, where one is to be had.
    async fn in_lane<O: Operation>(
        &self,
        operation: &mut O,
        call: Call<'_>,
        speed: &StatementSpeed,
        options: Options,
        place: &'static Location<'static>,
    ) -> Run<O::Output> {
        let wanted = acquire_options(options, call.deadline, place);
        let seat = match self.primary.share(wanted).await {
            Ok(Grant::Lane(seat)) => seat,
            Ok(Grant::Lease(lease)) => return on_lease(operation, &lease, call, Some(speed)).await,
            Err(error) => return Run::NotBegun(error),
        };
        let call = Call {
            shared: true,
            ..call
        };
        let Some(result) = seat.run(operation.run(&*seat, call)).await else {
            tracing::debug!("a statement behind one that gives no answer is asked elsewhere");
            return Run::Stuck;
        };
        // What was left at its deadline is answered later, or never.
        let left = result
            .as_ref()
            .is_err_and(|error| matches!(error.class(), Class::Timeout { .. }));
        if !left {
            speed.took(seat.answered());
        }
        Run::Answered(result)
    }

    /// Runs an operation on a connection of its own.
    async fn alone<O: Operation>(
        &self,
        operation: &mut O,
        call: Call<'_>,
        speed: Option<&StatementSpeed>,
        options: Options,
        place: &'static Location<'static>,
    ) -> Run<O::Output> {
        match self.route(call.sql, options, call.deadline, place).await {
            Ok(lease) => on_lease(operation, &lease, call, speed).await,
            Err(error) => Run::NotBegun(error),
        }
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

/// What came of one try.
enum Run<T> {
    Answered(Result<T>),
    /// There was no connection to be had.
    NotBegun(Error),
    /// It was behind a statement that gives no answer.
    Stuck,
}

async fn on_lease<C, O>(
    operation: &mut O,
    lease: &Lease<C>,
    call: Call<'_>,
    speed: Option<&StatementSpeed>,
) -> Run<O::Output>
where
    C: Connector,
    C::Connection: Connection,
    O: Operation,
{
    let begun = speed.map(|_| Instant::now());
    let result = operation.run(&**lease, call).await;
    if let (Some(speed), Some(begun)) = (speed, begun) {
        speed.took(begun.elapsed());
    }
    if let Err(error) = &result {
        mark_stale_if_read_only(error, lease);
    }
    let left_open = matches!(
        lease.state(),
        SessionState::InTransaction | SessionState::Failed
    );
    Run::Answered(match result {
        Ok(_) if left_open => Err(left_in_transaction::<O>()),
        result => result,
    })
}

/// A write that is refused where writes go: the server is the primary no more.
pub(crate) fn mark_stale_if_read_only<C>(error: &Error, lease: &Lease<C>)
where
    C: Connector,
    C::Connection: Connection,
{
    // A file that is read-only stays so.
    if error.class() == Class::ReadOnly && C::Connection::ENGINE != Engine::Sqlite {
        lease.mark_stale();
    }
}

#[cold]
fn left_in_transaction<O: Operation>() -> Error {
    let (what, effect) = match O::SHARES {
        true => ("The statement", Effect::RolledBack),
        false => ("The statements", Effect::Unknown),
    };
    Error::new(
        Class::Unsupported,
        format!(
            "{what} began a transaction and left it open. It is rolled back: outside of \
             transactions no statement keeps its connection."
        ),
    )
    .with_effect(effect)
    .with_hint("Use transaction() or begin(), or acquire() for a connection that is yours.")
}

/// Whether it is certain that nothing left this side, on a connection that is of no use any
/// more, so that another can be tried without a word; a few times.
pub(crate) fn is_unsent(error: &Error, tries: u32) -> bool {
    const MOST: u32 = 10;
    tries < MOST
        && error.effect() == Effect::NotSent
        && matches!(error.class(), Class::Connect | Class::Busy)
}

fn acquire_options(
    options: Options,
    deadline: Deadline,
    place: &'static Location<'static>,
) -> AcquireOptions {
    AcquireOptions {
        deadline,
        timeout: None,
        retries: options.retries,
        caller: place,
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
    pool.acquire(acquire_options(options, deadline, place))
        .await
}
