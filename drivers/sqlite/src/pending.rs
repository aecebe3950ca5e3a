use std::any::Any;
use std::future::Future;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{timeout, timeout_at};
use underpin_core::{Class, Deadline, Effect, Error, Result, Stage};

use crate::shared::{Shared, Stopped};

/// Maximum time for an interrupted statement to end. SQLite checks every few microseconds; only a
/// disk that does not respond takes longer.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

type Outcome<R> = Result<Result<R>, Box<dyn Any + Send>>;

/// The answer to a job. If it is dropped before the answer arrives, the job is stopped.
pub(crate) struct Pending<R> {
    id: u64,
    answer: oneshot::Receiver<Outcome<R>>,
    shared: Arc<Shared>,
    over: bool,
}

impl<R> Pending<R> {
    pub(crate) fn new(id: u64, answer: oneshot::Receiver<Outcome<R>>, shared: Arc<Shared>) -> Self {
        Pending {
            id,
            answer,
            shared,
            over: false,
        }
    }

    /// Waits for the answer. Past the deadline the job is interrupted, and its outcome is awaited.
    pub(crate) async fn by(mut self, deadline: Deadline) -> Result<R> {
        let outcome = match deadline.instant() {
            None => Ok((&mut self.answer).await),
            Some(at) => timeout_at(at.into(), &mut self.answer).await,
        };
        match outcome {
            Ok(outcome) => self.open(outcome),
            Err(_) => self.stop().await,
        }
    }

    /// Waits for the answer to a job that is not stopped, even if this is dropped.
    pub(crate) async fn uninterrupted(mut self, bound: Duration) -> Result<R> {
        self.over = true;
        match timeout(bound, &mut self.answer).await {
            Ok(outcome) => self.open(outcome),
            Err(_) => Err(self.no_answer(bound)),
        }
    }

    async fn stop(mut self) -> Result<R> {
        if self.shared.stop(self.id) == Stopped::Withdrawn {
            self.over = true;
            return Err(Error::new(
                Class::Timeout {
                    stage: Stage::Statement,
                },
                "The deadline passed before the statement began because the SQLite connection was busy with another statement.",
            ));
        }
        match timeout(GRACE, &mut self.answer).await {
            Ok(outcome) => self.open(outcome).map_err(passed_deadline),
            Err(_) => {
                self.over = true;
                Err(self.no_answer(GRACE))
            }
        }
    }

    /// Waits for further output of a job, within the deadline. `Err` means that the deadline passed
    /// and the job has been stopped.
    pub(crate) async fn within<O>(
        &self,
        deadline: Deadline,
        wait: impl Future<Output = O>,
    ) -> Result<O, PastDeadline> {
        let Some(at) = deadline.instant() else {
            return Ok(wait.await);
        };
        timeout_at(at.into(), wait).await.map_err(|_| {
            self.shared.stop(self.id);
            PastDeadline
        })
    }

    fn open(&mut self, outcome: Result<Outcome<R>, oneshot::error::RecvError>) -> Result<R> {
        self.over = true;
        match outcome {
            Ok(Ok(answer)) => answer,
            // A panic of a caller's `FromRow` or closure is passed to that caller.
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_) => {
                self.shared.set_broken();
                Err(Error::new(
                    Class::Connect,
                    "The SQLite connection was lost while the statement ran: the thread that held it has ended.",
                )
                .with_effect(Effect::Unknown))
            }
        }
    }

    fn no_answer(&self, bound: Duration) -> Error {
        self.shared.set_broken();
        Error::new(
            Class::Timeout { stage: Stage::Statement },
            format!("SQLite did not answer within {bound:?}, not even to an interrupt; the connection is abandoned."),
        )
        .with_effect(Effect::Unknown)
        .with_hint("Check the disk that holds the database file: it seems to hang.")
    }
}

impl<R> Drop for Pending<R> {
    fn drop(&mut self) {
        if !self.over {
            self.shared.stop(self.id);
        }
    }
}

/// The deadline passed, and the job has been stopped.
#[derive(Debug)]
pub(crate) struct PastDeadline;

/// The error of an interrupted job.
pub(crate) fn passed_deadline(error: Error) -> Error {
    if error.class() != Class::Canceled {
        return error;
    }
    Error::new(
        Class::Timeout {
            stage: Stage::Statement,
        },
        "The statement was interrupted because its deadline passed while it ran.",
    )
    .with_effect(error.effect())
    .with_source(error)
}
