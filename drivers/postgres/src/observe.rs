//! A server's report about itself: its role, and its position in the history of the database.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use underpin_core::driver::{Call as Asked, ConnectionExt, Observation, Origin};
use underpin_core::{Class, Deadline, Error, Position, Result, Role, Value};

use crate::call::Failure;
use crate::connection::Connection;
use crate::wire::answer::Answer;
use crate::wire::body::Values;

/// Whether the server takes no writes, and the name of its current log file, which begins with the
/// timeline: unlike the control file, it has the new one as soon as the server is promoted. Then
/// its position: how far it has written or replayed, how long ago the latest replayed change was
/// made, where its replay ended, and when it was started. The timeline that a replica receives is
/// read after its replayed position, which is therefore on that timeline or an older one; only
/// users with the rights of `pg_read_all_stats` can read it.
const OBSERVE: &str = "SELECT pg_catalog.pg_is_in_recovery()
        OR pg_catalog.current_setting('default_transaction_read_only')::pg_catalog.bool,
    CASE WHEN NOT pg_catalog.pg_is_in_recovery()
        THEN pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()) END,
    (SELECT system_identifier FROM pg_catalog.pg_control_system()),
    CASE WHEN pg_catalog.pg_is_in_recovery()
        THEN (pg_catalog.pg_last_wal_replay_lsn() - '0/0')::pg_catalog.int8
        ELSE (pg_catalog.pg_current_wal_insert_lsn() - '0/0')::pg_catalog.int8 END,
    (pg_catalog.pg_last_wal_replay_lsn() - '0/0')::pg_catalog.int8,
    (SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver),
    (1000 * extract(epoch FROM pg_catalog.clock_timestamp()
        - pg_catalog.pg_last_xact_replay_timestamp()))::pg_catalog.int8,
    (1000000 * extract(epoch FROM pg_catalog.pg_postmaster_start_time()))::pg_catalog.int8,
    pg_catalog.has_function_privilege('pg_catalog.pg_read_file(text)', 'EXECUTE')";

type Observed = (
    bool,
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i32>,
    Option<i64>,
    Option<i64>,
    bool,
);

/// The same for a server that does not report all of that.
const OBSERVE_ROLE: &str = "SELECT pg_catalog.pg_is_in_recovery()
        OR pg_catalog.current_setting('default_transaction_read_only')::pg_catalog.bool,
    CASE WHEN NOT pg_catalog.pg_is_in_recovery()
        THEN pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()) END";

/// The position of the primary. Commits that did not wait for the disk lie before it too.
const POSITION: &str = "SELECT pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()),
    (pg_catalog.pg_current_wal_insert_lsn() - '0/0')::pg_catalog.int8,
    system_identifier FROM pg_catalog.pg_control_system()";

/// The file in which a server stores the origins of its own timeline.
const HISTORY: &str = "SELECT pg_catalog.pg_read_file($1)";

/// The shared state of the observations in one session.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    latest: Option<Observation>,
    /// The timeline that the server followed when it was a replica.
    followed: Option<u32>,
    /// The origin of its current timeline.
    origin: Option<Origin>,
    /// The timeline whose history was read.
    read: Option<u32>,
    /// Whether the server refused the full report.
    tells_role_only: bool,
}

impl Connection {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        let seen: &Mutex<Seen> = &self.seen;
        seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The latest report of the server on this session, if the session is with the server itself:
    /// behind a pooler, the next statement may meet another session.
    pub(crate) fn latest_observation(&self) -> Option<Observation> {
        self.seen().latest
    }

    pub(crate) async fn run_observe(&self, deadline: Deadline) -> Result<Observation> {
        let mut observation = match self.ask_all(deadline).await? {
            Some((observation, reads_files)) => {
                self.with_origin(observation, reads_files, deadline).await
            }
            None => self.ask_role_and_timeline(deadline).await?,
        };
        self.session().wire.set_role(observation.role);
        let mut seen = self.seen();
        observation.origin = seen.origin;
        if self.session().settings.options.owns_session() {
            if observation.role == Role::Replica && observation.timeline.is_some() {
                seen.followed = observation.timeline;
            }
            seen.latest = Some(observation);
        }
        Ok(observation)
    }

