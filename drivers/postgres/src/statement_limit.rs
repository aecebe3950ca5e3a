//! Tracks the `statement_timeout` of a session, as far as the client knows it. A statement that
//! exceeded the timeout and one that a user canceled have the same SQLSTATE, and the server
//! distinguishes them only in words of its own language.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use underpin_core::{Class, Stage};

use crate::options::Options;
use crate::session::Session;
use crate::wire::answer::Answer;
use crate::wire::body::Values;
use crate::wire::server_error::ServerError;

/// The SQLSTATE of both.
pub(crate) const QUERY_CANCELED: &str = "57014";
/// The server's routine that reports a canceled statement. Names of routines are never translated.
pub(crate) const INTERRUPTS: &str = "ProcessInterrupts";

/// The limit of one session.
pub(crate) struct StatementLimit {
    configured: Limit,
    state: Mutex<State>,
}

struct State {
    session: Limit,
    /// The server's outstanding answer, if it was asked.
    asked: Option<Answer>,
    /// Whether it cannot have been set since the session was opened, or had not been when the
    /// server was asked.
    as_opened: bool,
    /// The setting of a statement for the rest of this transaction.
    local: Option<(Option<u64>, Limit)>,
    /// The setting by statements that failed together.
    failed: Option<Limit>,
}

/// The known state of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// This long; zero means no limit.
    Is(Duration),
    /// A statement has set it to a value that its text does not show.
    Set,
    /// The server's own, which was not queried.
    Unknown,
}

/// A statement that sets the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Setting {
    /// Whether it applies to the transaction only.
    local: bool,
    limit: Limit,
}

impl StatementLimit {
    /// The limit of a session that is opened with these options.
    pub(crate) fn new(options: &Options) -> Self {
        let configured = configured(options);
        StatementLimit {
            configured,
            state: Mutex::new(State::of(configured)),
        }
    }

    /// Queries the server if only the server knows, and does not wait for the answer. It is for the
    /// time before a transaction begins, since a failed transaction cannot be queried.
    pub(crate) fn ask(&self, session: &Session) {
        let mut state = self.state();
        if state.session == Limit::Unknown && state.asked.is_none() {
            state.asked = session.simple(QUESTION).ok();
            state.as_opened &= !session.trust.is_doubted();
        }
    }

    /// Queries the server.
    pub(crate) async fn learn(&self, session: &Session) {
        let Ok(mut answer) = session.simple(QUESTION) else {
            return;
        };
        self.state().as_opened &= !session.trust.is_doubted();
        while let Ok(true) = answer.more().await {
            self.state().hear(&mut answer);
        }
    }

    /// Records that a statement is about to set it, in this transaction or outside one.
    pub(crate) fn note(&self, setting: Setting, in_transaction: bool, transaction: Option<u64>) {
        let mut state = self.state();
        if in_transaction {
            state.local = Some((transaction, setting.limit));
        }
        if !setting.local {
            state.as_opened = false;
            // In a transaction, it becomes the session's only with the commit.
            state.set(match in_transaction {
                true => Limit::Unknown,
                false => setting.limit,
            });
        }
    }

    /// Records that several statements failed together, of which one set it: the previous value
    /// applies again.
    pub(crate) fn note_failed(&self, setting: Setting) {
        let mut state = self.state();
        state.set(Limit::Unknown);
        state.as_opened = false;
        state.failed = Some(setting.limit);
    }

    /// The limit of failed statements, if they set it themselves.
    pub(crate) fn take_failed(&self) -> Option<Limit> {
        self.state().failed.take()
    }

    /// The limit outside of transactions.
    pub(crate) fn of_session(&self) -> Limit {
        self.state().session
    }

    /// The limit in this transaction.
    pub(crate) fn within(&self, transaction: Option<u64>) -> Limit {
        let mut state = self.state();
        match state.local {
            Some((of, limit)) if of == transaction => limit,
            _ => state.look(),
        }
    }

