use std::time::Duration;

/// When waits are ended early because callers ask for more than the pool can give.
///
/// While the queue empties now and then, it does its work, which is to absorb a burst. Once
/// somebody has been waiting at any time for `interval`, it only adds delay: from then on,
/// and until it is empty without that, a wait longer than `target` ends with `Class::Busy`.
/// So the waits of those who are served stay short, and the others can do something else at
/// once.
/// The order stays that of arrival, and the last who waits is never sent away. Waiting for a
/// server that cannot be reached, or for a paused pool, is not cut short.
///
/// The algorithm is CoDel by Nichols and Jacobson ("Controlling Queue Delay", ACM Queue
/// 10(5), 2012) in the form that Maurer gives it for requests ("Fail at Scale", ACM Queue
/// 13(8), 2015), whose lengths are the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shedding {
    /// The longest wait while the pool is overloaded. Default 5 ms; longer than 0.
    pub target: Duration,
    /// For how long the queue must not have been empty for the pool to be overloaded.
    /// Choose it longer than most statements take, and than opening a connection does.
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
