//! What a statement is about, as far as its words say: which objects it makes, changes or
//! takes away, and whose rows it writes.

use std::fmt;

use underpin_core::Engine;
use underpin_sql::{Kind, Lexer, Lexis, Token};

use crate::sql::lexis;

/// An object of a database as SQL names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Object {
    /// The sort of it, in words: `table`, `index`, `type`, `function`.
    pub kind: &'static str,
    /// Its schema, where the statement names one.
    pub schema: Option<String>,
    /// Its name, as the engine folds it.
    pub name: String,
}

impl Object {
    /// Whether both may be the same object: a name without a schema could be in any, and
    /// what has columns is called a table, a view or an index in one space of names.
    pub fn may_be(&self, other: &Object) -> bool {
        let schemas = match (&self.schema, &other.schema) {
            (Some(own), Some(other)) => own == other,
            _ => true,
        };
        schemas && self.name == other.name && space(self.kind) == space(other.kind)
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{} `{schema}.{}`", self.kind, self.name),
            None => write!(f, "{} `{}`", self.kind, self.name),
        }
    }
}

/// The space of names that a kind lives in.
fn space(kind: &'static str) -> &'static str {
    match kind {
        "table" | "view" | "index" | "sequence" => "relation",
        "type" | "domain" => "type",
        "function" | "procedure" | "aggregate" => "routine",
        other => other,
    }
}

/// The objects that the statement is about, in the order in which it names them. What it
/// only reads or refers to is not among them; nor is what the code of a function does.
pub fn touched(sql: &str, engine: Option<Engine>) -> Vec<Object> {
    let lexis = lexis(engine);
    let words: Vec<Word> = Lexer::new(sql, lexis)
        .take_while(|token| token.closed)
        .filter(|token| !token.is_blank())
        .map(|token| Word::of(&token, lexis))
        .collect();
    let mut reader = Reader { words: &words };
    reader.objects()
}

/// A token, as far as names are concerned.
#[derive(Debug, PartialEq, Eq)]
enum Word {
    /// A keyword or a name without quotes, in capitals.
    Bare(String),
    /// A quoted name, without its quotes.
    Quoted(String),
    Sign(String),
}

impl Word {
    fn of(token: &Token<'_>, lexis: &Lexis) -> Word {
        match (token.kind, lexis.name(token)) {
            (Kind::Name, Some(name)) => Word::Quoted(name.into_owned()),
            (Kind::Word, _) => Word::Bare(token.text.to_uppercase()),
            _ => Word::Sign(token.text.to_owned()),
        }
    }

    fn is(&self, keyword: &str) -> bool {
        matches!(self, Word::Bare(word) if word == keyword)
    }
}

/// What stands between the verb and the kind.
const ATTRIBUTES: [&str; 15] = [
    "OR",
    "REPLACE",
    "TEMP",
    "TEMPORARY",
    "GLOBAL",
    "LOCAL",
    "UNLOGGED",
    "UNIQUE",
    "RECURSIVE",
    "MATERIALIZED",
    "FOREIGN",
    "VIRTUAL",
    "CONSTRAINT",
    "EVENT",
    "TRUSTED",
];

/// What stands between the kind and the name.
const FILLERS: [&str; 6] = ["CONCURRENTLY", "IF", "NOT", "EXISTS", "ONLY", "FOR"];

const KINDS: [(&str, &str); 19] = [
    ("TABLE", "table"),
    ("VIEW", "view"),
    ("INDEX", "index"),
    ("SEQUENCE", "sequence"),
    ("TYPE", "type"),
    ("DOMAIN", "domain"),
    ("FUNCTION", "function"),
    ("PROCEDURE", "procedure"),
    ("AGGREGATE", "aggregate"),
    ("ROUTINE", "function"),
    ("TRIGGER", "trigger"),
    ("POLICY", "policy"),
    ("RULE", "rule"),
    ("SCHEMA", "schema"),
    ("EXTENSION", "extension"),
    ("ROLE", "role"),
    ("USER", "role"),
    ("COLLATION", "collation"),
    ("PUBLICATION", "publication"),
];

struct Reader<'a> {
    words: &'a [Word],
}

