//! Earlier names of objects, in the comments of SQL text.

use std::borrow::Cow;
use std::ops::Range;

use underpin_core::Engine;
use underpin_sql::{Kind, Lexer, Lexis, Piece, Token};

use crate::sql::lexis;
use crate::touched::{Object, touched};

/// A comment `-- renamed from: old`, on a line of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Renamed {
    /// Where the comment is in the text.
    pub range: Range<usize>,
    /// The line of the comment, counted from 1.
    pub line: usize,
    /// The name that the comment gives, its parts apart. One without quotes is in lower case.
    pub from: Vec<String>,
    /// The renamed object.
    pub to: RenamedTo,
}

/// What stands after the comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RenamedTo {
    /// The CREATE TABLE of this table.
    Table(Object),
    /// In the CREATE TABLE of this table, this column.
    Column(Object, String),
    /// In the CREATE TYPE of this enumerated type, this label.
    Label(Object, String),
}

/// A comment that asks for a rename and cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RenamedError {
    /// Its line, counted from 1.
    pub line: usize,
    /// The mistake, in a full sentence.
    pub message: &'static str,
}

const NO_NAME: &str = "The comment names no old name: write `-- renamed from: name`.";
const BEHIND: &str = "The comment is not on a line of its own: put it on a line before the object \
                      with the new name.";
const NOTHING: &str = "The comment is not followed by anything that it can be about: put it before \
                       a CREATE TABLE, before a column in it, or before a label of an enum.";

/// The words that begin a part of a table that is not a column.
const NO_COLUMN: [&str; 8] = [
    "CONSTRAINT",
    "PRIMARY",
    "UNIQUE",
    "CHECK",
    "FOREIGN",
    "EXCLUDE",
    "LIKE",
    "NOT",
];

/// The renames that comments ask for: `-- renamed from: old`, on a line of its own before a
/// CREATE TABLE, before a column in one, or before a label in a CREATE TYPE … AS ENUM. The
/// pieces are those of the text.
///
/// # Errors
/// [`RenamedError`] for such a comment in any other place, so that none is passed over.
pub fn renamed(sql: &str, pieces: &[Piece], engine: Engine) -> Result<Vec<Renamed>, RenamedError> {
    let (lines, tokens): (Vec<usize>, Vec<Token<'_>>) = Lexer::new(sql, lexis(Some(engine)))
        .lines()
        .take_while(|(_, token)| token.closed)
        .filter(|(_, token)| token.kind != Kind::Space)
        .unzip();
    let mut found = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        let Some(old) = asked(token) else {
            continue;
        };
        let line = lines[place];
        let error = |message| RenamedError { line, message };
        let line_begin = sql[..token.start].rfind('\n').map_or(0, |at| at + 1);
        if !sql[line_begin..token.start].trim().is_empty() {
            return Err(error(BEHIND));
        }
        let from = path(old, engine).ok_or_else(|| error(NO_NAME))?;
        let to = ScriptComments {
            sql,
            pieces,
            engine,
        }
        .of(&tokens, place);
        found.push(Renamed {
            range: token.start..token.end(),
            line,
            from,
            to: to.ok_or_else(|| error(NOTHING))?,
        });
    }
    Ok(found)
}

/// What a comment gives as the old name, where it is such a comment.
fn asked<'s>(token: &Token<'s>) -> Option<&'s str> {
    const ASKS: &str = "renamed from:";
    if token.kind != Kind::Comment {
        return None;
    }
    let said = token.text.strip_prefix("--")?.trim();
    let begin = said.get(..ASKS.len())?;
    begin
        .eq_ignore_ascii_case(ASKS)
        .then(|| said[ASKS.len()..].trim())
}

/// The parts of a name, as PostgreSQL folds them.
fn path(text: &str, engine: Engine) -> Option<Vec<String>> {
    let lexis = lexis(Some(engine));
    let mut parts = Vec::new();
    let mut named = false;
    for token in Lexer::new(text, lexis) {
        match named {
            false => parts.push(name(&token, lexis)?),
            true if token.is_sign(".") => {}
            true => return None,
        }
        named = !named;
    }
    named.then_some(parts)
}

/// A name, or the label that a text in quotes stands for.
fn name(token: &Token<'_>, lexis: &Lexis) -> Option<String> {
    match token.kind {
        _ if !token.closed => None,
        Kind::Word => Some(token.text.to_lowercase()),
        Kind::Name => lexis.name(token).map(Cow::into_owned),
        Kind::Text => {
            let inner = token.text.strip_prefix('\'')?.strip_suffix('\'')?;
            Some(inner.replace("''", "'"))
        }
        _ => None,
    }
}

/// Where a comment is.
struct ScriptComments<'s> {
    sql: &'s str,
    pieces: &'s [Piece],
    engine: Engine,
}

