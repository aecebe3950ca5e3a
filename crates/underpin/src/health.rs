use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::time::{Duration, Instant};

use serde::{Serialize, Serializer};
use underpin_cluster::{Cluster, MemberState, Sign};
use underpin_core::{Class, Engine, Error, Result, Role};

use crate::database::Database;

/// The health of a database at one point in time. Its serialized form contains no secrets; times
/// are in milliseconds, and `lasting_s` in seconds.
#[derive(Debug)]
#[non_exhaustive]
pub struct Health {
    /// Whether the database answers.
    pub status: Status,
    /// Time until the answer, including the wait for a connection; `None` without an answer.
    pub response_time: Option<Duration>,
    /// The engine.
    pub engine: Engine,
    /// Endpoint of the database, without secrets.
    pub endpoint: String,
    /// Reason why it did not answer.
    pub error: Option<Error>,
    /// Its members: each host, or SQLite's writer and readers. Empty for an engine with a pool of
    /// its own.
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

/// Time limit of a health check if no shorter deadline is set.
const BOUND: Duration = Duration::from_secs(5);

impl Database {
    /// Checks now whether the database answers: a round trip on a connection of the pool, or on a
    /// separate connection if all connections of the pool are in use; without retries, within 5 s
    /// or the handle's deadline.
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

    /// Whether the service can take requests: the database answers. For a readiness probe, which
    /// keeps requests away until it does.
    pub fn is_ready(&self) -> bool {
        self.is_healthy()
    }

    /// Whether the service should continue to run. It should while the database is away, since a
    /// restart of the service would not bring the database back. False once the database was closed
    /// in this process. For a liveness probe.
    pub fn is_live(&self) -> bool {
        let class = self.error.as_ref().map(Error::class);
        class != Some(Class::Closed)
    }
}

/// The serialized form of a health.
#[derive(Serialize)]
struct Shown<'h> {
    status: String,
    ready: bool,
    live: bool,
    engine: &'h str,
    endpoint: &'h str,
    response_time_ms: Option<f64>,
    error: Option<String>,
    members: Vec<ShownMember<'h>>,
}

#[derive(Serialize)]
struct ShownMember<'h> {
    endpoint: String,
    role: &'static str,
    latency_ms: Option<f64>,
    lag_bytes: Option<u64>,
    lag_ms: Option<f64>,
    set_aside: bool,
    error: Option<&'h str>,
    lasting_s: Option<f64>,
    pool_size: usize,
    active_connections: usize,
    waiting: usize,
}

impl Serialize for Health {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        let member = |member: &'_ MemberState| ShownMember {
            endpoint: member.endpoint.to_string(),
            role: match member.role {
                Some(Role::Primary) => "primary",
                Some(Role::Replica) => "replica",
                None => "unknown",
            },
            latency_ms: member.latency.map(millis),
            lag_bytes: member.lag,
            lag_ms: member.lag_time.map(millis),
            set_aside: member.set_aside,
            error: None,
            lasting_s: member.lasting.map(|lasting| lasting.as_secs_f64()),
            pool_size: member.pool.size,
            active_connections: member.pool.in_use,
            waiting: member.pool.waiting,
        };
        let members = self.members.iter().map(|state| ShownMember {
            error: state.error.as_deref(),
            ..member(state)
        });
        let shown = Shown {
            status: self.status.to_string(),
            ready: self.is_ready(),
            live: self.is_live(),
            engine: self.engine.name(),
            endpoint: &self.endpoint,
            response_time_ms: self.response_time.map(millis),
            error: self.error.as_ref().map(ToString::to_string),
            members: members.collect(),
        };
        shown.serialize(serializer)
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
