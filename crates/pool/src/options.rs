use std::time::Duration;

use underpin_core::retry::RetryPolicy;
use underpin_core::{Class, Error, Result};

use underpin_core::{HealthCheck, Recycling};

/// The behavior of a pool. Start from [`PoolOptions::default`] and change what differs.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolOptions {
    /// Name of the pool in messages and logs: the endpoint, such as `db1:5432/shop`. Never put a
    /// password here. Default `database`.
    pub name: String,
    /// Number of connections that are kept open, used or not. Default 5.
    pub min: u32,
    /// Maximum number of connections that are kept. Default 20.
    pub max: u32,
    /// Number of further connections that may be opened under load; they are closed when returned.
    /// Default 0.
    pub max_overflow: u32,
    /// Maximum wait of [`Pool::acquire`](crate::Pool::acquire), unless the call sets its own: queue,
    /// connecting and validation together. Default 30 s.
    pub acquire_timeout: Duration,
    /// Maximum duration of one attempt to connect. Default 10 s.
    pub connection_timeout: Duration,
    /// Time after which an unused connection is closed, down to `min`. Default 10 min.
    pub idle_timeout: Duration,
    /// Maximum age of a connection. Each draws its own lifetime when it is opened, evenly from 80 %
    /// to 100 % of this, so that connections opened together do not expire together. If there is
    /// room below `max`, its successor is opened shortly before. Default 30 min.
    pub max_lifetime: Duration,
    /// When a connection is tested before it is leased. Default after 500 ms idle.
    pub health_check: HealthCheck,
    /// Time after which an idle connection that was neither used nor checked is checked in the
    /// background. Default 30 s.
    pub health_check_interval: Duration,
    /// Number of further attempts to connect that a caller waits for, and the waits before them.
    /// Default 3 retries after 1, 2 and 4 s, each spread by 20 %.
    pub retry: RetryPolicy,
    /// Maximum number of concurrent attempts to connect. Default 4.
    pub max_connecting: u32,
    /// Time after which a lease is reported, once, at WARN, with the line of code that asked for it.
    /// It is not ended. Default none: nothing is reported.
    pub leak_threshold: Option<Duration>,
    /// Maximum number of callers waiting for a connection; further callers fail immediately with
    /// `Class::Busy`. At least 1, since a caller waits for a connection that has to be opened.
    /// Default none: any number.
    pub max_waiting: Option<u32>,
    /// Whether waits are ended early under overload. Default none: no wait is cut short.
    pub shedding: Option<Shedding>,
    /// Whether nothing is opened before the first call of `acquire`. Default false.
    pub lazy: bool,
    /// Which session state is undone before a connection goes to the next caller. Default
    /// [`Recycling::Verified`].
    pub recycling: Recycling,
}

/// Limits on the number of a pool's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Number of connections that are kept open, used or not.
    pub min: u32,
    /// Maximum number of connections that are kept once they are idle.
    pub max: u32,
    /// Number of further connections that are opened while callers wait; they are closed when they
    /// are returned and nobody waits any longer.
    pub max_overflow: u32,
}

impl Bounds {
    /// Maximum number of connections at any time.
    pub(crate) fn limit(self) -> usize {
        self.max.saturating_add(self.max_overflow) as usize
    }
}

/// When the pool cancels waits because callers ask for more than it can serve.
///
/// A queue that is empty now and then does its work, which is to absorb bursts. Once callers have
/// been waiting at all times for `interval`, the queue only adds delay: from then on, and until the
/// queue becomes empty without shedding, a wait longer than `target` ends with `Class::Busy`. Waits
/// therefore stay short for the callers that are served, and the others can do something else
/// immediately. The order stays that of arrival, and the last waiter is never turned away. Waits
/// for a server that cannot be reached, or for a paused pool, are not cut short.
///
/// The algorithm is CoDel by Nichols and Jacobson ("Controlling Queue Delay", ACM Queue
/// 10(5), 2012) in the form that Maurer gives it for requests ("Fail at Scale", ACM Queue
/// 13(8), 2015), whose lengths are the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shedding {
    /// The longest wait while the pool is overloaded. Default 5 ms; must be greater than 0.
    pub target: Duration,
    /// Duration for which the queue must not have been empty before the pool counts as overloaded.
    /// Choose it longer than most statements take, and longer than opening a connection takes.
    /// Default 100 ms; at least `target`.
    pub interval: Duration,
}

impl Default for Shedding {
    fn default() -> Self {
        Shedding {
            target: Duration::from_millis(5),
            interval: Duration::from_millis(100),
        }
    }
}

