//! The form of a revision as a file:
//!
//! ```sql
//! -- revision: 3f9c2a1b7d40
//! -- parents: 91b2c3d4e5f6
//! -- message: add performance indexes
//!
//! -- up
//! CREATE INDEX idx_query_name ON tb_query (name);
//!
//! -- down
//! DROP INDEX idx_query_name;
//! ```
//!
//! Above the first section line stand the headers, blank lines and comments; a comment
//! there whose first word ends in a colon is a header. `parents` may be empty, absent or
//! `none` (a base), or name two (a merge), separated by commas or blanks. `branch` gives the
//! branch that begins here a label, or several; `depends-on` names what has to be applied
//! before although it is on another branch. `date` is for readers only. A file with `repeatable: yes`
//! has no parents: it runs after all others, and again whenever its text has changed.
//!
//! A section line begins in the first column. After `-- up` or `-- down` it may have an
//! engine and `no-transaction`, or `code` by itself where Rust code does the work. There
//! may be any number of sections each way; [`Section::engine`] says which of them run.
//! `-- down: irreversible: REASON` says that there is no way back, as does a file without
//! a section down; `-- up: adopted: REASON`, that another tool went the way up, and that
//! there is none here. A line that begins like a section line and has two or more other
//! words, none of which looks like one of these, is a comment.

mod head;
mod new_script;
mod render;
mod section_line;
mod source_line;

use underpin_core::{Engine, Error, Result};
use underpin_sql::Piece;

use self::head::Head;
pub use self::new_script::{NewScript, NewSection};
pub use self::render::{NewRevision, TEMPLATE, render};
use self::section_line::{Form, SectionLine};
use self::source_line::SourceLine;
use crate::checksum::Checksum;
use crate::host::Direction;
use crate::revision::{Origin, Revision, Script, Section, Statement};
use crate::sql::{is_transaction_control, split};

/// Reads a revision from the text of its file; `name` is the file's in errors.
///
/// # Errors
/// [`Class::Config`](underpin_core::Class::Config), with the file and the line, for all
/// that is not of the form.
pub fn parse(name: &str, text: &[u8]) -> Result<Revision> {
    let text = readable(name, text)?;
    let mut head = Head::default();
    let mut sections: Vec<RawSection<'_>> = Vec::new();
    let mut end = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let place = SourceLine {
            name,
            line: index + 1,
        };
        let start = end;
        end += line.len();
        let line = line.trim_end();
        if let Some(header) = section_line::read(&place, line)? {
            let body = &text[end..end];
            sections.push(RawSection {
                header,
                place,
                body,
            });
        } else if let Some(section) = sections.last_mut() {
            head::refuse_below(&place, line)?;
            let begin = start - section.body.len();
            section.body = &text[begin..end];
        } else {
            head.read(&place, line)?;
        }
    }
    let heading = head.finish(name)?;
    let up = script(&sections, Direction::Up)?.ok_or_else(|| {
        let place = SourceLine { name, line: 1 };
        place
            .error("The file has no section line `-- up`.")
            .with_hint("If there is nothing to do, write only this line.")
    })?;
    let down = script(&sections, Direction::Down)?.unwrap_or_else(|| Script::Irreversible {
        reason: "The file has no section `-- down`.".to_owned(),
    });
    Ok(Revision {
        checksum: Checksum::of(&heading.id, &up, &down),
        id: heading.id,
        parents: heading.parents,
        depends_on: heading.depends_on,
        branch_labels: heading.branch_labels,
        message: heading.message,
        repeatable: heading.repeatable,
        up,
        down,
        origin: Origin::File(name.to_owned()),
    })
}

/// Whether the line would be read as part of the form, or refused as what looks so, if it
/// stood among the SQL of a section.
pub(crate) fn is_head_or_section_line(line: &str) -> bool {
    let place = SourceLine { name: "", line: 1 };
    let section = !matches!(section_line::read(&place, line), Ok(None));
    section || head::refuse_below(&place, line).is_err()
}

/// A section line and the text up to the next.
struct RawSection<'a> {
    header: SectionLine,
    place: SourceLine<'a>,
    body: &'a str,
}