impl<'a> Reader<'a> {
    fn objects(&mut self) -> Vec<Object> {
        let Some(Word::Bare(verb)) = self.next() else {
            return Vec::new();
        };
        match verb.as_str() {
            "CREATE" | "ALTER" | "DROP" => self.definition(verb),
            "COMMENT" => {
                self.skip(&["ON"]);
                self.commented()
            }
            "REINDEX" | "REFRESH" => self.definition(verb),
            "TRUNCATE" => {
                self.skip(&["TABLE", "ONLY"]);
                self.names("table")
            }
            "INSERT" | "REPLACE" | "MERGE" => {
                self.skip_to("INTO");
                self.skip(&["ONLY"]);
                self.one("table")
            }
            "DELETE" => {
                self.skip(&["FROM", "ONLY"]);
                self.one("table")
            }
            "UPDATE" => {
                if self.skip(&["OR"]) {
                    self.next();
                }
                self.skip(&["ONLY"]);
                self.one("table")
            }
            _ => Vec::new(),
        }
    }

    /// CREATE, ALTER, DROP and their like.
    fn definition(&mut self, verb: &str) -> Vec<Object> {
        self.skip(&ATTRIBUTES);
        let Some(kind) = self.kind() else {
            return Vec::new();
        };
        self.skip(&FILLERS);
        let mut objects = match kind {
            // An index may be made without a name.
            "index" if self.words.first().is_some_and(|word| word.is("ON")) => Vec::new(),
            "trigger" | "policy" | "rule" => {
                self.path();
                Vec::new()
            }
            _ if verb == "DROP" => self.names(kind),
            _ => self.one(kind),
        };
        match (verb, kind) {
            ("CREATE", "index" | "trigger" | "policy")
            | ("ALTER" | "DROP", "trigger" | "policy" | "rule") => {
                self.skip_to("ON");
                self.skip(&["ONLY"]);
                objects.extend(self.one("table"));
            }
            ("CREATE", "rule") => {
                self.skip_to("TO");
                objects.extend(self.one("table"));
            }
            ("ALTER", _) => objects.extend(self.renamed(kind, objects.first().cloned())),
            _ => {}
        }
        objects
    }

    /// `ALTER … RENAME TO name`.
    fn renamed(&mut self, kind: &'static str, old: Option<Object>) -> Option<Object> {
        let to = self.skip(&["RENAME"]) && self.skip(&["TO"]);
        let new = to.then(|| object(kind, self.path())).flatten()?;
        Some(Object {
            schema: old.and_then(|old| old.schema),
            ..new
        })
    }

    fn commented(&mut self) -> Vec<Object> {
        if self.skip(&["COLUMN"]) {
            let mut path = self.path();
            path.pop();
            return object("table", path).into_iter().collect();
        }
        self.skip(&ATTRIBUTES);
        match self.kind() {
            Some("trigger" | "policy" | "rule") => {
                self.skip_to("ON");
                self.one("table")
            }
            Some(kind) => self.one(kind),
            None => {
                // A constraint, and the table that has it.
                self.skip_to("ON");
                self.one("table")
            }
        }
    }

    fn kind(&mut self) -> Option<&'static str> {
        let word = self.words.first()?;
        let (_, kind) = KINDS.iter().find(|(keyword, _)| word.is(keyword))?;
        self.next();
        Some(kind)
    }

    fn one(&mut self, kind: &'static str) -> Vec<Object> {
        object(kind, self.path()).into_iter().collect()
    }

    /// Names with commas between them.
    fn names(&mut self, kind: &'static str) -> Vec<Object> {
        let mut objects = self.one(kind);
        while self.words.first() == Some(&Word::Sign(",".to_owned())) {
            self.next();
            objects.extend(self.one(kind));
        }
        objects
    }

    /// The parts of a name, each as the engine folds it.
    fn path(&mut self) -> Vec<String> {
        let mut path = Vec::new();
        while let Some(Word::Bare(word) | Word::Quoted(word)) = self.words.first() {
            path.push(match self.words.first() {
                Some(Word::Bare(_)) => word.to_lowercase(),
                _ => word.clone(),
            });
            self.next();
            if self.words.first() != Some(&Word::Sign(".".to_owned())) {
                break;
            }
            self.next();
        }
        path
    }

    fn next(&mut self) -> Option<&'a Word> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    /// Leaves out what is among these keywords; whether there was any.
    fn skip(&mut self, keywords: &[&str]) -> bool {
        let is = |word: &Word| keywords.iter().any(|keyword| word.is(keyword));
        let there = self.words.iter().take_while(|word| is(word)).count();
        self.words = &self.words[there..];
        there > 0
    }

    /// Leaves out everything up to and with the keyword, if it comes at all.
    fn skip_to(&mut self, keyword: &str) {
        let at = self.words.iter().position(|word| word.is(keyword));
        self.words = at.map_or(&[], |at| &self.words[at + 1..]);
    }
}

