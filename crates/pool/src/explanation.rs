use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use underpin_core::{Class, Error, Stage};

use crate::state::{Holder, Snapshot};

/// So many holders are named in the message of a timeout.
const NAMED: usize = 3;

/// How a call ended without a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitEnd {
    /// Its time was up, as one of so many who waited, perhaps for an attempt to connect.
    TimedOut {
        waiting: usize,
        awaits_connect: bool,
    },
    /// Its time was up while a connection was validated.
    Validating,
    /// The queue was full.
    Full { most: usize },
    /// Its wait was ended to shed load.
    Shed { overload: Duration },
}

/// Why a caller did not get a connection.
#[derive(Debug)]
pub(crate) struct Explanation<'a> {
    pub(crate) name: &'a str,
    pub(crate) end: WaitEnd,
    pub(crate) waited: Duration,
    pub(crate) connecting: Duration,
    pub(crate) validating: Duration,
    pub(crate) pool: Snapshot,
    pub(crate) holders: Vec<Holder>,
    /// With how long ago it was.
    pub(crate) last_error: Option<(Arc<Error>, Duration)>,
}

impl Explanation<'_> {
    /// As an error, with advice.
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

    /// The stage that the wait had come to.
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
                "Give connections back sooner at the places named, allow the pool more \
                 connections, or wait longer."
            }
            Stage::Connect => "Check that the server is up, reachable, and takes connections.",
            _ => "Check that the server still answers on connections that are open.",
        }
    }

    fn write_opening(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, waited) = (self.name, seconds(self.waited));
        match self.end {
            WaitEnd::TimedOut { .. } | WaitEnd::Validating => {
                write!(f, "No connection to {name} was to be had within {waited}: ")?;
            }
            WaitEnd::Full { most } => {
                return write!(
                    f,
                    "No connection to {name} was to be had at once, and the queue for one is \
                     full: {most} callers wait, as many as `max_waiting` allows. "
                );
            }
            WaitEnd::Shed { overload } => write!(
                f,
                "The wait for a connection to {name} was ended after {waited} to shed load, \
                 since the pool has been overloaded for {}: ",
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
                " The pool is paused: it hands nothing out until it is resumed."
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

/// The failure to close within the deadline.
pub(crate) fn not_drained(name: &str, pool: &Snapshot, held: &[Holder]) -> Error {
    let mut message = format!("The pool of {name} was not empty when it had to be closed: ");
    if held.is_empty() {
        message += &format!(
            "{} connections were still being closed or reset.",
            pool.size
        );
    } else {
        let verb = if held.len() == 1 { "is" } else { "are" };
        message += &format!("{} {verb} still held: {}.", held.len(), holders(held, 10));
    }
    Error::new(
        Class::Timeout {
            stage: Stage::Close,
        },
        message,
    )
    .with_hint("Connections that are given back from now on are closed.")
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

/// A length of time as people say it.
fn seconds(length: Duration) -> String {
    if length >= Duration::from_secs(10) {
        format!("{:.1} s", length.as_secs_f64())
    } else if length >= Duration::from_millis(1) {
        format!("{} ms", length.as_millis())
    } else {
        format!("{} µs", length.as_micros())
    }
}