    /// Queries everything. `None` if the server does not report it.
    async fn ask_all(&self, deadline: Deadline) -> Result<Option<(Observation, bool)>> {
        if self.seen().tells_role_only {
            return Ok(None);
        }
        let call = asked(OBSERVE, deadline);
        let rows = match self.query::<Observed>(call, 1).await {
            Ok(rows) => rows,
            Err(error) if is_refusal(&error) => {
                self.seen().tells_role_only = true;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let row = rows.into_iter().next().ok_or_else(no_row)?;
        let (read_only, segment, system, at, replayed, received, ago, started, reads_files) = row;
        let written = segment.as_deref().and_then(timeline_of);
        let mut observation = Observation::new(role(read_only));
        observation.timeline = written.or_else(|| received.and_then(|it| u32::try_from(it).ok()));
        observation.system = system.map(i64::cast_unsigned);
        observation.at = at.map(i64::cast_unsigned);
        observation.server = started.map(i64::cast_unsigned);
        observation.replayed_ago = match written {
            Some(_) => None,
            None => ago.map(|ago| Duration::from_millis(ago.try_into().unwrap_or(0))),
        };
        // It was promoted during this session, and has ended its replay there.
        let mut seen = self.seen();
        if let (Some(written), Some(followed), Some(replayed)) = (written, seen.followed, replayed)
            && followed < written
        {
            seen.origin.get_or_insert(Origin {
                timeline: followed,
                at: replayed.cast_unsigned(),
            });
        }
        Ok(Some((observation, reads_files)))
    }

    /// Adds the origin of its timeline, which is read once, if the user may read it.
    async fn with_origin(
        &self,
        observation: Observation,
        reads_files: bool,
        deadline: Deadline,
    ) -> Observation {
        let timeline = observation.timeline.filter(|timeline| *timeline > 1);
        let Some(timeline) = timeline.filter(|_| reads_files) else {
            return observation;
        };
        if self.seen().read.replace(timeline) == Some(timeline) {
            return observation;
        }
        let file = format!("pg_wal/{timeline:08X}.history");
        let params = [Value::Text(file)];
        let call = Asked {
            params: &params,
            ..asked(HISTORY, deadline)
        };
        // A replica may not have the file yet; the origin is then reported as unknown.
        if let Ok(rows) = self.query::<(String,)>(call, 1).await
            && let Some(origin) = rows.first().and_then(|(text,)| origin_in(text))
        {
            self.seen().origin = Some(origin);
        }
        observation
    }

    async fn ask_role_and_timeline(&self, deadline: Deadline) -> Result<Observation> {
        let call = asked(OBSERVE_ROLE, deadline);
        let rows = self.query::<(bool, Option<String>)>(call, 1).await?;
        let (read_only, segment) = rows.into_iter().next().ok_or_else(no_row)?;
        let mut observation = Observation::new(role(read_only));
        observation.timeline = segment.as_deref().and_then(timeline_of);
        Ok(observation)
    }

    pub(crate) async fn run_position(&self, deadline: Deadline) -> Result<Position> {
        let observation = self.run_observe(deadline).await?;
        match (observation.system, observation.timeline, observation.at) {
            _ if observation.role == Role::Replica => Err(Error::new(
                Class::ReadOnly,
                format!(
                    "The server at {} is a replica, but only a primary has positions.",
                    self.session().endpoint
                ),
            )),
            (Some(system), Some(timeline), Some(at)) => Ok(Position::new(system, timeline, at)),
            _ => Err(untold(&self.session().endpoint.to_string())),
        }
    }

    /// Queries the position behind all earlier messages.
    pub(crate) fn ask_position(&self) -> Result<Answer, Failure> {
        self.session().simple(POSITION)
    }
}

/// Reads the answer to [`Connection::ask_position`].
pub(crate) async fn read_position(mut answer: Answer) -> Result<Option<Position>, Failure> {
    let mut position = None;
    while answer.more().await? {
        while let Some(frame) = answer.next() {
            if frame.tag == b'D' {
                position = Values::new(frame.body).and_then(|values| position_in(&values));
            }
        }
    }
    Ok(position)
}

fn position_in(values: &Values<'_>) -> Option<Position> {
    let text = |index| std::str::from_utf8(values.get(index)??).ok();
    let timeline = timeline_of(text(0)?)?;
    let (at, system): (i64, i64) = (text(1)?.parse().ok()?, text(2)?.parse().ok()?);
    Some(Position::new(
        system.cast_unsigned(),
        timeline,
        at.cast_unsigned(),
    ))
}

/// The error for a server that takes writes but does not report its position.
#[cold]
pub(crate) fn untold(endpoint: &str) -> Error {
    Error::new(
        Class::Unsupported,
        format!("The server at {endpoint} does not show its position to this user."),
    )
    .with_hint("Grant the user EXECUTE on pg_control_system().")
}

fn asked(sql: &str, deadline: Deadline) -> Asked<'_> {
    Asked {
        sql,
        params: &[],
        deadline,
        shared: false,
    }
}

fn role(read_only: bool) -> Role {
    match read_only {
        true => Role::Replica,
        false => Role::Primary,
    }
}

/// The timeline in the name of a log file.
fn timeline_of(segment: &str) -> Option<u32> {
    u32::from_str_radix(segment.get(..8)?, 16).ok()
}

/// The origin of the timeline with this history: its last line has the previous timeline, and the
/// position.
fn origin_in(history: &str) -> Option<Origin> {
    let mut lines = history
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let last = lines.rfind(|line| !line.trim().is_empty())?;
    let mut words = last.split_whitespace();
    let timeline = words.next()?.parse().ok()?;
    let (high, low) = words.next()?.split_once('/')?;
    let (high, low) = (
        u64::from_str_radix(high, 16).ok()?,
        u64::from_str_radix(low, 16).ok()?,
    );
    Some(Origin {
        timeline,
        at: high << 32 | low,
    })
}

/// Whether the server does not know a function, or denies it to the user.
fn is_refusal(error: &Error) -> bool {
    matches!(
        error.class(),
        Class::Permission | Class::Missing | Class::Syntax | Class::Unsupported
    )
}

#[cold]
fn no_row() -> Error {
    Error::new(Class::Protocol, "The server returned no row for its role.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_tells_where_its_timeline_began() {
        let history = "1\t0/3000060\tno recovery target specified\n\n2\t1/A0\tno recovery target\n";
        let origin = Origin {
            timeline: 2,
            at: 1 << 32 | 0xA0,
        };
        assert_eq!(origin_in(history), Some(origin));
        assert_eq!(origin_in("# a comment\n"), None);
        assert_eq!(origin_in("1 nowhere"), None);
    }

    #[test]
    fn the_name_of_a_file_of_the_log_begins_with_the_timeline() {
        assert_eq!(timeline_of("0000000A0000000000000003"), Some(10));
        assert_eq!(timeline_of("0000"), None);
    }
}
