use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use underpin_core::{Class, Error, Stage};

use crate::state::{Holder, Snapshot};

/// So many holders are named in the message of a timeout.
const NAMED: usize = 3;

/// Why a caller did not get a connection in time.
#[derive(Debug)]
pub(crate) struct Explanation<'a> {
    pub(crate) name: &'a str,
    pub(crate) stage: Stage,
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
        let error = Error::new(Class::Timeout { stage: self.stage }, self.to_string());
        let advice = match self.stage {
            Stage::Queue => {
                "Give connections back sooner at the places named, allow the pool more \
                 connections, or wait longer."
            }
            Stage::Connect => "Check that the server is up, reachable, and takes connections.",
            _ => "Check that the server still answers on connections that are open.",
        };
        error.with_hint(advice)
    }
}

impl fmt::Display for Explanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Explanation {
            name,
            waited,
            connecting,
            validating,
            pool,
            ..
        } = self;
        let connecting = (*connecting).min(waited.saturating_sub(*validating));
        let queue = waited
            .saturating_sub(connecting)
            .saturating_sub(*validating);
        write!(
            f,
            "No connection to {name} was to be had within {}: ",
            seconds(*waited)
        )?;
        write!(
            f,
            "{} in the queue, {} connecting, ",
            seconds(queue),
            seconds(connecting)
        )?;
        write!(f, "{} validating. ", seconds(*validating))?;
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
            let place = holder.place;
            format!(
                "{}:{} for {}",
                place.file(),
                place.line(),
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
