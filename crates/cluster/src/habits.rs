use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// A statement that takes longer than this would have others wait behind it.
const SLOW: Duration = Duration::from_millis(10);
/// What a slow run adds to the doubts about a statement; a quick one takes one away. So one
/// run that was slow by chance changes nothing.
const DOUBT: u8 = 4;
/// With more doubts than these it runs alone.
const TOLERATED: u8 = 4;
/// More doubts than these are not counted.
const MOST_DOUBTS: u8 = 12;

/// What is known of each statement, by its text. Bounded: a program that writes values into
/// its SQL forgets the lot now and then.
#[derive(Default)]
pub(crate) struct Habits(RwLock<HashMap<Box<str>, Arc<Habit>>>);

const MOST: usize = 1024;

/// What is known of one statement.
#[derive(Debug)]
pub(crate) struct Habit {
    /// Whether its text allows it to share a connection.
    shares: bool,
    doubts: AtomicU8,
}

impl Habits {
    /// What is known of a statement; one that is new is looked at by `shares`.
    pub(crate) fn of(&self, sql: &str, shares: impl FnOnce(&str) -> bool) -> Arc<Habit> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(habit) = known.get(sql) {
            return Arc::clone(habit);
        }
        drop(known);
        let habit = Arc::new(Habit::new(shares(sql)));
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        Arc::clone(known.entry(sql.into()).or_insert(habit))
    }
}

impl Habit {
    fn new(shares: bool) -> Self {
        // The first run, of which nothing is known, is made alone.
        Habit {
            shares,
            doubts: AtomicU8::new(TOLERATED + 1),
        }
    }

    /// Whether the statement goes to a lane.
    pub(crate) fn is_shared(&self) -> bool {
        self.shares && self.doubts.load(Relaxed) <= TOLERATED
    }

    /// Notes how long the statement took by itself.
    pub(crate) fn took(&self, time: Duration) {
        let doubts = self.doubts.load(Relaxed);
        if time > SLOW {
            self.doubts
                .store((doubts + DOUBT).min(MOST_DOUBTS), Relaxed);
        } else if doubts > 0 {
            self.doubts.store(doubts - 1, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(1);

    #[test]
    fn what_is_slow_runs_alone_until_it_is_quick_again() {
        let habit = Habit::new(true);
        assert!(!habit.is_shared(), "nothing is known yet");
        for _ in 0..=TOLERATED {
            habit.took(QUICK);
            assert!(habit.is_shared());
        }
        habit.took(SLOW * 2);
        assert!(habit.is_shared(), "slow by chance, perhaps");
        for _ in 0..100 {
            habit.took(SLOW * 2);
            assert!(!habit.is_shared());
        }
        for _ in TOLERATED..MOST_DOUBTS {
            assert!(!habit.is_shared());
            habit.took(QUICK);
        }
        assert!(habit.is_shared());
    }

    #[test]
    fn what_may_not_share_never_does() {
        let habit = Habit::new(false);
        habit.took(QUICK);
        assert!(!habit.is_shared());
    }

    #[test]
    fn texts_are_looked_at_once_and_remembered_within_bounds() {
        let habits = Habits::default();
        habits.of("SELECT 1", |_| true).took(QUICK);
        let again = habits.of("SELECT 1", |_| panic!("it is known"));
        assert!(again.is_shared());
        for n in 0..3 * MOST {
            habits.of(&format!("SELECT {n}"), |_| true);
        }
        assert!(habits.0.read().unwrap().len() <= MOST);
    }
}