fn object(kind: &'static str, mut path: Vec<String>) -> Option<Object> {
    let name = path.pop()?;
    Some(Object {
        kind,
        schema: path.pop(),
        name,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(sql: &str) -> String {
        let objects = touched(sql, None);
        let objects: Vec<String> = objects.iter().map(ToString::to_string).collect();
        objects.join(", ")
    }

    #[test]
    fn statements_name_what_they_touch() {
        for (sql, expected) in [
            ("CREATE TABLE users (id int)", "table `users`"),
            (
                "create unlogged table if not exists App.Users()",
                "table `app.users`",
            ),
            ("CREATE TABLE \"Users\" (id int)", "table `Users`"),
            ("CREATE TABLE a PARTITION OF b DEFAULT", "table `a`"),
            (
                "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY app.t (a)",
                "index `i`, table `app.t`",
            ),
            ("CREATE INDEX ON t USING gin (a)", "table `t`"),
            ("ALTER TABLE IF EXISTS ONLY t ADD COLUMN a int", "table `t`"),
            (
                "ALTER TABLE app.t RENAME TO u",
                "table `app.t`, table `app.u`",
            ),
            ("ALTER TABLE t RENAME COLUMN a TO b", "table `t`"),
            ("ALTER TYPE mood ADD VALUE 'sad'", "type `mood`"),
            (
                "DROP TABLE IF EXISTS a, app.b CASCADE",
                "table `a`, table `app.b`",
            ),
            ("DROP MATERIALIZED VIEW v", "view `v`"),
            (
                "CREATE OR REPLACE FUNCTION f(a int) RETURNS int",
                "function `f`",
            ),
            (
                "CREATE CONSTRAINT TRIGGER g AFTER INSERT OR UPDATE ON t EXECUTE FUNCTION f()",
                "table `t`",
            ),
            ("DROP POLICY p ON t", "table `t`"),
            ("COMMENT ON COLUMN app.t.a IS 'x'", "table `app.t`"),
            ("COMMENT ON CONSTRAINT c ON t IS 'x'", "table `t`"),
            ("INSERT OR IGNORE INTO t VALUES (1)", "table `t`"),
            ("UPDATE OR REPLACE t SET a = 1", "table `t`"),
            (
                "DELETE FROM ONLY t WHERE a = (SELECT b FROM u)",
                "table `t`",
            ),
            ("TRUNCATE TABLE a, b", "table `a`, table `b`"),
            (
                "CREATE EXTENSION IF NOT EXISTS citext",
                "extension `citext`",
            ),
            ("SELECT * FROM t", ""),
            ("SET search_path TO app", ""),
            ("CREATE", ""),
        ] {
            assert_eq!(shown(sql), expected, "{sql}");
        }
    }

    #[test]
    fn a_name_without_a_schema_may_be_in_any() {
        let one = |sql| touched(sql, None).remove(0);
        let users = one("DROP TABLE users");
        assert!(users.may_be(&one("ALTER TABLE app.users ADD a int")));
        assert!(users.may_be(&one("CREATE VIEW users AS SELECT 1")));
        assert!(!one("DROP TABLE web.users").may_be(&one("DROP TABLE app.users")));
        assert!(!users.may_be(&one("CREATE TYPE users AS ENUM ()")));
    }

    proptest! {
        #[test]
        fn any_text_can_be_looked_at(
            words in prop::collection::vec(prop::sample::select(vec![
                "CREATE", "ALTER", "DROP", "INDEX", "TABLE", "ON", "t", ".", ",", "\"q\"", "(",
                "RENAME", "TO", "COMMENT", "COLUMN", "UPDATE", "OR", "'s'", "INSERT", "INTO",
            ]), 0..9),
        ) {
            touched(&words.join(" "), None);
        }
    }
}
