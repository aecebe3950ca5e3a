use underpin_core::{Class, Engine, Error, Result};
use underpin_sql::Piece;

use super::section_line::{self, Form};
use super::source_line::SourceLine;
use crate::host::Direction;
use crate::revision::Script;
use crate::sql::split;
use crate::validate::command;

/// One direction of a revision that is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NewScript {
    /// SQL, in the order in which it runs. Empty: the section is there, for somebody to fill.
    Sql(Vec<NewSection>),
    /// There is no way in this direction. Only the way down can be like that.
    Irreversible {
        /// Why: a sentence.
        reason: String,
    },
}

/// Statements that run together, with semicolons and comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSection {
    /// The engine that it runs on; `None` for all.
    pub engine: Option<Engine>,
    /// Whether it runs within a transaction.
    pub transactional: bool,
    /// The SQL.
    pub sql: String,
}

impl Default for NewScript {
    fn default() -> Self {
        NewScript::Sql(Vec::new())
    }
}

impl NewScript {
    /// SQL for all engines, within a transaction.
    pub fn of(sql: impl Into<String>) -> Self {
        NewScript::Sql(vec![NewSection {
            engine: None,
            transactional: true,
            sql: sql.into(),
        }])
    }

    pub(super) fn is_empty(&self) -> bool {
        let sections = match self {
            NewScript::Sql(sections) => sections,
            NewScript::Irreversible { .. } => return false,
        };
        sections
            .iter()
            .all(|section| section.engine.is_none() && section.sql.trim().is_empty())
    }

    /// Whether the section line of the template is the right one for it.
    pub(super) fn is_plain(&self) -> bool {
        match self {
            NewScript::Sql(sections) => match &sections[..] {
                [] => true,
                [section] => section.engine.is_none() && section.transactional,
                _ => false,
            },
            NewScript::Irreversible { .. } => false,
        }
    }

    pub(super) fn sql(&self) -> impl Iterator<Item = &str> {
        let sections: &[NewSection] = match self {
            NewScript::Sql(sections) => sections,
            NewScript::Irreversible { .. } => &[],
        };
        sections.iter().map(|section| section.sql.as_str())
    }

    /// What stands in the template's place: with section lines where the template's is not
    /// the right one.
    pub(super) fn text(&self, direction: Direction) -> String {
        let way = command(direction);
        match self {
            NewScript::Irreversible { reason } => {
                let reason: Vec<&str> = reason.split_whitespace().collect();
                format!("-- {way}: irreversible: {}", reason.join(" "))
            }
            NewScript::Sql(_) if self.is_plain() => {
                self.sql().collect::<String>().trim_end().to_owned()
            }
            NewScript::Sql(sections) => {
                let sections = sections.iter().map(|section| {
                    let engine = section.engine.map_or(String::new(), |of| format!(" {of}"));
                    let alone = if section.transactional {
                        ""
                    } else {
                        " no-transaction"
                    };
                    let sql = section.sql.trim_end();
                    format!("-- {way}{engine}{alone}\n{sql}")
                        .trim_end()
                        .to_owned()
                });
                sections.collect::<Vec<_>>().join("\n\n")
            }
        }
    }

    /// Whether what was read is this: every statement, in or out of a transaction.
    ///
    /// # Errors
    /// [`Class::Config`] where the SQL cannot be cut into statements.
    pub(super) fn is_in(&self, read: &Script) -> Result<bool> {
        let (sections, read) = match (self, read) {
            (NewScript::Sql(sections), Script::Sql(read)) => (sections, read),
            (NewScript::Irreversible { .. }, Script::Irreversible { .. }) => return Ok(true),
            (NewScript::Sql(_), Script::Irreversible { .. }) => return Ok(self.is_empty()),
            _ => return Ok(false),
        };
        let mut given = Vec::new();
        for section in sections {
            for statement in statements(section)? {
                given.push((section.engine, section.transactional, statement));
            }
        }
        let mut read = read.iter().flat_map(|section| {
            let statements = section.statements.iter();
            statements.map(move |one| (section, one.sql.as_str()))
        });
        // What a template adds of its own may stand in between.
        Ok(given.iter().all(|(engine, transactional, sql)| {
            read.any(|(section, read)| {
                read == sql
                    && section.transactional == *transactional
                    && (engine.is_none() || section.engine == *engine)
            })
        }))
    }
}

fn statements(section: &NewSection) -> Result<Vec<String>> {
    let pieces = split(&section.sql, section.engine).map_err(|error| {
        let line = error.line();
        Error::new(
            Class::Config,
            format!(
                "The SQL of the new revision, line {line}: {}",
                error.message()
            ),
        )
    })?;
    let statements = pieces.into_iter().filter_map(|piece| match piece {
        Piece::Statement { range, .. } => Some(section.sql[range].to_owned()),
        Piece::Rows { .. } | Piece::Between { .. } => None,
    });
    Ok(statements.collect())
}

/// The template without the section line that stands above the place, if it is one for all
/// engines and nothing else stands between.
pub(super) fn without_line(template: &str, place: &str, direction: Direction) -> String {
    let Some(at) = template.find(place) else {
        return template.to_owned();
    };
    let above = template[..at].trim_end();
    let start = above.rfind('\n').map_or(0, |end| end + 1);
    let plain = Form::Sql {
        engine: None,
        transactional: true,
    };
    let of_template = SourceLine {
        name: "The template",
        line: 1,
    };
    match section_line::read(&of_template, &above[start..]) {
        Ok(Some(line)) if line.direction == direction && line.form == plain => {
            format!("{}{}", &template[..start], &template[at..])
        }
        _ => template.to_owned(),
    }
}
