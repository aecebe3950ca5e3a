//! The SQL of another tool's file as sections of a revision.

use underpin_core::{Engine, Error, Result};
use underpin_sql::{Kind, Lexer, Piece};

use super::{Source, refused};
use crate::revision_file::is_head_or_section_line;
use crate::sql::{is_transaction_control, lexis, split};

/// Statements that run together, within a transaction or each by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) transactional: bool,
    pub(crate) text: String,
}

/// The parts of a text. What begins and ends transactions in it becomes the difference
/// between them; what an engine runs only outside a transaction gets a part of its own.
/// `wraps` says whether the tool puts a transaction around all of it. Statements for which
/// `drops` holds are left out.
pub(crate) fn parts(
    source: &Source,
    engine: Engine,
    wraps: bool,
    drops: impl Fn(&str) -> bool,
) -> Result<Vec<Part>> {
    let text = indented(source, engine)?;
    let pieces = split(&text, Some(engine)).map_err(|error| {
        let refusal = at(source, error.line(), &error.message());
        match error.hint() {
            Some(hint) => refusal.with_hint(hint),
            None => refusal,
        }
    })?;
    let mut reader = Reader {
        parts: Vec::new(),
        gap: String::new(),
        ends: false,
        dropped: false,
    };
    let mut wrapped = wraps;
    for piece in pieces {
        match piece {
            Piece::Between { range } => reader.between(&text[range], engine),
            Piece::Rows { range } => reader.rows(&text[range]),
            Piece::Statement { range, line, .. } => {
                let sql = &text[range];
                if is_transaction_control(sql) {
                    wrapped = begins(sql).ok_or_else(|| {
                        let word = sql.split_whitespace().next().unwrap_or_default();
                        at(
                            source,
                            line,
                            &format!("{word} cannot be adopted: a revision cannot contain it."),
                        )
                        .with_hint(
                            "Only BEGIN and COMMIT can be adopted; write this revision by \
                                    hand.",
                        )
                    })?;
                    reader.drop_statement();
                } else if drops(sql) {
                    reader.drop_statement();
                } else {
                    reader.statement(sql, wrapped && !stands_alone(sql, engine));
                }
            }
        }
    }
    Ok(reader.finish())
}

/// The parts of a file without the statements for which `drops` holds.
pub(crate) fn without(
    of: &[Part],
    path: &str,
    engine: Engine,
    drops: impl Fn(&str) -> bool,
) -> Result<Vec<Part>> {
    let mut kept = Vec::new();
    for part in of {
        let source = Source {
            name: path.to_owned(),
            path: path.to_owned(),
            text: part.text.clone(),
        };
        kept.extend(parts(&source, engine, part.transactional, &drops)?);
    }
    Ok(kept)
}

/// Whether every engine's reading of the text is this one's.
pub(crate) fn reads_the_same(text: &str, engine: Engine) -> bool {
    split(text, None).ok() == split(text, Some(engine)).ok()
}

/// The statements of a text that can be split.
pub(crate) fn statements(text: &str, engine: Engine) -> Vec<String> {
    let pieces = split(text, Some(engine)).unwrap_or_default().into_iter();
    let statements = pieces.filter_map(|piece| match piece {
        Piece::Statement { range, .. } => Some(text[range].to_owned()),
        Piece::Rows { .. } | Piece::Between { .. } => None,
    });
    statements.collect()
}

/// A refusal of a line of a file; `message` is a full sentence.
pub(crate) fn at(source: &Source, line: usize, message: &str) -> Error {
    refused(format!("{}, line {line}: {message}", source.path))
}

struct Reader {
    parts: Vec<Part>,
    /// Comments and blanks that go with the next statement.
    gap: String,
    /// Whether the semicolon that comes next was a dropped statement's.
    ends: bool,
    /// Whether the last statement was dropped.
    dropped: bool,
}

