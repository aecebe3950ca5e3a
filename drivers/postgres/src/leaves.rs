//! What the text of a statement shows about the state in which it leaves the session.

use underpin_sql::{Kind, Lexer, POSTGRES, Token};

use crate::lane::{LOCKS, READS, WRITES, is, is_harmless};

/// The state in which a statement leaves the session for later ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Leaves {
    /// Unchanged.
    #[default]
    Untouched,
    /// Unchanged, unless a name in the text stands for a user's code, which the server knows.
    ByName,
    /// Possibly changed: functions, triggers and rules may run, or the text does not show it.
    Unknown,
}

/// Maximum length of a text whose names are looked up.
const LONGEST: usize = 64 * 1024;
/// The server truncates longer names.
const LONGEST_NAME: usize = 63;

impl Leaves {
    /// The state after a text of one or more statements.
    pub(crate) fn of(sql: &str) -> Leaves {
        // The escapes in such a name would have to be decoded.
        let escapes = sql.contains("U&\"") || sql.contains("u&\"");
        let mut leaves = Leaves::Untouched;
        let mut tokens = Lexer::new(sql, &POSTGRES.lexis).solid().peekable();
        let mut words = Words::default();
        while let Some(token) = tokens.next() {
            let calls = tokens.peek().is_some_and(|next| next.kind == Kind::Open);
            leaves = leaves.max(words.take(token, calls, sql));
            if leaves == Leaves::Unknown {
                break;
            }
        }
        match leaves {
            Leaves::ByName if escapes || sql.len() > LONGEST => Leaves::Unknown,
            leaves => leaves,
        }
    }
}

/// The position of the words in a statement.
#[derive(Default)]
struct Words<'a> {
    first: &'a str,
    number: usize,
    before: &'a str,
    qualified: bool,
}

impl<'a> Words<'a> {
    fn take(&mut self, token: Token<'a>, calls: bool, sql: &str) -> Leaves {
        let qualified = std::mem::replace(&mut self.qualified, token.is_sign("."));
        match token.kind {
            Kind::Semicolon => {
                *self = Words::default();
                Leaves::Untouched
            }
            Kind::Name if calls || token.text.len() > LONGEST_NAME + 2 => Leaves::Unknown,
            Kind::Word => {
                let word = token.text;
                self.number += 1;
                let leaves = match self.number {
                    1 => {
                        self.first = word;
                        begins_with(word)
                    }
                    2 if is(self.first, &["set"]) => match is(word, OF_A_TRANSACTION) {
                        true => Leaves::Untouched,
                        false => Leaves::Unknown,
                    },
                    _ if is(self.first, READS) => self.reads(token, calls, qualified, sql),
                    _ => Leaves::Untouched,
                };
                self.before = word;
                leaves
            }
            _ => Leaves::Untouched,
        }
    }

    /// A word of a statement that begins like one that only reads.
    fn reads(&self, token: Token<'_>, calls: bool, qualified: bool, sql: &str) -> Leaves {
        let word = token.text;
        let locks = is(self.before, &["for", "key", "no"]) && is(word, LOCKS);
        let writes = is(word, WRITES) && !locks;
        let unknown = calls
            && (qualified
                || !(is_harmless(word)
                    || is(word, LEAVE_NOTHING)
                    || is(word, &["set_config"]) && is_local(&sql[token.end()..])));
        match writes || unknown || word.len() > LONGEST_NAME {
            true => Leaves::Unknown,
            false => Leaves::Untouched,
        }
    }
}

fn begins_with(word: &str) -> Leaves {
    if is(word, READS) {
        Leaves::ByName
    } else if is(word, BOUNDS) || is(word, &["set", "show"]) {
        Leaves::Untouched
    } else {
        Leaves::Unknown
    }
}

/// Whether these arguments of `set_config` make the setting local to the transaction.
pub(crate) fn is_local(arguments: &str) -> bool {
    let mut tokens = Lexer::new(arguments, &POSTGRES.lexis).solid();
    if tokens.next().is_none_or(|token| token.kind != Kind::Open) {
        return false;
    }
    let (mut depth, mut number) = (1, 1);
    // The only token of the latest argument.
    let mut only = None;
    let mut count = 0;
    for token in tokens {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth -= 1,
            Kind::Sign if token.text == "," && depth == 1 => {
                (only, count) = (None, 0);
                number += 1;
                continue;
            }
            _ => {}
        }
        if depth == 0 {
            let is_true = only.is_some_and(|only: Token<'_>| {
                only.is("true") || matches!(only.text, "'true'" | "'t'")
            });
            return number == 3 && count == 1 && is_true;
        }
        only = Some(token);
        count += 1;
    }
    false
}

