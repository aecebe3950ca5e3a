use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use underpin_core::{Class, Deadline, Effect, Error, Result, TransactionOptions};

use crate::call::{Call, Failure, Late};
use crate::connection::Connection;
use crate::link::{FAILED, IDLE};
use crate::opening::Phase;

/// How long that to a ROLLBACK is, where no deadline is given.
const ROLLBACK_BOUND: Duration = Duration::from_secs(30);

fn none_open() -> Error {
    Error::new(Class::Closed, "No transaction is open on this connection.")
}

impl Connection {
    /// Notes that a transaction is to begin: BEGIN leaves with the first statement.
    pub(crate) async fn run_begin(
        &self,
        options: TransactionOptions,
        deadline: Deadline,
    ) -> Result<()> {
        let mut call = Call::open(self.session(), deadline)?;
        if call.in_transaction() {
            return Err(call.refuse(
                Error::new(
                    Class::Unsupported,
                    "A transaction is open on this connection already.",
                )
                .with_hint("Use a savepoint, or another connection."),
            ));
        }
        let opening = &self.session().opening;
        opening.owe(options);
        if !opening.is_handed_out() {
            return call.done();
        }
        call.submit_harmless();
        match call.begin().await {
            Ok(()) => call.done(),
            Err(failure) => {
                opening.clear();
                Err(call.fail(failure).await)
            }
        }
    }

    pub(crate) async fn run_commit(&self) -> Result<()> {
        let mut call = Call::open_to_end(self.session(), Deadline::NONE)?;
        let link = &self.session().link;
        let opening = &self.session().opening;
        if opening.phase() == Phase::Sent {
            let _watched = link.watchdog.begin();
            if let Err(failure) = call.begin().await {
                opening.clear();
                return Err(call.fail(failure).await);
            }
        }
        match opening.clear() {
            // Nothing was sent in it, so that there is nothing to commit.
            Phase::Owed => return call.done(),
            Phase::Failed => return Err(call.refuse(failed_before())),
            Phase::Settled | Phase::Sent => {}
        }
        if self.session().is_alone() {
            match link.status() {
                IDLE => return Err(call.refuse(none_open())),
                FAILED => {
                    drop(call.refuse(none_open()));
                    self.run_rollback(Deadline::NONE).await?;
                    return Err(failed_before());
                }
                _ => {}
            }
        }
        let rollbacks = link.rollbacks.load(Ordering::Acquire);
        call.submit_commit();
        let watched = link.watchdog.begin();
        let committed = self.session().client.batch_execute("COMMIT").await;
        drop(watched);
        match committed {
            Ok(()) if link.rollbacks.load(Ordering::Acquire) != rollbacks => {
                Err(call.refuse(failed_before()))
            }
            Ok(()) => call.done(),
            Err(_) if link.watchdog.has_bitten() => {
                Err(call.fail(Failure::Late(Late::GivenUp)).await)
            }
            Err(error) => Err(call.fail(Failure::Native(error)).await),
        }
    }

    pub(crate) async fn run_rollback(&self, deadline: Deadline) -> Result<()> {
        let bound = Deadline::after(Instant::now(), ROLLBACK_BOUND).earlier(deadline);
        // Past the deadline it is sent all the same, and has a moment: it is a clean-up.
        let bound = if bound.has_passed(Instant::now()) {
            Deadline::after(Instant::now(), Duration::from_secs(1))
        } else {
            bound
        };
        let mut call = Call::open_to_end(self.session(), bound)?;
        // The status is not that of the transaction while BEGIN is under way.
        let sent = self.session().opening.clear() == Phase::Sent;
        if !sent && self.session().is_alone() && self.session().link.status() == IDLE {
            return call.done();
        }
        call.submit_harmless();
        match call
            .in_time(self.session().client.batch_execute("ROLLBACK"))
            .await
        {
            Some(Ok(())) => call.done(),
            Some(Err(error)) => Err(call.fail(Failure::Native(error)).await),
            None => {
                // The server rolls back when the connection is gone.
                self.session().kill().await;
                Err(call.fail(Failure::Late(Late::GivenUp)).await)
            }
        }
    }
}

fn failed_before() -> Error {
    Error::new(
        Class::Closed,
        "The transaction was not committed but rolled back, because a statement in it had failed.",
    )
    .with_hint("Return the statement's error, or set a savepoint before a statement that may fail.")
    .with_effect(Effect::RolledBack)
}
