use std::panic::Location;
use std::sync::Arc;

use underpin_core::driver::{AnyConnector, Call, Connection, Pooled, SessionState};
use underpin_core::retry::{Decision, Operation as Tried, RetryPolicy};
use underpin_core::{Class, Deadline, Effect, Error, Params, Result, TransactionOptions};
use underpin_pool::{Grant, Pool};

use crate::call::CallOptions;
use crate::clock;
use crate::cluster::{AnyLease, Cluster};
use crate::operation::{Answer, Operation};
use crate::statement_speed::StatementSpeed;

impl Cluster {
    /// Runs one operation on a connection of the member that serves it, and retries it if that is
    /// safe.
    ///
    /// # Errors
    /// The error of the operation, or of the wait for a connection.
    ///
    /// # Cancel safety
    /// As for the operation; a wait for a connection ends.
    pub async fn run(
        &self,
        mut operation: Operation<'_>,
        sql: &str,
        params: Params,
        options: CallOptions,
        place: &'static Location<'static>,
    ) -> Result<Answer> {
        debug_assert!(
            !matches!(operation, Operation::Stream(_)),
            "the connection is returned before the rows are read"
        );
        let begun = clock::now();
        let deadline = options.deadline_from(begun);
        let call = Call {
            sql,
            params: &params,
            deadline,
            shared: false,
        };
        let speed = self.speed(&operation, sql, options);
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
            if operation.is_repeatable() && is_unsent(&error, silent) {
                silent += 1;
                continue;
            }
            match self.again(&operation, attempt, &error, options, deadline) {
                Some(wait) if self.may_retry(error.message()) => {
                    tracing::warn!(%error, wait_ms = wait.as_millis() as u64, "a statement is retried");
                    tokio::time::sleep(wait).await;
                    attempt += 1;
                }
                _ => break Err(error),
            }
        };
        self.budget.deposit();
        self.counters.statement(begun.elapsed(), result.is_err());
        result
    }

    /// The recorded speed of a statement that may share a connection; `None` for other statements.
    fn speed(
        &self,
        operation: &Operation<'_>,
        sql: &str,
        options: CallOptions,
    ) -> Option<Arc<StatementSpeed>> {
        let alone = options.exclusive || options.after.is_some();
        let shares = operation.is_one_statement() && self.pipelining && !alone;
        shares.then(|| self.speeds.of(sql, self.shares))
    }

    /// Runs an operation beside other callers' on one connection, if there is one.
    async fn in_lane(
        &self,
        operation: &mut Operation<'_>,
        call: Call<'_>,
        speed: &StatementSpeed,
        options: CallOptions,
        place: &'static Location<'static>,
    ) -> Run {
        let grant = self.ask_for(options.read, options, call.deadline, place, Pool::share);
        let seat = match grant.await {
            Ok(Grant::Lane(seat)) => seat,
            Ok(Grant::Lease(lease)) => {
                return self.on_lease(operation, &lease, call, Some(speed)).await;
            }
            Err(error) => return Run::NotBegun(error),
        };
        let call = Call {
            shared: true,
            ..call
        };
        let Some(result) = seat.run(operation.run(&**seat, call)).await else {
            tracing::debug!(
                "a statement behind one without an answer is sent on another connection"
            );
            return Run::Stuck;
        };
        if let Err(error) = &result
            && error.class() == Class::Connect
        {
            self.watch.lost(Connection::endpoint(&**seat));
        }
        // A statement that was left at its deadline is answered later, or never.
        let left = result
            .as_ref()
            .is_err_and(|error| matches!(error.class(), Class::Timeout { .. }));
        if !left {
            speed.took(seat.answered());
        }
        Run::Answered(result)
    }

    async fn on_lease(
        &self,
        operation: &mut Operation<'_>,
        lease: &AnyLease,
        call: Call<'_>,
        speed: Option<&StatementSpeed>,
    ) -> Run {
        let begun = speed.map(|_| clock::now());
        let result = operation.run(&***lease, call).await;
        if let (Some(speed), Some(begun)) = (speed, begun) {
            speed.took(begun.elapsed());
        }
        if let Err(error) = &result {
            self.watch.note(error, lease);
        }
        let left_open = matches!(
            lease.state(),
            SessionState::InTransaction | SessionState::Failed
        );
        Run::Answered(match result {
            Ok(_) if left_open => Err(left_in_transaction(operation)),
            result => result,
        })
    }

    /// Runs an operation on a connection of its own.
    async fn alone(
        &self,
        operation: &mut Operation<'_>,
        call: Call<'_>,
        speed: Option<&StatementSpeed>,
        options: CallOptions,
        place: &'static Location<'static>,
    ) -> Run {
        match self
            .lease_for(call.sql, options, call.deadline, place)
            .await
        {
            Ok(lease) if options.read && self.might_write(operation, call.sql) => {
                Run::Answered(read_only(operation, &lease, call).await)
            }
            Ok(lease) => self.on_lease(operation, &lease, call, speed).await,
            Err(error) => Run::NotBegun(error),
        }
    }

    fn might_write(&self, operation: &Operation<'_>, sql: &str) -> bool {
        let runs = !matches!(operation, Operation::Ping | Operation::Describe);
        runs && self.needs_guard(sql)
    }

    /// Whether a statement on a handle for reading must run in a transaction that refuses writes:
    /// its text does not show that it only reads, and its connection can write.
    pub fn needs_guard(&self, sql: &str) -> bool {
        self.capabilities.transactions && self.readers().is_none() && !(self.shares)(sql)
    }

    /// The wait before a retry of the statement; `None` if it is not retried.
    fn again(
        &self,
        operation: &Operation<'_>,
        attempt: u32,
        error: &Error,
        options: CallOptions,
        deadline: Deadline,
    ) -> Option<std::time::Duration> {
        // Without the caller's permission no statement is repeated: even one that was rolled back
        // may be a conflict that the caller must see.
        if !options.idempotent || !operation.is_repeatable() {
            return None;
        }
        let policy = self.policy(options);
        let tried = Tried::Statement { idempotent: true };
        let left = deadline.remaining(clock::now());
        match policy.decide(attempt, error, tried, left, fastrand::f64()) {
            Decision::Retry { after } => Some(after),
            Decision::GiveUp(_) => None,
        }
    }

    /// Number of retries of a call with these options, and the waits before them.
    pub fn policy(&self, options: CallOptions) -> RetryPolicy {
        match options.retries {
            Some(max_retries) => RetryPolicy {
                max_retries,
                ..self.retry
            },
            None => self.retry,
        }
    }

    /// Leases the connection that a statement belongs on, for as long as the caller needs it: a
    /// reader if there are readers and the engine itself reports that the statement only reads.
    ///
    /// # Errors
    /// As for [`lease`](Cluster::lease).
    ///
    /// # Cancel safety
    /// As for [`lease`](Cluster::lease).
    pub async fn lease_for(
        &self,
        sql: &str,
        options: CallOptions,
        deadline: Deadline,
        place: &'static Location<'static>,
    ) -> Result<AnyLease> {
        if let Some(after) = options.after {
            return Box::pin(self.lease_after(after, options, deadline, place)).await;
        }
        let Some(readers) = self.readers() else {
            return self
                .ask_for(options.read, options, deadline, place, Pool::acquire)
                .await;
        };
        let known = if options.read {
            Some(true)
        } else {
            self.routes.get(sql)
        };
        match known {
            Some(true) => readers.acquire(options.acquire(deadline, place)).await,
            Some(false) => self.lease_primary(options, deadline, place).await,
            None => self.ask(readers, sql, options, deadline, place).await,
        }
    }

    async fn lease_primary(
        &self,
        options: CallOptions,
        deadline: Deadline,
        place: &'static Location<'static>,
    ) -> Result<AnyLease> {
        self.on_primary(options, deadline, place, Pool::acquire)
            .await
    }

    #[cold]
    async fn ask(
        &self,
        readers: Pool<AnyConnector>,
        sql: &str,
        options: CallOptions,
        deadline: Deadline,
        place: &'static Location<'static>,
    ) -> Result<AnyLease> {
        let lease = readers.acquire(options.acquire(deadline, place)).await?;
        // A statement that cannot be prepared goes to the primary, whose error is the one to
        // report: a reader's error may only mean that a table of the open transaction is not
        // visible yet.
        let reads = lease.only_reads(sql).await.ok().flatten();
        if let Some(reads) = reads {
            self.routes.set(sql, reads);
        }
        if reads == Some(true) {
            return Ok(lease);
        }
        drop(lease);
        self.lease_primary(options, deadline, place).await
    }
}