/// The names that a text mentions, in the server's form.
pub(crate) fn names(sql: &str) -> Vec<String> {
    let mut names: Vec<String> = Lexer::new(sql, &POSTGRES.lexis)
        .solid()
        .filter_map(|token| match token.kind {
            Kind::Word => Some(token.text.to_ascii_lowercase()),
            Kind::Name => {
                let inner = token.text.strip_prefix('"')?.strip_suffix('"')?;
                Some(inner.replace("\"\"", "\""))
            }
            _ => None,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Statements that begin or end transactions, and run nothing else that was not begun before.
const BOUNDS: &[&str] = &[
    "abort",
    "begin",
    "commit",
    "end",
    "release",
    "rollback",
    "savepoint",
    "start",
];
/// Words after `SET` that limit the setting to the transaction.
const OF_A_TRANSACTION: &[&str] = &["constraints", "local", "transaction"];
/// Functions of the server that change nothing in the session, in addition to those for lanes.
const LEAVE_NOTHING: &[&str] = &[
    "array_position",
    "current_database",
    "current_schema",
    "current_schemas",
    "current_setting",
    "has_schema_privilege",
    "has_table_privilege",
    "inet_client_addr",
    "inet_server_addr",
    "inet_server_port",
    "obj_description",
    "pg_advisory_xact_lock",
    "pg_advisory_xact_lock_shared",
    "pg_backend_pid",
    "pg_column_size",
    "pg_current_wal_lsn",
    "pg_current_xact_id",
    "pg_database_size",
    "pg_get_constraintdef",
    "pg_get_expr",
    "pg_get_indexdef",
    "pg_get_userbyid",
    "pg_is_in_recovery",
    "pg_last_wal_receive_lsn",
    "pg_last_wal_replay_lsn",
    "pg_notify",
    "pg_postmaster_start_time",
    "pg_relation_size",
    "pg_size_pretty",
    "pg_sleep",
    "pg_table_is_visible",
    "pg_total_relation_size",
    "pg_try_advisory_xact_lock",
    "pg_try_advisory_xact_lock_shared",
    "to_regclass",
    "to_regproc",
    "to_regtype",
    "transaction_timestamp",
    "txid_current",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn transaction_statements_leave_nothing() {
        for sql in [
            "",
            ";",
            "BEGIN",
            "COMMIT",
            "rollback to a",
            "SAVEPOINT a",
            "SET LOCAL search_path = a",
            "SET TRANSACTION READ ONLY",
            "SET CONSTRAINTS ALL DEFERRED",
            "SHOW search_path",
            "-- a\nSET LOCAL a = 1; RELEASE b;",
        ] {
            assert_eq!(Leaves::of(sql), Leaves::Untouched, "{sql}");
        }
    }

    #[test]
    fn reading_statements_depend_on_the_meaning_of_their_names() {
        for sql in [
            "SELECT 1",
            "SELECT $1::int8",
            "(SELECT a FROM t) UNION TABLE u",
            "VALUES (1), (2)",
            "WITH a AS (SELECT lower(b) FROM t) SELECT * FROM a FOR NO KEY UPDATE",
            "SELECT * FROM t FOR UPDATE",
            "SELECT pg_sleep(1), current_setting('a.b', true)",
            "SELECT set_config('a.b', $1, true)",
            "SELECT set_config('a', f, 't'), set_config('b', (SELECT 1, 2)::text, TRUE)",
            "SET LOCAL a = 1; SELECT count(*) FROM t",
        ] {
            assert_eq!(Leaves::of(sql), Leaves::ByName, "{sql}");
        }
    }

    #[test]
    fn the_text_of_other_statements_does_not_tell() {
        for sql in [
            "INSERT INTO t VALUES (1)",
            "UPDATE t SET a = 1",
            "DELETE FROM t",
            "SELECT f(1)",
            "SELECT shop.lower('a')",
            "SELECT \"lower\"('a')",
            "SELECT U&\"d!0061ta\" UESCAPE '!' FROM t",
            "SELECT set_config('a.b', $1, $2)",
            "SELECT set_config('a.b', 'true', false)",
            "SELECT set_config('a.b', 'c', NOT true)",
            "SELECT set_config(VARIADIC true)",
            "SELECT a INTO b FROM c",
            "WITH a AS (DELETE FROM t RETURNING *) TABLE a",
            "DO $$ BEGIN END $$",
            "CALL p()",
            "EXPLAIN ANALYZE SELECT f()",
            "CREATE TABLE t (a int)",
            "EXECUTE a",
            "FETCH c",
            "COPY t FROM '/tmp/t'",
            "SELECT nextval('s')",
            "BEGIN; SELECT f()",
            "SET a = 1",
        ] {
            assert_eq!(Leaves::of(sql), Leaves::Unknown, "{sql}");
        }
        let long = format!("SELECT {} FROM t", "a".repeat(64));
        assert_eq!(Leaves::of(&long), Leaves::Unknown);
    }

    #[test]
    fn names_are_those_that_the_server_looks_up() {
        let found = names("SELECT Shop.\"Ord\"\"er\", 'none' FROM Shop -- not this\n");
        assert_eq!(found, ["Ord\"er", "from", "select", "shop"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(sql in "(?i)(select|set|local|set_config|true|'|\"|\\(|\\)|,|;|ä| |f){0,14}") {
            Leaves::of(&sql);
            names(&sql);
            is_local(&sql);
        }
    }
}
