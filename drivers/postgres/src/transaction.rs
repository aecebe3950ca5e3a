use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use underpin_core::{Class, Deadline, Effect, Error, Isolation, Result, TransactionOptions};

use crate::call::{Call, Failure, Late};
use crate::connection::Connection;
use crate::link::{FAILED, IDLE};

/// How long that to a ROLLBACK is, where no deadline is given.
const ROLLBACK_BOUND: Duration = Duration::from_secs(30);

fn begin_statement(options: TransactionOptions) -> String {
    let mut statement = String::from("BEGIN");
    statement.push_str(match options.isolation {
        None => "",
        Some(Isolation::ReadCommitted) => " ISOLATION LEVEL READ COMMITTED",
        Some(Isolation::RepeatableRead) => " ISOLATION LEVEL REPEATABLE READ",
        Some(Isolation::Serializable) => " ISOLATION LEVEL SERIALIZABLE",
    });
    if options.read_only {
        statement.push_str(" READ ONLY");
    }
    if options.deferrable {
        statement.push_str(" DEFERRABLE");
    }
    statement
}

fn none_open() -> Error {
    Error::new(Class::Closed, "No transaction is open on this connection.")
}

impl Connection {
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
        call.submit_harmless();
        let statement = begin_statement(options);
        match call
            .wait(pin!(self.session().client.batch_execute(&statement)))
            .await
        {
            Ok(()) => call.done(),
            Err(failure) => Err(call.fail(failure).await),
        }
    }

    pub(crate) async fn run_commit(&self) -> Result<()> {
        let mut call = Call::open(self.session(), Deadline::NONE)?;
        let link = &self.session().link;
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
        let mut call = Call::open(self.session(), bound)?;
        if self.session().is_alone() && self.session().link.status() == IDLE {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_spelled_out() {
        assert_eq!(begin_statement(TransactionOptions::default()), "BEGIN");
        let options = TransactionOptions {
            isolation: Some(Isolation::Serializable),
            read_only: true,
            deferrable: true,
        };
        assert_eq!(
            begin_statement(options),
            "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE"
        );
    }
}
