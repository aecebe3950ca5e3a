//! The server's verdicts on the names in a text: whether any of them stands for a user's code,
//! which could change the session unseen.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::leaves::names;
use crate::session::Session;
use crate::wire::body::Values;

/// Time for which an answer holds, since other clients may change the schema.
const HOLDS: Duration = Duration::from_secs(5);
/// Maximum number of texts that are remembered.
const MOST: usize = 1024;

/// The verdicts on texts that a connector's connections have sent.
#[derive(Debug)]
pub(crate) struct Verdicts {
    origin: Instant,
    /// Increases with each change of the schema by this client.
    epoch: AtomicU64,
    known: Mutex<HashMap<Box<str>, Arc<Verdict>>>,
}

/// The verdict on one text.
#[derive(Debug)]
pub(crate) struct Verdict {
    sql: Box<str>,
    /// The epoch in which the server found no user's code, and the time until which that holds, in
    /// milliseconds after the origin.
    epoch: AtomicU64,
    good_until: AtomicU64,
    /// The epoch of the latest query, counted from one, and the time of the next one.
    asked_in: AtomicU64,
    ask_after: AtomicU64,
}

impl Default for Verdicts {
    fn default() -> Self {
        Verdicts {
            origin: Instant::now(),
            epoch: AtomicU64::new(0),
            known: Mutex::default(),
        }
    }
}

impl Verdicts {
    /// The known or future verdict on a text.
    pub(crate) fn of(&self, sql: &str) -> Arc<Verdict> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(verdict) = known.get(sql) {
            return Arc::clone(verdict);
        }
        if known.len() >= MOST {
            known.clear();
        }
        let verdict = Arc::new(Verdict {
            sql: sql.into(),
            epoch: AtomicU64::new(0),
            good_until: AtomicU64::new(0),
            asked_in: AtomicU64::new(0),
            ask_after: AtomicU64::new(0),
        });
        known.insert(sql.into(), Arc::clone(&verdict));
        verdict
    }

    /// Forgets all verdicts, since the schema may have changed.
    pub(crate) fn clear(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    fn millis(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.origin);
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether a statement leaves the session unchanged, as far as that is known at that time.
    pub(crate) fn holds(&self, verdict: &Verdict, at: Instant) -> bool {
        verdict.epoch.load(Ordering::Acquire) == self.epoch()
            && verdict.good_until.load(Ordering::Acquire) > self.millis(at)
    }

    /// Whether a query is due; if so, it counts as sent.
    fn is_due(&self, verdict: &Verdict, at: Instant) -> bool {
        let number = self.epoch() + 1;
        let is_first = verdict.asked_in.swap(number, Ordering::AcqRel) != number;
        let due = is_first || self.millis(at) >= verdict.ask_after.load(Ordering::Acquire);
        if due {
            let next = self.millis(at + HOLDS);
            verdict.ask_after.store(next, Ordering::Release);
        }
        due
    }

    /// Records the server's answer to a query in this epoch.
    fn note(&self, verdict: &Verdict, good: bool, epoch: u64, at: Instant) {
        let until = match good {
            true => self.millis(at + HOLDS),
            false => 0,
        };
        verdict.good_until.store(0, Ordering::Release);
        verdict.epoch.store(epoch, Ordering::Release);
        verdict.good_until.store(until, Ordering::Release);
    }
}

/// Queries the server about those texts for which a query is due, and does not wait. Later messages
/// on the connection are answered behind it.
pub(crate) fn ask(session: &Arc<Session>, verdicts: Vec<Arc<Verdict>>) {
    let known = &session.settings.verdicts;
    let now = Instant::now();
    let mut due = verdicts;
    due.retain(|verdict| known.is_due(verdict, now));
    if due.is_empty() {
        return;
    }
    let Ok(runtime) = Handle::try_current() else {
        return;
    };
    // Before the query, so that a change that the query does not see yet is in another epoch.
    let epoch = known.epoch();
    let Ok(mut answer) = session.simple(&question(&due)) else {
        return;
    };
    let known = Arc::clone(known);
    runtime.spawn(async move {
        while let Ok(true) = answer.more().await {
            while let Some(frame) = answer.next() {
                if frame.tag != b'D' {
                    continue;
                }
                let Some(values) = Values::new(frame.body) else {
                    continue;
                };
                let text = |at| {
                    values
                        .get(at)
                        .flatten()
                        .and_then(|it| str::from_utf8(it).ok())
                };
                let number = text(0).and_then(|number| number.parse::<usize>().ok());
                if let Some(verdict) = number.and_then(|number| due.get(number)) {
                    known.note(verdict, text(1) == Some("t"), epoch, now);
                }
            }
        }
    });
}