impl Default for PoolOptions {
    fn default() -> Self {
        PoolOptions {
            name: "database".to_owned(),
            min: 5,
            max: 20,
            max_overflow: 0,
            acquire_timeout: Duration::from_secs(30),
            connection_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(10 * 60),
            max_lifetime: Duration::from_secs(30 * 60),
            health_check: HealthCheck::default(),
            health_check_interval: Duration::from_secs(30),
            retry: RetryPolicy::default(),
            max_connecting: 4,
            leak_threshold: None,
            max_waiting: None,
            shedding: None,
            lazy: false,
            recycling: Recycling::default(),
        }
    }
}

impl PoolOptions {
    /// The default options with this name.
    pub fn new(name: impl Into<String>) -> Self {
        PoolOptions {
            name: name.into(),
            ..PoolOptions::default()
        }
    }

    /// The bounds among these options.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            min: self.min,
            max: self.max,
            max_overflow: self.max_overflow,
        }
    }

    /// Checks that the options are consistent.
    ///
    /// # Errors
    /// `Class::Config`; the message names the option and its value.
    pub fn check(&self) -> Result<()> {
        if self.name.is_empty() {
            return Err(wrong("The name of a pool must not be empty."));
        }
        check_bounds(self.bounds())?;
        if self.max_connecting == 0 {
            return Err(wrong(
                "`max_connecting` is 0: no connection could ever be opened.",
            ));
        }
        if self.max_waiting == Some(0) {
            return Err(wrong(
                "`max_waiting` is 0: no caller could wait until a connection is opened.",
            ));
        }
        let shedding = self.shedding.unwrap_or_default();
        if shedding.target > shedding.interval {
            let Shedding { target, interval } = shedding;
            return Err(wrong(format!(
                "`shedding.target` is {target:?}, which is more than `shedding.interval`, \
                 which is {interval:?}."
            )));
        }
        let lengths = [
            ("shedding.target", shedding.target),
            ("acquire_timeout", self.acquire_timeout),
            ("connection_timeout", self.connection_timeout),
            ("idle_timeout", self.idle_timeout),
            ("max_lifetime", self.max_lifetime),
            ("health_check_interval", self.health_check_interval),
            (
                "leak_threshold",
                self.leak_threshold.unwrap_or(Duration::MAX),
            ),
        ];
        for (option, length) in lengths {
            if length.is_zero() {
                return Err(wrong(format!(
                    "`{option}` is 0; it must be greater than 0."
                )));
            }
        }
        if !(0.0..=1.0).contains(&self.retry.jitter) {
            let jitter = self.retry.jitter;
            return Err(wrong(format!(
                "`retry.jitter` is {jitter}; it must be from 0 to 1."
            )));
        }
        Ok(())
    }
}

/// Checks that the bounds are consistent.
pub(crate) fn check_bounds(bounds: Bounds) -> Result<()> {
    let Bounds { min, max, .. } = bounds;
    if max == 0 {
        return Err(wrong(
            "`max` is 0: the pool could never lease a connection.",
        ));
    }
    if min > max {
        return Err(wrong(format!(
            "`min` is {min}, which is more than `max`, which is {max}."
        )));
    }
    Ok(())
}

fn wrong(sentence: impl Into<String>) -> Error {
    Error::new(Class::Config, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut PoolOptions);

    #[test]
    fn each_wrong_option_is_named() {
        let cases: [(&str, Change); 13] = [
            ("name", |o| o.name.clear()),
            ("`max` is 0", |o| (o.min, o.max) = (0, 0)),
            ("`min` is 21", |o| o.min = 21),
            ("max_connecting", |o| o.max_connecting = 0),
            ("acquire_timeout", |o| o.acquire_timeout = Duration::ZERO),
            ("connection_timeout", |o| {
                o.connection_timeout = Duration::ZERO
            }),
            ("idle_timeout", |o| o.idle_timeout = Duration::ZERO),
            ("max_lifetime", |o| o.max_lifetime = Duration::ZERO),
            ("leak_threshold", |o| {
                o.leak_threshold = Some(Duration::ZERO)
            }),
            ("max_waiting", |o| o.max_waiting = Some(0)),
            ("shedding.target` is 0", |o| {
                o.shedding = Some(Shedding {
                    target: Duration::ZERO,
                    ..Shedding::default()
                })
            }),
            ("shedding.interval", |o| {
                o.shedding = Some(Shedding {
                    interval: Duration::ZERO,
                    ..Shedding::default()
                })
            }),
            ("jitter", |o| o.retry.jitter = f64::NAN),
        ];
        for (names, change) in cases {
            let mut options = PoolOptions::default();
            change(&mut options);
            let error = options.check().unwrap_err();
            assert_eq!(error.class(), Class::Config);
            assert!(error.message().contains(names), "{error}");
        }
        PoolOptions::default().check().unwrap();
    }
}