/// The result of one attempt.
enum Run {
    Answered(Result<Answer>),
    /// No connection was available for it.
    NotBegun(Error),
    /// It was behind a statement without an answer.
    Stuck,
}

/// Runs an operation on a handle for reading, in a transaction that refuses writes. After an error,
/// the pool rolls back what is left of it.
async fn read_only(
    operation: &mut Operation<'_>,
    lease: &AnyLease,
    call: Call<'_>,
) -> Result<Answer> {
    let options = TransactionOptions {
        read_only: true,
        ..TransactionOptions::default()
    };
    lease.begin(options, call.deadline).await?;
    let answer = operation.run(&***lease, call).await.map_err(|error| {
        match error.class() == Class::ReadOnly {
            true => error.with_hint(
                "Use the database handle itself for writes: `read()` is for reads only.",
            ),
            false => error,
        }
    })?;
    lease.commit().await?;
    Ok(answer)
}

#[cold]
fn left_in_transaction(operation: &Operation<'_>) -> Error {
    let (what, effect) = match operation.is_one_statement() {
        true => ("The statement", Effect::RolledBack),
        false => ("The statements", Effect::Unknown),
    };
    Error::new(
        Class::Unsupported,
        format!(
            "{what} began a transaction and left it open. It was rolled back: outside of \
             transactions no statement keeps its connection."
        ),
    )
    .with_effect(effect)
    .with_hint("Use transaction() or begin(), or acquire() for a connection of your own.")
}

/// Whether nothing was sent for certain, on a connection that is no longer usable, so that another
/// one can be tried silently; a few times.
pub fn is_unsent(error: &Error, tries: u32) -> bool {
    const MOST: u32 = 10;
    tries < MOST
        && error.effect() == Effect::NotSent
        && matches!(error.class(), Class::Connect | Class::Busy)
}