/// Returns for each text its number, and whether nothing in it can be a user's code: no name in it
/// is that of a user's function, view, table with policies or domain, and no operator, cast or
/// operator class leads to a function in a language other than C.
fn question(verdicts: &[Arc<Verdict>]) -> String {
    let mut texts = String::new();
    for (number, verdict) in verdicts.iter().enumerate() {
        let names: Vec<String> = names(&verdict.sql)
            .iter()
            .map(|name| quoted(name))
            .collect();
        let comma = if number == 0 { "" } else { ", " };
        texts.push_str(&format!(
            "{comma}({number}, ARRAY[{}]::name[])",
            names.join(",")
        ));
    }
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL search_path TO pg_catalog; \
         WITH code AS (SELECT p.oid FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang \
             WHERE p.oid >= {FIRST} AND l.lanname NOT IN ('internal', 'c')) \
         SELECT asked.number, \
             NOT EXISTS (SELECT FROM pg_operator WHERE oprcode IN (SELECT oid FROM code)) \
             AND NOT EXISTS (SELECT FROM pg_cast WHERE castfunc IN (SELECT oid FROM code)) \
             AND NOT EXISTS (SELECT FROM pg_amproc WHERE amproc IN (SELECT oid FROM code)) \
             AND NOT EXISTS (SELECT FROM pg_proc \
                 WHERE proname = ANY (asked.names) AND oid >= {FIRST}) \
             AND NOT EXISTS (SELECT FROM pg_class \
                 WHERE relname = ANY (asked.names) AND oid >= {FIRST} \
                 AND (relkind NOT IN ('r', 'p', 'm', 't', 'S', 'i', 'I') OR relrowsecurity)) \
             AND NOT EXISTS (SELECT FROM pg_type \
                 WHERE typname = ANY (asked.names) AND oid >= {FIRST} AND typtype = 'd') \
         FROM (VALUES {texts}) AS asked (number, names); COMMIT"
    )
}

/// The first object number of user objects.
const FIRST: u32 = 16384;

/// A text in the form that means the same with any settings of the session.
fn quoted(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_holds_for_its_time_and_its_epoch() {
        let verdicts = Verdicts::default();
        let verdict = verdicts.of("SELECT 1");
        let now = Instant::now();
        assert!(!verdicts.holds(&verdict, now));
        assert!(verdicts.is_due(&verdict, now), "nobody has asked");
        assert!(!verdicts.is_due(&verdict, now), "somebody has");
        verdicts.note(&verdict, true, verdicts.epoch(), now);
        assert!(verdicts.holds(&verdicts.of("SELECT 1"), now + HOLDS / 2));
        assert!(!verdicts.holds(&verdict, now + 2 * HOLDS));
        assert!(verdicts.is_due(&verdict, now + 2 * HOLDS));
        let before = verdicts.epoch();
        verdicts.clear();
        assert!(!verdicts.holds(&verdict, now));
        assert!(verdicts.is_due(&verdict, now), "it is another schema");
        assert!(!verdicts.is_due(&verdict, now));
        verdicts.note(&verdict, true, before, now);
        assert!(!verdicts.holds(&verdict, now), "that was before the change");
        verdicts.note(&verdict, false, verdicts.epoch(), now);
        assert!(!verdicts.holds(&verdict, now));
    }

    #[test]
    fn names_are_quoted_whatever_they_hold() {
        assert_eq!(quoted(r"a'b\c"), r"E'a''b\\c'");
        let verdicts = Verdicts::default();
        let asked = [verdicts.of("SELECT 1"), verdicts.of("TABLE \"it's\"")];
        let question = question(&asked);
        assert!(
            question.contains("(0, ARRAY[E'select']::name[])"),
            "{question}"
        );
        assert!(question.contains("E'it''s'"), "{question}");
    }
}