impl Reader {
    fn statement(&mut self, sql: &str, transactional: bool) {
        let same = self
            .parts
            .last()
            .is_some_and(|p| p.transactional == transactional);
        if !same {
            self.parts.push(Part {
                transactional,
                text: String::new(),
            });
        }
        if let Some(part) = self.parts.last_mut() {
            part.text += &std::mem::take(&mut self.gap);
            part.text += sql;
        }
        self.ends = false;
        self.dropped = false;
    }

    fn drop_statement(&mut self) {
        self.ends = true;
        self.dropped = true;
    }

    /// The rows of the statement before them go where it went.
    fn rows(&mut self, rows: &str) {
        if let Some(part) = self.parts.last_mut().filter(|_| !self.dropped) {
            part.text += &std::mem::take(&mut self.gap);
            part.text += rows;
        }
    }

    /// What follows a statement on its line stays with it; the rest goes with the next.
    fn between(&mut self, text: &str, engine: Engine) {
        let semicolon =
            Lexer::new(text, lexis(Some(engine))).find(|token| token.kind == Kind::Semicolon);
        let (own, rest) = match semicolon {
            Some(token) if self.ends => {
                let kept = [&text[..token.start], &text[token.end()..]].concat();
                self.gap += &kept;
                self.ends = false;
                return;
            }
            Some(token) => {
                let line = text[token.end()..].find('\n');
                let end = line.map_or(text.len(), |length| token.end() + length + 1);
                text.split_at(end)
            }
            None => ("", text),
        };
        match self.parts.last_mut() {
            Some(part) => part.text += own,
            None => self.gap += own,
        }
        self.gap += rest;
    }

    fn finish(mut self) -> Vec<Part> {
        match self.parts.last_mut() {
            Some(part) => part.text += &self.gap,
            None if self.gap.trim().is_empty() => {}
            None => self.parts.push(Part {
                transactional: true,
                text: self.gap,
            }),
        }
        self.parts
    }
}

/// Whether a transaction is open after the statement; `None` where that cannot be said.
fn begins(sql: &str) -> Option<bool> {
    let word = sql.split(|c: char| !c.is_ascii_alphabetic()).next()?;
    match word.to_ascii_uppercase().as_str() {
        "BEGIN" | "START" => Some(true),
        "COMMIT" | "END" => Some(false),
        _ => None,
    }
}

/// Whether the engine refuses the statement within a transaction.
fn stands_alone(sql: &str, engine: Engine) -> bool {
    let words: Vec<String> = Lexer::new(sql, lexis(Some(engine)))
        .filter(|token| token.kind == Kind::Word)
        .map(|token| token.text.to_ascii_uppercase())
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let dialect = engine.dialect();
    dialect.is_some_and(|dialect| (dialect.transactions.refuses)(&words))
}

