//! Decides about retries, as a pure function: the failure, the number of attempts and the remaining
//! time go in; a retry after a wait, or the end, comes out.

use std::time::Duration;

use crate::error::{Class, Effect, Error};

/// Number of retries of a failed operation, and the waits before them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// Number of retries. Default 3; zero means that nothing is retried.
    pub max_retries: u32,
    /// The wait before the first retry; each further one is twice as long. Default 1 s.
    pub base: Duration,
    /// Maximum wait, before jitter. Default 30 s.
    pub cap: Duration,
    /// Share of itself by which a wait is spread: 0.2 results in 80 % to 120 % of it. Default 0.2;
    /// zero results in exactly 1 s, 2 s, 4 s.
    pub jitter: f64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            max_retries: 3,
            base: Duration::from_secs(1),
            cap: Duration::from_secs(30),
            jitter: 0.2,
        }
    }
}

/// The attempted operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Opening a connection: nothing can have taken effect.
    Connect,
    /// A statement outside a transaction.
    Statement {
        /// Whether the caller has declared that running it twice is as good as once.
        idempotent: bool,
    },
}

/// The decision after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Retry after this wait.
    Retry {
        /// Wait before the retry.
        after: Duration,
    },
    /// Return the error to the caller.
    GiveUp(Reason),
}

/// The reason why a failure is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The same attempt would fail the same way: a password, a permission, a syntax error.
    Permanent,
    /// It may have taken effect, and was not declared idempotent.
    MayHaveTakenEffect,
    /// All retries are used up.
    Exhausted,
    /// The wait would exceed the caller's deadline.
    Deadline,
}

impl RetryPolicy {
    /// Never retries.
    pub const NEVER: RetryPolicy = RetryPolicy {
        max_retries: 0,
        base: Duration::ZERO,
        cap: Duration::ZERO,
        jitter: 0.0,
    };

    /// Decides after the failure of attempt `attempt` (the first is 0) with `remaining` time until
    /// the caller's deadline. `random` in 0..1 chooses the jitter.
    pub fn decide(
        &self,
        attempt: u32,
        error: &Error,
        operation: Operation,
        remaining: Option<Duration>,
        random: f64,
    ) -> Decision {
        if !is_transient(error, operation) {
            return Decision::GiveUp(Reason::Permanent);
        }
        if !is_safe(error.effect(), operation) {
            return Decision::GiveUp(Reason::MayHaveTakenEffect);
        }
        if attempt >= self.max_retries {
            return Decision::GiveUp(Reason::Exhausted);
        }
        let after = self.wait(attempt, random);
        if remaining.is_some_and(|left| left <= after) {
            return Decision::GiveUp(Reason::Deadline);
        }
        Decision::Retry { after }
    }

    /// The wait before retry number `retry` (the first is 0): `base · 2^retry`, at most
    /// `cap`, spread by `jitter` evenly to both sides.
    pub fn wait(&self, retry: u32, random: f64) -> Duration {
        let doubled = self
            .base
            .saturating_mul(2u32.saturating_pow(retry))
            .min(self.cap);
        doubled.mul_f64((1.0 + self.jitter * (2.0 * random - 1.0)).max(0.0))
    }
}

fn is_transient(error: &Error, operation: Operation) -> bool {
    match error.class() {
        Class::Connect | Class::Busy | Class::Conflict | Class::Resource => true,
        Class::Timeout { .. } => operation == Operation::Connect,
        _ => false,
    }
}

fn is_safe(effect: Effect, operation: Operation) -> bool {
    match (operation, effect) {
        (Operation::Connect, _) => true,
        (_, Effect::NotSent | Effect::RolledBack) => true,
        (Operation::Statement { idempotent }, Effect::Unknown) => idempotent,
        (Operation::Statement { .. }, Effect::Applied) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXACT: RetryPolicy = RetryPolicy {
        max_retries: 3,
        base: Duration::from_secs(1),
        cap: Duration::from_secs(30),
        jitter: 0.0,
    };

    fn error(class: Class, effect: Effect) -> Error {
        Error::new(class, "It failed.").with_effect(effect)
    }

    #[test]
    fn waits_are_one_two_four_seconds_and_then_no_more() {
        let lost = error(Class::Connect, Effect::NotSent);
        let waits: Vec<Decision> = (0..4)
            .map(|n| EXACT.decide(n, &lost, Operation::Connect, None, 0.5))
            .collect();
        let retry = |s| Decision::Retry {
            after: Duration::from_secs(s),
        };
        assert_eq!(
            waits,
            [
                retry(1),
                retry(2),
                retry(4),
                Decision::GiveUp(Reason::Exhausted)
            ]
        );
    }

    #[test]
    fn login_permission_syntax_and_configuration_are_never_retried() {
        for class in [
            Class::Auth,
            Class::Permission,
            Class::Syntax,
            Class::Config,
            Class::NotFound,
        ] {
            let decision = EXACT.decide(
                0,
                &error(class, Effect::NotSent),
                Operation::Connect,
                None,
                0.5,
            );
            assert_eq!(decision, Decision::GiveUp(Reason::Permanent), "{class:?}");
        }
    }

    #[test]
    fn statements_that_may_have_taken_effect_are_repeated_only_if_declared_idempotent() {
        let cases = [
            (Effect::NotSent, false, true),
            (Effect::RolledBack, false, true),
            (Effect::Unknown, false, false),
            (Effect::Unknown, true, true),
            (Effect::Applied, true, false),
        ];
        for (effect, idempotent, retried) in cases {
            let decision = EXACT.decide(
                0,
                &error(Class::Connect, effect),
                Operation::Statement { idempotent },
                None,
                0.5,
            );
            assert_eq!(
                matches!(decision, Decision::Retry { .. }),
                retried,
                "{effect:?} {idempotent}"
            );
        }
    }

    #[test]
    fn no_wait_passes_the_deadline_or_the_cap() {
        let lost = error(Class::Connect, Effect::NotSent);
        let late = EXACT.decide(
            0,
            &lost,
            Operation::Connect,
            Some(Duration::from_secs(1)),
            0.5,
        );
        assert_eq!(late, Decision::GiveUp(Reason::Deadline));
        assert_eq!(EXACT.wait(31, 0.5), Duration::from_secs(30));
        assert_eq!(EXACT.wait(u32::MAX, 0.5), Duration::from_secs(30));
    }

    #[test]
    fn jitter_spreads_to_both_sides() {
        let policy = RetryPolicy {
            jitter: 0.2,
            ..EXACT
        };
        assert_eq!(policy.wait(0, 0.0), Duration::from_millis(800));
        assert_eq!(policy.wait(0, 0.5), Duration::from_secs(1));
        assert!(policy.wait(0, 0.999) < Duration::from_millis(1200));
    }
}
