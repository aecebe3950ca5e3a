use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// A statement that takes longer than this would make others wait behind it.
const SLOW: Duration = Duration::from_millis(10);
/// Penalty points for a slow run. A quick run takes one point away, so a single run that was
/// slow by chance changes nothing.
const PENALTY: u8 = 4;
/// A statement with more points than this runs alone.
const TOLERATED: u8 = 4;
/// Upper bound of the points.
const MAX_POINTS: u8 = 12;

/// Recent speed of each statement, by its text. Bounded: a program that writes values into its SQL
/// loses all entries now and then.
#[derive(Default)]
pub(crate) struct StatementSpeeds(RwLock<HashMap<Box<str>, Arc<StatementSpeed>>>);

/// Maximum number of statements that are remembered.
const MAX_STATEMENTS: usize = 1024;

/// Recent speed of one statement.
#[derive(Debug)]
pub(crate) struct StatementSpeed {
    /// Whether the statement's text allows it to share a connection.
    shares: bool,
    points: AtomicU8,
}

impl StatementSpeeds {
    /// Returns the entry of a statement. `shares` examines the text of a new one.
    pub(crate) fn of(&self, sql: &str, shares: impl FnOnce(&str) -> bool) -> Arc<StatementSpeed> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(speed) = known.get(sql) {
            return Arc::clone(speed);
        }
        drop(known);
        let speed = Arc::new(StatementSpeed::new(shares(sql)));
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_STATEMENTS {
            known.clear();
        }
        Arc::clone(known.entry(sql.into()).or_insert(speed))
    }
}

impl StatementSpeed {
    fn new(shares: bool) -> Self {
        // The speed is not known before the first run, which is therefore made alone.
        StatementSpeed {
            shares,
            points: AtomicU8::new(TOLERATED + 1),
        }
    }

    /// Whether the statement may run in a lane.
    pub(crate) fn is_shared(&self) -> bool {
        self.shares && self.points.load(Relaxed) <= TOLERATED
    }

    /// Records the time that a run of the statement took by itself.
    pub(crate) fn took(&self, time: Duration) {
        let points = self.points.load(Relaxed);
        if time > SLOW {
            self.points
                .store((points + PENALTY).min(MAX_POINTS), Relaxed);
        } else if points > 0 {
            self.points.store(points - 1, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(1);

    #[test]
    fn a_slow_statement_runs_alone_until_it_is_quick_again() {
        let speed = StatementSpeed::new(true);
        assert!(!speed.is_shared(), "nothing is known yet");
        for _ in 0..=TOLERATED {
            speed.took(QUICK);
            assert!(speed.is_shared());
        }
        speed.took(SLOW * 2);
        assert!(speed.is_shared(), "perhaps slow by chance");
        for _ in 0..100 {
            speed.took(SLOW * 2);
            assert!(!speed.is_shared());
        }
        for _ in TOLERATED..MAX_POINTS {
            assert!(!speed.is_shared());
            speed.took(QUICK);
        }
        assert!(speed.is_shared());
    }

    #[test]
    fn a_statement_that_may_not_share_never_does() {
        let speed = StatementSpeed::new(false);
        speed.took(QUICK);
        assert!(!speed.is_shared());
    }

    #[test]
    fn texts_are_examined_once_and_remembered_within_bounds() {
        let speeds = StatementSpeeds::default();
        speeds.of("SELECT 1", |_| true).took(QUICK);
        let again = speeds.of("SELECT 1", |_| panic!("it is known"));
        assert!(again.is_shared());
        for n in 0..3 * MAX_STATEMENTS {
            speeds.of(&format!("SELECT {n}"), |_| true);
        }
        assert!(speeds.0.read().unwrap().len() <= MAX_STATEMENTS);
    }
}
