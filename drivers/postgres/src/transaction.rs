use std::pin::pin;
use std::time::{Duration, Instant};

use underpin_core::{Class, Deadline, Effect, Error, Position, Result, TransactionOptions};

use crate::call::{Call, Failure, Late};
use crate::connection::Connection;
use crate::observe::{read_position, untold};
use crate::wire::answer::{Answer, Broken};
use crate::wire::body::command;
use crate::wire::machine::{FAILED, IDLE};
use crate::wire::opening::Phase;
use crate::wire::request::Progress;

/// Time limit for a ROLLBACK if no deadline is given.
const ROLLBACK_BOUND: Duration = Duration::from_secs(30);

fn none_open() -> Error {
    Error::new(Class::Closed, "No transaction is open on this connection.")
}

impl Connection {
    /// Records that a transaction must begin: BEGIN is sent with the first statement.
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
                    "A transaction is already open on this connection.",
                )
                .with_hint("Use a savepoint, or another connection."),
            ));
        }
        let wire = &self.session().wire;
        let native = {
            let mut machine = wire.machine();
            machine.opening.owe(options);
            machine.opening.is_handed_out()
        };
        if !native {
            return call.done();
        }
        call.submit_harmless();
        match call.begin().await {
            Ok(()) => call.done(),
            Err(failure) => {
                wire.machine().opening.clear();
                Err(call.fail(failure).await)
            }
        }
    }

    pub(crate) async fn run_commit(&self) -> Result<()> {
        let Some(call) = self.open_commit().await? else {
            return Ok(());
        };
        let watched = self.session().wire.watchdog.begin();
        let committed = self.session().simple("COMMIT");
        let committed = committed_by(committed).await;
        drop(watched);
        self.conclude(call, committed).await
    }

    /// Commits, and queries the position behind the COMMIT in the same round trip.
    pub(crate) async fn run_commit_with_position(&self) -> Result<Position> {
        let Some(call) = self.open_commit().await? else {
            // A transaction without statements has the current position.
            return self.run_position(Deadline::NONE).await;
        };
        let watched = self.session().wire.watchdog.begin();
        let (committed, behind) = (self.session().simple("COMMIT"), self.ask_position());
        let committed = committed_by(committed).await;
        let position = match behind {
            Ok(answer) if matches!(committed, Ok(true)) => read_position(answer).await,
            Ok(answer) => answer.finish().await.map(|()| None).map_err(Failure::from),
            Err(failure) => Err(failure),
        };
        drop(watched);
        self.conclude(call, committed).await?;
        let endpoint = &self.session().endpoint;
        match position {
            Ok(Some(position)) => Ok(position),
            Ok(None) => Err(untold(&endpoint.to_string()).with_effect(Effect::Applied)),
            Err(_) => Err(Error::new(
                Class::Connect,
                "The transaction was committed, but its position could not be read.",
            )
            .with_effect(Effect::Applied)
            .with_hint("Query the position of the database.")),
        }
    }

    /// Prepares a COMMIT that is sent next; `None` if there is nothing to commit.
    async fn open_commit(&self) -> Result<Option<Call>> {
        let mut call = Call::open_to_end(self.session(), Deadline::NONE)?;
        let wire = &self.session().wire;
        if wire.look().phase == Phase::Sent {
            let _watched = wire.watchdog.begin();
            if let Err(failure) = call.begin().await {
                wire.machine().opening.clear();
                return Err(call.fail(failure).await);
            }
        }
        let was = wire.machine().opening.clear();
        match was {
            // Nothing was sent in it, so there is nothing to commit.
            Phase::Owed => return call.done().map(|()| None),
            Phase::Failed => return Err(call.refuse(failed_before())),
            Phase::Settled | Phase::Sent => {}
        }
        if self.session().is_alone() {
            match wire.look().status {
                IDLE => return Err(call.refuse(none_open())),
                FAILED => {
                    drop(call.refuse(none_open()));
                    self.run_rollback(Deadline::NONE).await?;
                    return Err(failed_before());
                }
                _ => {}
            }
        }
        call.submit_commit();
        Ok(Some(call))
    }

    /// Determines the outcome of a COMMIT.
    async fn conclude(&self, call: Call, committed: Result<bool, Failure>) -> Result<()> {
        let wire = &self.session().wire;
        match committed {
            Ok(true) => call.done(),
            Ok(false) => Err(call.refuse(failed_before())),
            Err(Failure::Broken(Broken::Lost(progress))) if wire.watchdog.has_bitten() => {
                Err(call.fail(Failure::Late(Late::GivenUp(progress))).await)
            }
            Err(failure) => Err(call.fail(failure).await),
        }
    }

    pub(crate) async fn run_rollback(&self, deadline: Deadline) -> Result<()> {
        let bound = Deadline::after(Instant::now(), ROLLBACK_BOUND).earlier(deadline);
        // Past the deadline it is still sent, with a short time limit: it is a cleanup.
        let bound = if bound.has_passed(Instant::now()) {
            Deadline::after(Instant::now(), Duration::from_secs(1))
        } else {
            bound
        };
        let mut call = Call::open_to_end(self.session(), bound)?;
        // The status is not the transaction's while BEGIN is in progress.
        let sent = self.session().wire.machine().opening.clear() == Phase::Sent;
        if !sent && self.session().is_alone() && self.session().wire.look().status == IDLE {
            return call.done();
        }
        call.submit_harmless();
        let mut rollback = pin!(self.session().run_simple("ROLLBACK"));
        match call.in_time(rollback.as_mut()).await {
            Some(Ok(())) => call.done(),
            Some(Err(failure)) => Err(call.fail(failure).await),
            None => {
                // The server rolls back when the connection is gone.
                self.session().kill().await;
                match call.in_time(rollback).await {
                    Some(Ok(())) => call.done(),
                    _ => Err(call
                        .fail(Failure::Late(Late::GivenUp(Progress::Partly)))
                        .await),
                }
            }
        }
    }
}

/// Determines whether the transaction was committed: if a statement had failed in it, the server
/// rolls it back instead, and does not report an error.
async fn committed_by(asked: Result<Answer, Failure>) -> Result<bool, Failure> {
    let mut answer = asked?;
    let mut committed = true;
    while answer.more().await? {
        while let Some(frame) = answer.next() {
            committed &= frame.tag != b'C' || command(frame.body) != b"ROLLBACK";
        }
    }
    Ok(committed)
}

fn failed_before() -> Error {
    Error::new(
        Class::Closed,
        "The transaction was not committed but rolled back, because a statement in it had failed.",
    )
    .with_hint("Return the statement's error, or set a savepoint before a statement that may fail.")
    .with_effect(Effect::RolledBack)
}