    /// Records that the session is as it was opened, after it may have been changed.
    pub(crate) fn settle(&self) {
        let mut state = self.state();
        if !state.as_opened {
            *state = State::of(self.configured);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn of(session: Limit) -> State {
        State {
            session,
            asked: None,
            as_opened: true,
            local: None,
            failed: None,
        }
    }

    fn set(&mut self, limit: Limit) {
        self.session = limit;
        self.asked = None;
    }

    /// The limit of the session, from the server's answer if that has arrived.
    fn look(&mut self) -> Limit {
        if let Some(mut answer) = self.asked.take() {
            let mut context = Context::from_waker(Waker::noop());
            while let Poll::Ready(Ok(true)) = answer.poll_more(&mut context) {
                self.hear(&mut answer);
            }
            if self.session == Limit::Unknown {
                self.asked = Some(answer);
            }
        }
        self.session
    }

    /// Takes the limit from the server's answer.
    fn hear(&mut self, answer: &mut Answer) {
        while let Some(frame) = answer.next() {
            let value = match frame.tag {
                b'D' => Values::new(frame.body).and_then(|values| values.get(0)),
                _ => None,
            };
            let text = value.flatten().and_then(|bytes| str::from_utf8(bytes).ok());
            if let Some(limit) = text.and_then(duration) {
                self.set(Limit::Is(limit));
            }
        }
    }
}

/// The query for the limit.
const QUESTION: &str = "SHOW statement_timeout";

fn configured(options: &Options) -> Limit {
    if !options.owns_session() {
        // A pooler does not get the setting, or may ignore it.
        return Limit::Unknown;
    }
    let own = options.options.as_deref().unwrap_or_default();
    match (last_named(own), options.statement_timeout) {
        (Some((_, after)), _) => {
            let value = after.strip_prefix('=').unwrap_or_default();
            let end = value.find(char::is_whitespace).unwrap_or(value.len());
            duration(&value[..end]).map_or(Limit::Unknown, Limit::Is)
        }
        (None, Some(limit)) => Limit::Is(limit),
        (None, None) => Limit::Unknown,
    }
}

/// The class of a statement that the server canceled after it ran for this long, as seen by the
/// client, with this limit in force. The server begins to count after the client does, and stops
/// before, so that a shorter run cannot have reached the limit; a longer one has.
pub(crate) fn class(error: &ServerError, limit: Limit, ran: Duration) -> Class {
    let timeout = error.routine() == Some(INTERRUPTS) && reached(limit, ran);
    if timeout {
        Class::Timeout {
            stage: Stage::Statement,
        }
    } else {
        Class::Canceled
    }
}

fn reached(limit: Limit, ran: Duration) -> bool {
    match limit {
        Limit::Is(limit) if limit.is_zero() => false,
        // Two clocks never run at exactly the same speed.
        Limit::Is(limit) => ran + limit / 1000 + Duration::from_millis(1) >= limit,
        // A limit that was set is expected to be reached.
        Limit::Set => true,
        // By default, the server has none.
        Limit::Unknown => false,
    }
}

const NAME: &str = "statement_timeout";

/// The text before and after the last mention of the limit.
fn last_named(text: &str) -> Option<(&str, &str)> {
    let (text, name) = (text, NAME.as_bytes());
    let at = text
        .as_bytes()
        .windows(name.len())
        .rposition(|part| part.eq_ignore_ascii_case(name))?;
    Some((&text[..at], &text[at + name.len()..]))
}

impl Setting {
    /// The value to which the last statement of the text that sets the limit sets it: `SET`,
    /// `RESET`, and `set_config`.
    pub(crate) fn of(sql: &str) -> Option<Setting> {
        let (before, after) = last_named(sql)?;
        let before = before.trim_end();
        if let Some(before) = before.strip_suffix('\'') {
            let before = before.trim_end().strip_suffix('(')?;
            return ends_with(before, "set_config").then(|| by_function(after));
        }
        let before = before.strip_suffix('"').unwrap_or(before);
        let after = after.strip_prefix('"').unwrap_or(after).trim_start();
        if let Some(start) = before_word(before, "reset") {
            return begins_statement(start).then_some(Setting {
                local: false,
                limit: Limit::Unknown,
            });
        }
        let local = before_word(before, "local");
        let scope = local.or_else(|| before_word(before, "session"));
        let start = before_word(scope.unwrap_or(before), "set")?;
        if !begins_statement(start) {
            return None;
        }
        let value = after
            .strip_prefix('=')
            .or_else(|| strip_word(after, "to"))
            .map(str::trim_start);
        Some(Setting {
            local: local.is_some(),
            limit: value.map_or(Limit::Set, literal),
        })
    }
}

/// The text behind the name in `set_config('statement_timeout', '5s', true)`.
fn by_function(after: &str) -> Setting {
    let value = || after.strip_prefix('\'')?.trim_start().strip_prefix(',');
    let value = value().unwrap_or_default().trim_start();
    let last = value.rsplit(',').next().unwrap_or_default().trim_start();
    Setting {
        local: !last
            .get(..5)
            .is_some_and(|word| word.eq_ignore_ascii_case("false")),
        limit: literal(value),
    }
}

/// The literal at the start of the text.
fn literal(text: &str) -> Limit {
    let value = match text.strip_prefix('\'') {
        Some(text) => text.split('\'').next(),
        None => text.split(|c: char| !c.is_ascii_digit()).next(),
    };
    value.and_then(duration).map_or(Limit::Set, Limit::Is)
}

/// `5s`, `1.5 min`, or a number of milliseconds, as the server reads and prints it.
fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let milliseconds = match unit.trim_start() {
        "us" => 0.001,
        "" | "ms" => 1.0,
        "s" => 1_000.0,
        "min" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return None,
    };
    let milliseconds = number.parse::<f64>().ok()? * milliseconds;
    (milliseconds <= f64::from(i32::MAX))
        .then(|| Duration::from_millis(milliseconds.round() as u64))
}

fn ends_with(text: &str, word: &str) -> bool {
    before_word(text, word).is_some()
        || text
            .len()
            .checked_sub(word.len() + 1)
            .and_then(|at| text.get(at..))
            .is_some_and(|end| end.starts_with('.') && end[1..].eq_ignore_ascii_case(word))
}

/// The text before the word at its end.
fn before_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let text = text.trim_end();
    let at = text.len().checked_sub(word.len())?;
    let (before, end) = (text.get(..at)?, text.get(at..)?);
    let apart = !before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '$'));
    (apart && end.eq_ignore_ascii_case(word)).then_some(before)
}

