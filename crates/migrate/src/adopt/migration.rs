use underpin_core::{Engine, Error, Result};

use super::body::{self, Part, parts};
use super::{Adoption, Source, refused};
use crate::host::Direction;
use crate::revision::{BranchLabel, Revision, RevisionId, Script, Section};
use crate::revision_file::parse;
use crate::validate::command;

/// A migration of another tool, as it is going to be a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Migration {
    pub(crate) id: RevisionId,
    pub(crate) parents: Vec<RevisionId>,
    pub(crate) depends_on: Vec<RevisionId>,
    pub(crate) branch_labels: Vec<BranchLabel>,
    pub(crate) message: String,
    pub(crate) repeatable: bool,
    /// Its file, within its directory.
    pub(crate) source: String,
    pub(crate) up: Way,
    pub(crate) down: Way,
}

/// One direction of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Way {
    Sql(Vec<Part>),
    /// There is none here; why, in a full sentence on one line.
    None(String),
    /// Its SQL cannot be carried over; why, in a full sentence on one line.
    Left(String),
}

impl Way {
    /// The SQL of a file, or why it cannot be carried over: that is the file's own matter, and
    /// stops no other. `wraps` says whether the tool puts a transaction around all of it.
    pub(crate) fn of(source: &Source, engine: Engine, wraps: bool) -> Self {
        match parts(source, engine, wraps, |_| false) {
            Ok(parts) => Way::Sql(parts),
            Err(error) => Way::left(&error),
        }
    }

    fn left(error: &Error) -> Self {
        let message: Vec<&str> = error.message().split_whitespace().collect();
        Way::Left(message.join(" "))
    }
}

impl Migration {
    /// One that stands by itself.
    pub(crate) fn new(id: RevisionId, message: &str, source: &str, up: Way, down: Way) -> Self {
        let message: Vec<&str> = message.split_whitespace().collect();
        Migration {
            message: match message.is_empty() {
                true => id.to_string(),
                false => message.join(" "),
            },
            id,
            parents: Vec::new(),
            depends_on: Vec::new(),
            branch_labels: Vec::new(),
            repeatable: false,
            source: source.to_owned(),
            up,
            down,
        }
    }

    /// The same without its SQL, which this error is about.
    pub(crate) fn without_sql(mut self, error: &Error) -> Self {
        for way in [&mut self.up, &mut self.down] {
            if let Way::Sql(_) = way {
                *way = Way::left(error);
            }
        }
        self
    }

    /// What of it was left out, in full sentences.
    pub(crate) fn notes(&self) -> Vec<String> {
        let ways = [("up", &self.up), ("down", &self.down)];
        let left = ways.into_iter().filter_map(|(name, way)| match way {
            Way::Left(reason) => Some(format!(
                "{reason} The revision `{}` is adopted without its way {name}.",
                self.id
            )),
            Way::Sql(_) | Way::None(_) => None,
        });
        left.collect()
    }

    /// The revision, and the text of its file.
    pub(crate) fn revision(
        &self,
        adoption: &Adoption,
        engine: Engine,
    ) -> Result<(Revision, String)> {
        let text = self.text(adoption, engine);
        let name = crate::directory::file_name(&self.id, &self.message);
        let path = adoption.into.join(name).display().to_string();
        let revision = parse(&path, text.as_bytes())?;
        for (way, script, direction) in [
            (&self.up, &revision.up, Direction::Up),
            (&self.down, &revision.down, Direction::Down),
        ] {
            if !is_whole(way, script, engine) {
                return Err(refused(format!(
                    "The way {} of {} cannot be adopted as it is.",
                    command(direction),
                    self.source
                ))
                .with_hint("Write its revision by hand, and set the history with `stamp`."));
            }
        }
        Ok((revision, text))
    }

    fn text(&self, adoption: &Adoption, engine: Engine) -> String {
        let mut text = format!("-- revision: {}\n", self.id);
        match self.repeatable {
            true => text += "-- repeatable: yes\n",
            false => text += &format!("-- parents: {}\n", listed(&self.parents, "none")),
        }
        if !self.branch_labels.is_empty() {
            text += &format!("-- branch: {}\n", listed(&self.branch_labels, ""));
        }
        if !self.depends_on.is_empty() {
            text += &format!("-- depends-on: {}\n", listed(&self.depends_on, ""));
        }
        text += &format!("-- message: {}\n", self.message);
        text += &format!("-- Adopted from {}: {}\n", adoption.tool, self.source);
        way(&mut text, "up", "adopted", &self.up, engine);
        way(&mut text, "down", "irreversible", &self.down, engine);
        text
    }
}

fn listed(names: &[impl ToString], none: &str) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    match names.is_empty() {
        true => none.to_owned(),
        false => names.join(", "),
    }
}

fn way(text: &mut String, name: &str, word: &str, way: &Way, engine: Engine) {
    let parts = match way {
        Way::Sql(parts) => parts,
        Way::None(reason) | Way::Left(reason) => {
            *text += &format!("\n-- {name}: {word}: {reason}\n");
            return;
        }
    };
    if parts.is_empty() {
        *text += &format!("\n-- {name}\n");
    }
    for part in parts {
        let own = match body::reads_the_same(&part.text, engine) {
            true => String::new(),
            false => format!(" {engine}"),
        };
        let alone = if part.transactional {
            ""
        } else {
            " no-transaction"
        };
        *text += &format!("\n-- {name}{own}{alone}\n");
        *text += part.text.trim_matches(['\n', '\r']);
        text.push('\n');
    }
}

/// Whether the script has every statement of the way, each in or out of a transaction as
/// there.
fn is_whole(way: &Way, script: &Script, engine: Engine) -> bool {
    let (parts, sections) = match (way, script) {
        (Way::Sql(parts), Script::Sql(sections)) => (parts, sections),
        (Way::None(_) | Way::Left(_), Script::Irreversible { .. }) => return true,
        _ => return false,
    };
    let of_section = |section: &Section| {
        let transactional = section.transactional;
        let statements = section.statements.iter();
        statements
            .map(|statement| (transactional, statement.sql.replace("\r\n", "\n")))
            .collect::<Vec<_>>()
    };
    let read = sections.iter().flat_map(of_section);
    let meant = parts.iter().flat_map(|part| {
        let statements = body::statements(&part.text, engine).into_iter();
        statements.map(|sql| (part.transactional, sql.replace("\r\n", "\n")))
    });
    read.eq(meant)
}

/// Each stands on the one before it.
pub(crate) fn chain(migrations: &mut [Migration]) {
    let mut parent: Option<RevisionId> = None;
    for migration in migrations.iter_mut().filter(|one| !one.repeatable) {
        migration.parents = parent.replace(migration.id.clone()).into_iter().collect();
    }
}

/// The id of a revision for another tool's version, which may be written more freely.
pub(crate) fn id_of(version: &str) -> Result<RevisionId> {
    let id: String = version.chars().map(plain).collect();
    RevisionId::new(id).ok_or_else(|| {
        refused(format!(
            "The version {version:?} cannot be the id of a revision, which has up to 64 letters \
             and digits."
        ))
    })
}

/// The label for a branch that may be called more freely.
pub(crate) fn label_of(text: &str) -> Result<BranchLabel> {
    let label: String = text.chars().map(plain).collect();
    BranchLabel::new(label).ok_or_else(|| {
        refused(format!(
            "{text:?} cannot be the label of a branch, which has up to 64 letters and digits."
        ))
    })
}

fn plain(c: char) -> char {
    match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9') => c,
        _ => '_',
    }
}
