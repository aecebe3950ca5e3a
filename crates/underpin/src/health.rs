use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::time::{Duration, Instant};

use underpin_cluster::{Cluster, MemberState, Sign};
use underpin_core::{Engine, Error, Result};

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
    /// Its members: each host, or SQLite's writer and its readers. Empty for an engine with a pool
    /// of its own.
    pub members: Vec<MemberState>,
}

/// Whether a database answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// It answered, and so do all of its hosts.
    Healthy,
    /// It answered, but one of its hosts does not.
    Degraded,
    /// It answers, but every connection of the pool is in use.
    Busy,
    /// It did not answer.
    Unhealthy,
}

/// A health check waits this long at the most where no shorter deadline was set.
const BOUND: Duration = Duration::from_secs(5);

impl Database {
    /// Asks whether the database answers, now: a round trip on a connection of the pool, or on one
    /// of its own where all of the pool's are in use; without retries, within 5 s or the handle's
    /// deadline.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> underpin::Result<()> {
    /// # let db = underpin::Database::connect("sqlite::memory:").await?;
    /// let health = db.health().await;
    /// assert!(health.is_healthy());
    /// println!("{health}"); // sqlite :memory: is healthy, answered in 41.2µs
    /// # Ok(())
    /// # }
    /// ```
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
        let cluster = self.shared.backend.cluster();
        let members = cluster.map(Cluster::members).unwrap_or_default();
        let all_answer = members.iter().all(|member| member.error.is_none());
        let status = match &answer {
            Ok(Sign::Pooled) if waiting == 0 && all_answer => Status::Healthy,
            Ok(Sign::Pooled) if waiting == 0 => Status::Degraded,
            Ok(_) => Status::Busy,
            Err(_) => Status::Unhealthy,
        };
        Health {
            status,
            response_time: answer.is_ok().then_some(took),
            engine: self.engine(),
            endpoint: crate::connect::whereabouts(&self.config()),
            error: answer.err(),
            members,
        }
    }

    async fn answers(&self, place: &'static Location<'static>) -> Result<Sign> {
        let wait = self.options.deadline.map_or(BOUND, |wait| wait.min(BOUND));
        let handle = self.deadline(wait).retries(0)?;
        let deadline = handle.options.deadline_from(Instant::now());
        match handle.shared.backend.cluster() {
            Some(cluster) => cluster.sign_of_life(handle.options, deadline, place).await,
            None => {
                let answer = handle.shared.backend.ping(handle.options, place).await;
                answer.map(|()| Sign::Pooled)
            }
        }
    }
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
            Status::Degraded => "degraded",
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
        if let Some(error) = &self.error {
            write!(f, ": {error}")?;
        }
        for member in &self.members {
            if let Some(error) = &member.error {
                let lasting = member.lasting.unwrap_or_default();
                let endpoint = &member.endpoint;
                write!(
                    f,
                    "; {endpoint} has not answered for {lasting:.0?}: {error}"
                )?;
            }
        }
        Ok(())
    }
}