fn strip_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(word.len())?;
    let apart = rest.starts_with(|c: char| c.is_whitespace() || c == '\'');
    (apart && start.eq_ignore_ascii_case(word)).then_some(rest)
}

/// Whether a statement may begin after this text: at the start, or after another statement, a
/// comment, or the BEGIN of a block.
fn begins_statement(before: &str) -> bool {
    let before = before.trim_end();
    let line = before.lines().next_back().unwrap_or_default();
    before.is_empty()
        || before.ends_with(';')
        || before.ends_with("*/")
        || line.trim_start().starts_with("--")
        || before_word(before, "begin").is_some()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is(milliseconds: u64) -> Limit {
        Limit::Is(Duration::from_millis(milliseconds))
    }

    #[test]
    fn a_limit_is_read_as_the_server_reads_it() {
        for (text, milliseconds) in [
            ("0", 0),
            ("250", 250),
            ("250ms", 250),
            ("5s", 5_000),
            (" 1.5 s ", 1_500),
            ("2min", 120_000),
            ("1h", 3_600_000),
            ("1d", 86_400_000),
            ("1500us", 2),
        ] {
            let expected = Some(Duration::from_millis(milliseconds));
            assert_eq!(duration(text), expected, "{text}");
        }
        for text in ["", "-1", "5 parsecs", "s", "1..5", "99999999999"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn statements_that_set_it_are_told_by_their_text() {
        let session = |limit| Some((false, limit));
        let local = |limit| Some((true, limit));
        for (sql, expected) in [
            ("SET statement_timeout = 250", session(is(250))),
            ("set Statement_Timeout to '5s'", session(is(5_000))),
            ("SET SESSION statement_timeout TO 0", session(is(0))),
            ("SET LOCAL statement_timeout='1min'", local(is(60_000))),
            ("SET \"statement_timeout\" = 7", session(is(7))),
            ("SET statement_timeout TO DEFAULT", session(Limit::Set)),
            ("SET statement_timeout = '5 parsecs'", session(Limit::Set)),
            ("RESET statement_timeout", session(Limit::Unknown)),
            (
                "BEGIN; SET LOCAL statement_timeout = 1; SELECT 2",
                local(is(1)),
            ),
            ("-- a note\nSET LOCAL statement_timeout = 1", local(is(1))),
            ("/* a */ SET LOCAL statement_timeout = 1", local(is(1))),
            (
                "DO $$ BEGIN SET LOCAL statement_timeout = 1; END $$",
                local(is(1)),
            ),
            (
                "SET statement_timeout = 1; SET statement_timeout = 2",
                session(is(2)),
            ),
            (
                "SELECT set_config('statement_timeout', '3s', true)",
                local(is(3_000)),
            ),
            (
                "SELECT pg_catalog.set_config('statement_timeout', '3', false)",
                session(is(3)),
            ),
            (
                "SELECT set_config('statement_timeout', $1, true)",
                local(Limit::Set),
            ),
        ] {
            let setting = Setting::of(sql).map(|setting| (setting.local, setting.limit));
            assert_eq!(setting, expected, "{sql}");
        }
        for sql in [
            "SHOW statement_timeout",
            "SELECT current_setting('statement_timeout')",
            "SELECT 1 -- statement_timeout",
            "ALTER ROLE app SET statement_timeout = '5s'",
            "ALTER DATABASE shop RESET statement_timeout",
            "SET lock_timeout = 5",
            "SELECT statement_timeout",
            "UPDATE t SET statement_timeout = 1",
            "",
        ] {
            assert_eq!(Setting::of(sql), None, "{sql}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(
            text in "(?i)(set|local|reset|'|\"|=|to|\\(|,|;|ä| |statement_timeout|5s){0,12}",
        ) {
            let _ = Setting::of(&text);
            let _ = duration(&text);
        }
    }

    #[test]
    fn the_latest_setting_of_a_transaction_is_its_own() {
        let options = Options {
            statement_timeout: Some(Duration::from_millis(100)),
            ..Options::default()
        };
        let limit = StatementLimit::new(&options);
        let set = |sql| Setting::of(sql).unwrap();
        assert_eq!(limit.within(None), is(100));
        limit.note(set("SET LOCAL statement_timeout = 5"), true, Some(3));
        assert_eq!(
            (limit.within(Some(3)), limit.within(Some(5))),
            (is(5), is(100))
        );
        limit.note(set("SET LOCAL statement_timeout = 7"), false, None);
        assert_eq!(limit.within(None), is(100), "there is no transaction");
        limit.note(set("SET statement_timeout = 9"), false, None);
        assert_eq!(limit.within(Some(5)), is(9));
        limit.note(set("SET statement_timeout = 11"), true, Some(7));
        assert_eq!(limit.within(Some(7)), is(11));
        assert_eq!(
            limit.within(Some(9)),
            Limit::Unknown,
            "that may be rolled back"
        );
        limit.note_failed(set("SELECT 1; SET statement_timeout = 13"));
        assert_eq!(
            (limit.take_failed(), limit.take_failed()),
            (Some(is(13)), None)
        );
        limit.settle();
        assert_eq!(limit.within(Some(7)), is(100));
    }

    #[test]
    fn the_options_tell_it_or_the_server_does() {
        let of = |statement_timeout, options: Option<&str>, statement_cache_size| {
            configured(&Options {
                statement_timeout,
                options: options.map(str::to_owned),
                statement_cache_size,
                ..Options::default()
            })
        };
        let second = Some(Duration::from_secs(1));
        assert_eq!(of(second, None, 256), is(1_000));
        assert_eq!(of(second, Some("-c work_mem=1MB"), 256), is(1_000));
        let both = "-c statement_timeout=5s -c statement_timeout=250 -c a=b";
        assert_eq!(of(second, Some(both), 256), is(250));
        assert_eq!(of(None, None, 256), Limit::Unknown);
        assert_eq!(of(second, None, 0), Limit::Unknown);
    }

    #[test]
    fn only_statements_that_ran_as_long_as_the_limit_reached_it() {
        let ran = Duration::from_millis;
        assert!(!reached(is(0), ran(9_000)));
        assert!(!reached(is(5_000), ran(4_900)));
        assert!(reached(is(5_000), ran(5_000)));
        assert!(reached(is(1), ran(1)));
        assert!(reached(Limit::Set, ran(1)));
        assert!(!reached(Limit::Unknown, ran(1)));
    }
}