impl ScriptComments<'_> {
    /// What comes after the comment that is the token at `place`.
    fn of(&self, tokens: &[Token<'_>], place: usize) -> Option<RenamedTo> {
        let solid = |token: &&Token<'_>| token.kind != Kind::Comment;
        let next = tokens[place..].iter().find(solid)?;
        let statement = self.statement(next)?;
        let text = &self.sql[statement.clone()];
        let object = touched(text, Some(self.engine)).into_iter().next()?;
        let within = tokens
            .iter()
            .filter(solid)
            .filter(|token| statement.contains(&token.start));
        let within: Vec<&Token<'_>> = within.collect();
        let is = |at: usize, words: &[&str]| {
            let word = within.get(at).map(|token| token.text);
            word.is_some_and(|word| words.iter().any(|one| word.eq_ignore_ascii_case(one)))
        };
        if !is(0, &["CREATE"]) {
            return None;
        }
        let at = within.iter().position(|token| *token == next)?;
        let lexis = lexis(Some(self.engine));
        match object.kind {
            "table" if at == 0 => Some(RenamedTo::Table(object)),
            // ( or , at the first level of parentheses.
            _ if at == 0 || !is(at - 1, &["(", ","]) || self.depth(&within[..at]) != 1 => None,
            "table" if next.kind == Kind::Word && is(at, &NO_COLUMN) => None,
            "table" => Some(RenamedTo::Column(object, name(next, lexis)?)),
            "type" if is(at, &[")"]) => None,
            "type" => Some(RenamedTo::Label(object, name(next, lexis)?)),
            _ => None,
        }
    }

    fn statement(&self, token: &Token<'_>) -> Option<Range<usize>> {
        let mut statements = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Statement { range, .. } => Some(range),
            Piece::Rows { .. } | Piece::Between { .. } => None,
        });
        let found = statements.find(|range| range.contains(&token.start));
        found.cloned()
    }

    fn depth(&self, tokens: &[&Token<'_>]) -> usize {
        tokens
            .iter()
            .fold(0_usize, |depth, token| match token.kind {
                Kind::Open => depth + 1,
                Kind::Close => depth.saturating_sub(1),
                _ => depth,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::split;

    fn read(sql: &str) -> Result<Vec<Renamed>, RenamedError> {
        let pieces = split(sql, Some(Engine::POSTGRES)).unwrap();
        renamed(sql, &pieces, Engine::POSTGRES)
    }

    fn shown(sql: &str) -> Vec<String> {
        let each = read(sql).unwrap().into_iter().map(|renamed| {
            let from = renamed.from.join(".");
            let to = match renamed.to {
                RenamedTo::Table(table) => table.to_string(),
                RenamedTo::Column(table, column) => format!("{table} column {column}"),
                RenamedTo::Label(of, label) => format!("{of} label {label}"),
            };
            format!("{}: {from} to {to}", renamed.line)
        });
        each.collect()
    }

    #[test]
    fn a_comment_is_about_what_comes_next() {
        let sql = "\
-- People.
-- renamed from: users
-- They can log in.
CREATE TABLE shop.people (
  id bigint PRIMARY KEY,
  -- renamed from: \"Name\"
  full_name text NOT NULL, -- as they write it
  -- Renamed From: Nick
  \"Alias\" numeric(10, 2)
);
CREATE TYPE mood AS ENUM (
  -- renamed from: 'sad one'
  'unhappy', 'ok'
);";
        let expected = [
            "2: users to table `shop.people`",
            "6: Name to table `shop.people` column full_name",
            "8: nick to table `shop.people` column Alias",
            "12: sad one to type `mood` label unhappy",
        ];
        assert_eq!(shown(sql), expected);
    }

    #[test]
    fn a_text_that_looks_like_a_comment_is_none() {
        let sql = "SELECT '\n-- renamed from: x\n';\n\
                   CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n-- renamed from: y\nSELECT 1$$;\n\
                   -- It was renamed from time to time.\nSELECT 1;";
        assert_eq!(read(sql).unwrap(), []);
    }

    #[test]
    fn no_comment_is_passed_over() {
        for (sql, line, message) in [
            ("-- renamed from: a\nCREATE VIEW b AS SELECT 1;", 1, NOTHING),
            ("CREATE TABLE t (a int);\n-- renamed from: a\n", 2, NOTHING),
            (
                "CREATE TABLE t (a int,\n-- renamed from: b\nCONSTRAINT c CHECK (a > 0));",
                2,
                NOTHING,
            ),
            ("CREATE TABLE t (a int\n-- renamed from: b\n);", 2, NOTHING),
            (
                "CREATE TABLE t (a numeric(\n-- renamed from: b\n1, 2));",
                2,
                NOTHING,
            ),
            (
                "CREATE TABLE t (a int, -- renamed from: b\nc int);",
                1,
                BEHIND,
            ),
            ("-- renamed from:\nCREATE TABLE t ();", 1, NO_NAME),
            ("-- renamed from: a b\nCREATE TABLE t ();", 1, NO_NAME),
        ] {
            assert_eq!(read(sql), Err(RenamedError { line, message }), "{sql}");
        }
    }
}
