use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use underpin_core::{Class, Error, Stage};

use crate::state::{Holder, Snapshot};

/// Number of holders that the message of a timeout names.
const NAMED: usize = 3;

/// The way in which a call ended without a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitEnd {
    /// Timed out. `waiting` callers were waiting then, perhaps for an attempt to connect.
    TimedOut {
        waiting: usize,
        awaits_connect: bool,
    },
    /// Timed out while a connection was validated.
    Validating,
    /// The queue was full.
    Full { most: usize },
    /// The wait was canceled to shed load.
    Shed { overload: Duration },
}

/// The reason why a caller did not get a connection.
#[derive(Debug)]
pub(crate) struct Explanation<'a> {
    pub(crate) name: &'a str,
    pub(crate) end: WaitEnd,
    pub(crate) waited: Duration,
    pub(crate) connecting: Duration,
    pub(crate) validating: Duration,
    pub(crate) pool: Snapshot,
    pub(crate) holders: Vec<Holder>,
    /// The latest error of connecting, and its age.
    pub(crate) last_error: Option<(Arc<Error>, Duration)>,
}

impl Explanation<'_> {
    /// Returns an error with a hint.
    pub(crate) fn into_error(self) -> Error {
        let (class, advice) = match self.end {
            WaitEnd::TimedOut { .. } => {
                let stage = self.missing();
                (Class::Timeout { stage }, self.advice(stage))
            }
            WaitEnd::Validating => {
                let stage = Stage::Validate;
                (Class::Timeout { stage }, self.advice(stage))
            }
            WaitEnd::Full { .. } => (
                Class::Busy,
                "Try again later, allow the pool more connections, or let more callers wait.",
            ),
            WaitEnd::Shed { .. } => (
                Class::Busy,
                "Try again later, or allow the pool more connections.",
            ),
        };
        Error::new(class, self.to_string()).with_hint(advice)
    }

    /// The stage in which the wait ended.
    fn missing(&self) -> Stage {
        match self.pool.awaits_connect {
            true => Stage::Connect,
            false => Stage::Queue,
        }
    }

    fn advice(&self, stage: Stage) -> &'static str {
        match stage {
            _ if self.pool.paused => "Resume the pool, or wait longer.",
            Stage::Queue => {
                "Return connections sooner at the places named, allow the pool more \
                 connections, or wait longer."
            }
            Stage::Connect => {
                "Check that the server is running and reachable, and accepts connections."
            }
            _ => "Check that the server still answers on open connections.",
        }
    }

    fn write_opening(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, waited) = (self.name, seconds(self.waited));
        match self.end {
            WaitEnd::TimedOut { .. } | WaitEnd::Validating => {
                write!(
                    f,
                    "Timed out after {waited} waiting for a connection to {name}: "
                )?;
            }
            WaitEnd::Full { most } => {
                return write!(
                    f,
                    "No connection to {name} is available, and the queue for one is \
                     full: {most} callers wait, as many as `max_waiting` allows. "
                );
            }
            WaitEnd::Shed { overload } => write!(
                f,
                "The wait for a connection to {name} was canceled after {waited} to shed load, \
                 because the pool has been overloaded for {}: ",
                seconds(overload)
            )?,
        }
        let validating = self.validating;
        let connecting = self.connecting.min(self.waited.saturating_sub(validating));
        let queue = self
            .waited
            .saturating_sub(connecting)
            .saturating_sub(validating);
        write!(
            f,
            "{} in the queue, {} connecting, {} validating. ",
            seconds(queue),
            seconds(connecting),
            seconds(validating)
        )
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_opening(f)?;
        let pool = &self.pool;
        write!(
            f,
            "The pool has {} of at most {} connections: ",
            pool.size, pool.limit
        )?;
        write!(
            f,
            "{} idle, {} in use, {} being opened",
            pool.idle, pool.in_use, pool.connecting
        )?;
        match pool.lanes {
            0 => {}
            1 => write!(f, ", 1 of them a lane")?,
            lanes => write!(f, ", {lanes} of them lanes")?,
        }
        write!(f, "; {} waiting.", pool.waiting)?;
        if pool.paused {
            write!(
                f,
                " The pool is paused: it leases no connections until it is resumed."
            )?;
        }
        if !self.holders.is_empty() {
            write!(f, " Held longest: {}.", holders(&self.holders, NAMED))?;
        }
        if let Some((error, ago)) = &self.last_error {
            write!(
                f,
                " The last connection error, {} ago: {}",
                seconds(*ago),
                error.message()
            )?;
        }
        Ok(())
    }
}

/// The error of a close that did not complete before the deadline.
pub(crate) fn not_drained(name: &str, pool: &Snapshot, held: &[Holder]) -> Error {
    let mut message = format!("Timed out closing the pool of {name}: ");
    let count = |n: usize| match n {
        1 => "1 connection is".to_owned(),
        n => format!("{n} connections are"),
    };
    if held.is_empty() {
        message += &format!("{} still being closed or reset.", count(pool.size));
    } else {
        let named = holders(held, 10);
        message += &format!("{} still held: {named}.", count(held.len()));
    }
    Error::new(
        Class::Timeout {
            stage: Stage::Close,
        },
        message,
    )
    .with_hint("Connections that are returned from now on are closed.")
}

fn holders(all: &[Holder], named: usize) -> String {
    let mut text: Vec<String> = all
        .iter()
        .take(named)
        .map(|holder| {
            let caller = holder.caller;
            format!(
                "{}:{} for {}",
                caller.file(),
                caller.line(),
                seconds(holder.held)
            )
        })
        .collect();
    if let Some(more) = all.len().checked_sub(named).filter(|more| *more > 0) {
        text.push(format!("and {more} more"));
    }
    text.join(", ")
}

/// Formats a duration with a unit that suits its length.
fn seconds(length: Duration) -> String {
    if length >= Duration::from_secs(10) {
        format!("{:.1} s", length.as_secs_f64())
    } else if length >= Duration::from_millis(1) {
        format!("{} ms", length.as_millis())
    } else {
        format!("{} µs", length.as_micros())
    }
}