/// The text without its byte order mark.
fn readable<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str> {
    let line_of = |at: usize| bytes[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
    let refuse = |at: usize, message: &str| {
        let line = line_of(at);
        SourceLine { name, line }
            .error(message)
            .with_hint("Save the file as UTF-8.")
    };
    if let Some(at) = bytes.iter().position(|&byte| byte == 0) {
        return Err(refuse(at, "The line contains a NUL byte."));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| refuse(error.valid_up_to(), "The line is not valid UTF-8."))?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// What the sections of this direction say together; `None` where there is none.
fn script(sections: &[RawSection<'_>], direction: Direction) -> Result<Option<Script>> {
    let sections: Vec<_> = sections
        .iter()
        .filter(|section| section.header.direction == direction)
        .collect();
    if sections.is_empty() {
        return Ok(None);
    }
    let mut read = Vec::with_capacity(sections.len());
    for section in &sections {
        let script = match &section.header.form {
            Form::Sql {
                engine,
                transactional,
            } => {
                read.push(section.read(*engine, *transactional)?);
                continue;
            }
            Form::Code => Script::Code,
            Form::Irreversible { reason } => Script::Irreversible {
                reason: reason.clone(),
            },
        };
        section.is_alone(&sections)?;
        return Ok(Some(script));
    }
    // An empty section of an engine still says that the engine has one.
    read.retain(|section| section.engine.is_some() || !section.statements.is_empty());
    Ok(Some(Script::Sql(read)))
}

impl RawSection<'_> {
    fn read(&self, engine: Option<Engine>, transactional: bool) -> Result<Section> {
        let statements = self.statements(engine)?;
        let control = statements
            .iter()
            .find(|statement| transactional && is_transaction_control(&statement.sql));
        if let Some(statement) = control {
            return Err(self.transaction_control(statement));
        }
        Ok(Section {
            engine,
            transactional,
            read_otherwise: match engine {
                Some(_) => Vec::new(),
                None => self.read_otherwise(&statements),
            },
            statements,
        })
    }

    /// The statements on each engine that cuts the text of this section, which is for all,
    /// differently: `[a;b]` is a name in one dialect, and two statements in another.
    fn read_otherwise(&self, usual: &[Statement]) -> Vec<(Engine, Vec<Statement>)> {
        let engines = Engine::all().into_iter();
        engines
            .filter_map(|engine| {
                // What an engine cannot read to its end is sent as it is usually cut, and the
                // server says what is wrong with it.
                let statements = self.statements(Some(engine)).ok()?;
                (statements != usual).then_some((engine, statements))
            })
            .collect()
    }

    /// Checks that this section, which is not SQL, has no statement and is the only one of its direction.
    fn is_alone(&self, sections: &[&RawSection<'_>]) -> Result<()> {
        let other = sections.iter().find(|other| !std::ptr::eq(**other, self));
        let statement = self.statements(None)?.first().map(|first| first.line);
        let line = other.map(|other| other.place.line).or(statement);
        line.map_or(Ok(()), |line| {
            Err(self
                .place
                .on(line)
                .error("A way that is Rust code or irreversible has one section line and no SQL."))
        })
    }

    fn statements(&self, engine: Option<Engine>) -> Result<Vec<Statement>> {
        let pieces = split(self.body, engine).map_err(|error| {
            let place = self.place.on(self.place.line + error.line());
            let mistake = place.error(error.message());
            match error.hint() {
                Some(hint) => mistake.with_hint(hint),
                None => mistake,
            }
        })?;
        let mut statements: Vec<Statement> = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Statement { range, line, times } => {
                    let statement = Statement::new(&self.body[range], self.place.line + line);
                    statements.extend(std::iter::repeat_n(statement, times as usize));
                }
                Piece::Rows { range } => {
                    if let Some(copy) = statements.last_mut() {
                        copy.rows = Some(Piece::rows(&self.body[range]).to_owned());
                    }
                }
                Piece::Between { .. } => {}
            }
        }
        Ok(statements)
    }

    fn transaction_control(&self, statement: &Statement) -> Error {
        let word = statement.sql.split_whitespace().next().unwrap_or_default();
        let way = self.header.direction_name();
        self.place
            .on(statement.line)
            .error(format!(
                "{} is not allowed here: the runner itself begins and ends the transaction of the \
                 section.",
                word.to_ascii_uppercase()
            ))
            .with_hint(format!(
                "Leave it out, or begin a section with `-- {way} no-transaction`."
            ))
    }
}

#[cfg(test)]
mod tests;