/// The text with a blank before each comment that a revision's file would read as a line of
/// its own form.
fn indented(source: &Source, engine: Engine) -> Result<String> {
    let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
    let comments: Vec<std::ops::Range<usize>> = Lexer::new(text, lexis(Some(engine)))
        .filter(|token| token.kind == Kind::Comment && token.closed)
        .map(|token| token.start..token.end())
        .collect();
    let mut indented = String::with_capacity(text.len());
    let mut start = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if is_head_or_section_line(line.trim_end()) {
            if !comments.iter().any(|comment| comment.contains(&start)) {
                return Err(at(
                    source,
                    index + 1,
                    "The line is part of a string, but would begin a section in the file of a \
                     revision.",
                )
                .with_hint("Write this revision by hand, and build the string in another way."));
            }
            indented.push(' ');
        }
        indented.push_str(line);
        start += line.len();
    }
    Ok(indented)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn source(text: &str) -> Source {
        Source {
            name: "1.sql".to_owned(),
            path: "m/1.sql".to_owned(),
            text: text.to_owned(),
        }
    }

    fn shown(text: &str, wraps: bool) -> Vec<(bool, String)> {
        let parts = parts(&source(text), Engine::POSTGRES, wraps, |_| false).unwrap();
        parts
            .into_iter()
            .map(|p| (p.transactional, p.text))
            .collect()
    }

    #[test]
    fn a_plain_file_is_one_part_as_it_stands() {
        let text = "-- why\nCREATE TABLE a ();\n\nCREATE TABLE b (); -- so\n";
        assert_eq!(shown(text, true), [(true, text.to_owned())]);
        assert_eq!(shown("", true), []);
        assert_eq!(
            shown("-- nothing\n", true),
            [(true, "-- nothing\n".to_owned())]
        );
    }

    #[test]
    fn the_transaction_of_a_file_becomes_that_of_its_section() {
        assert_eq!(
            shown("BEGIN;\nCREATE TABLE a ();\nCOMMIT;\n", true),
            [(true, "\nCREATE TABLE a ();\n\n".to_owned())]
        );
        assert_eq!(
            shown("SELECT 1;\nCOMMIT;\nSELECT 2;\nBEGIN;\nSELECT 3;\n", true),
            [
                (true, "SELECT 1;\n".to_owned()),
                (false, "\nSELECT 2;\n".to_owned()),
                (true, "\nSELECT 3;\n".to_owned()),
            ]
        );
        let error = parts(
            &source("SELECT 1;\nSAVEPOINT a;"),
            Engine::POSTGRES,
            true,
            |_| false,
        );
        assert_eq!(
            error.unwrap_err().message(),
            "m/1.sql, line 2: SAVEPOINT cannot be adopted: a revision cannot contain it."
        );
    }

    #[test]
    fn what_runs_only_outside_a_transaction_does_so() {
        assert_eq!(
            shown(
                "SELECT 1;\nCREATE INDEX CONCURRENTLY i ON a (b);\nVACUUM a",
                true
            ),
            [
                (true, "SELECT 1;\n".to_owned()),
                (
                    false,
                    "CREATE INDEX CONCURRENTLY i ON a (b);\nVACUUM a".to_owned()
                ),
            ]
        );
    }

    #[test]
    fn comments_that_look_like_section_lines_stay_comments() {
        assert_eq!(
            shown("-- up\nSELECT 1;\n-- Down:\n-- revision: x\n", true),
            [(
                true,
                " -- up\nSELECT 1;\n -- Down:\n -- revision: x\n".to_owned()
            )]
        );
        let within = parts(
            &source("SELECT '\n-- down\n'"),
            Engine::POSTGRES,
            true,
            |_| false,
        );
        let said = within.unwrap_err().to_string();
        assert!(
            said.starts_with("m/1.sql, line 2: The line is part of a string"),
            "{said}"
        );
    }

    #[test]
    fn a_file_that_cannot_be_split_is_named_with_its_line() {
        let error = parts(&source("SELECT 1;\n\\d"), Engine::POSTGRES, true, |_| false);
        let said = error.unwrap_err().to_string();
        assert!(
            said.starts_with("m/1.sql, line 2: `\\d` is a command of psql"),
            "{said}"
        );
    }

    proptest! {
        /// However a file is put together, its statements come out, in order, and none else.
        #[test]
        fn no_statement_is_lost(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "SELECT 1", "BEGIN", "COMMIT", ";", "\n", " -- c\n", "/* ; */", "-- up\n",
                "VACUUM a", "SELECT $$\n;$$", "\r\n", "SELECT 'a;'",
            ]), 0..14),
            wraps: bool,
        ) {
            let text = pieces.concat();
            let Ok(parts) = parts(&source(&text), Engine::POSTGRES, wraps, |_| false) else {
                return Ok(());
            };
            let came: Vec<String> = parts.iter()
                .flat_map(|part| statements(&part.text, Engine::POSTGRES)).collect();
            let mut expected = statements(&indented(&source(&text), Engine::POSTGRES).unwrap(), Engine::POSTGRES);
            expected.retain(|sql| !is_transaction_control(sql));
            prop_assert_eq!(came, expected);
        }
    }
}
