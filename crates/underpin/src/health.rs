use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::time::{Duration, Instant};

use underpin_core::{Class, Engine, Error, Result};

use crate::database::Database;

/// Whether a database answers, as of one moment.
#[derive(Debug)]
#[non_exhaustive]
pub struct Health {
    /// Whether it answers.
    pub status: Status,
    /// How long the answer took, the wait for a connection included; none where it did
    /// not come.
    pub response_time: Option<Duration>,
    /// The engine.
    pub engine: Engine,
    /// Where the database is, without secrets.
    pub endpoint: String,
    /// Why it did not answer.
    pub error: Option<Error>,
}

/// Whether a database answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// It answered.
    Healthy,
    /// It answers, but every connection of the pool is in use and others wait.
    Busy,
    /// It did not answer.
    Unhealthy,
}

/// A health check waits this long at the most where no shorter deadline was set.
const BOUND: Duration = Duration::from_secs(5);

impl Database {
    /// Asks whether the database answers, now: a round trip on a connection of the pool,
    /// without retries, within 5 s or the handle's deadline.
    ///
    /// # Cancel safety
    /// Safe.
    #[track_caller]
    pub fn health(&self) -> impl Future<Output = Health> + Send {
        self.health_at(Location::caller())
    }

    pub(crate) async fn health_at(&self, place: &'static Location<'static>) -> Health {
        let begun = Instant::now();
        let answer = self.answers(place).await;
        let took = begun.elapsed();
        let waiting = self.metrics().waiting;
        let status = match &answer {
            Ok(()) if waiting == 0 => Status::Healthy,
            Ok(()) => Status::Busy,
            Err(error) if is_crowded(error) => Status::Busy,
            Err(_) => Status::Unhealthy,
        };
        Health {
            status,
            response_time: answer.is_ok().then_some(took),
            engine: self.engine(),
            endpoint: crate::connect::whereabouts(&self.config()),
            error: answer.err(),
        }
    }

    async fn answers(&self, place: &'static Location<'static>) -> Result<()> {
        let wait = self.options.deadline.map_or(BOUND, |wait| wait.min(BOUND));
        let handle = self.deadline(wait).retries(0)?;
        let deadline = handle.options.deadline_from(Instant::now());
        handle.ping_within(deadline, place).await
    }
}

/// Whether the pool had nothing to give because all of it is in use: the server was not
/// even asked.
fn is_crowded(error: &Error) -> bool {
    matches!(
        error.class(),
        Class::Busy
            | Class::Timeout {
                stage: underpin_core::Stage::Queue
            }
    )
}

impl Health {
    /// Whether the database answers.
    pub fn is_healthy(&self) -> bool {
        self.status != Status::Unhealthy
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Status::Healthy => "healthy",
            Status::Busy => "busy",
            Status::Unhealthy => "unhealthy",
        })
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} is {}", self.engine, self.endpoint, self.status)?;
        if let Some(took) = self.response_time {
            write!(f, ", answered in {took:.1?}")?;
        }
        match &self.error {
            Some(error) => write!(f, ": {error}"),
            None => Ok(()),
        }
    }
}
