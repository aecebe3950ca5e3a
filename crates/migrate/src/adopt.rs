//! Changing over from another tool: its files and what its table records, in; revision
//! files and what is applied, out. It is pure; `adopt/run.rs` reads and writes.

mod alembic;
mod body;
mod diesel;
mod flyway;
mod golang_migrate;
mod migration;
mod offline;
mod python;
mod record;
mod refinery;
mod run;
mod sqlx;
#[cfg(test)]
mod tests;
mod tool;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use underpin_core::value::TimestampTz;
use underpin_core::{Class, Engine, Error, Result};

use self::migration::{Migration, Way, id_of};
use self::record::Record;
pub use self::run::{Adopted, adopt};
pub use self::tool::Tool;
use crate::failure::shortened;
use crate::graph::Graph;
use crate::revision::{Revision, RevisionId};
use crate::touched::touched;

/// An adoption: from which tool, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// The tool that has migrated the database until now.
    pub tool: Tool,
    /// The directory of its migrations.
    pub from: PathBuf,
    /// The directory of the revisions, which is made where it is missing.
    pub into: PathBuf,
    /// The table in which the tool keeps what is applied, where it is not its usual one:
    /// a name, or a schema and a name with a dot between.
    pub table: Option<String>,
    /// What `alembic upgrade … --sql` and `alembic downgrade … --sql` printed; of Alembic
    /// alone.
    pub sql: Vec<PathBuf>,
    /// Whether revisions of Alembic whose SQL is not given are adopted without a way up.
    pub without_sql: bool,
    /// Whether statements about the tool's own table are left out.
    pub without_own_table: bool,
}

impl Adoption {
    /// From the tool, in its usual table, the migrations of a directory.
    pub fn new(tool: Tool, from: impl AsRef<Path>, into: impl AsRef<Path>) -> Self {
        Adoption {
            tool,
            from: from.as_ref().to_owned(),
            into: into.as_ref().to_owned(),
            table: None,
            sql: Vec::new(),
            without_sql: false,
            without_own_table: false,
        }
    }
}

/// A file of the other tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// Its path within the directory, with `/` between the parts.
    pub(crate) name: String,
    /// Its path as errors name it.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The migrations of another tool as revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conversion {
    /// Each with the text of its file.
    pub(crate) revisions: Vec<(Revision, String)>,
    /// The applied ones, in the order of the graph.
    pub(crate) applied: Vec<RevisionId>,
    /// Notes for a person, in full sentences.
    pub(crate) notes: Vec<String>,
    /// When the tool applied what it has recorded.
    pub(crate) times: HashMap<RevisionId, TimestampTz>,
}

/// What each tool's module gives: its migrations, which of them are applied, and notes.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) migrations: Vec<Migration>,
    pub(crate) applied: Vec<RevisionId>,
    pub(crate) notes: Vec<String>,
}

/// The files and the records of the tool as revisions. `sql` is what Alembic printed.
pub(crate) fn convert(
    adoption: &Adoption,
    sources: &[Source],
    sql: &[Source],
    records: &[Record],
    engine: Engine,
) -> Result<Conversion> {
    let found = match adoption.tool {
        Tool::Alembic => alembic::read(adoption, sources, sql, records, engine),
        Tool::Sqlx => sqlx::read(sources, records, engine),
        Tool::Diesel => diesel::read(sources, records, engine),
        Tool::Refinery => refinery::read(sources, records, engine),
        Tool::Flyway => flyway::read(sources, records, engine),
        Tool::GolangMigrate => golang_migrate::read(sources, records, engine),
    }?;
    if found.migrations.is_empty() {
        return Err(refused(format!(
            "There are no migrations of {} in {}.",
            adoption.tool,
            adoption.from.display()
        ))
        .with_hint("--dir names the directory that has them."));
    }
    let mut notes = found.notes;
    let mut revisions = Vec::with_capacity(found.migrations.len());
    for mut migration in found.migrations {
        let own = own_table(adoption, &mut migration, sources, engine)?;
        let (migration, revision) = match migration.revision(adoption, engine) {
            Ok(revision) => (migration, revision),
            Err(error) => {
                let bare = migration.without_sql(&error);
                let revision = bare.revision(adoption, engine)?;
                (bare, revision)
            }
        };
        notes.extend(migration.notes());
        notes.extend(own);
        revisions.push(revision);
    }
    let graph = Graph::new(
        revisions
            .iter()
            .map(|(revision, _)| revision.clone())
            .collect(),
    )?;
    let mut applied = found.applied;
    applied.sort_by_key(|id| graph.all().position(|revision| revision.id == *id));
    applied.dedup();
    let times = records.iter().filter_map(|record| {
        let id = id_of(record.version.as_deref()?).ok()?;
        Some((id, record.applied_at?))
    });
    Ok(Conversion {
        revisions,
        applied,
        notes,
        times: times.collect(),
    })
}

/// The statements of a migration that touch the tool's own table, each in a sentence. Takes them out
/// of the migration if the adoption says so.
fn own_table(
    adoption: &Adoption,
    migration: &mut Migration,
    sources: &[Source],
    engine: Engine,
) -> Result<Vec<String>> {
    let name = adoption.table.as_deref().unwrap_or(adoption.tool.table());
    let name = name.rsplit('.').next().unwrap_or_default();
    let is_own = |sql: &str| {
        let objects = touched(sql, Some(engine));
        objects
            .iter()
            .any(|object| object.kind == "table" && object.name == name)
    };
    let (tool, file, id) = (adoption.tool, &migration.source, &migration.id);
    let mut notes = Vec::new();
    for way in [&mut migration.up, &mut migration.down] {
        let Way::Sql(parts) = way else {
            continue;
        };
        let all = parts
            .iter()
            .flat_map(|part| body::statements(&part.text, engine));
        let own: Vec<String> = all.filter(|sql| is_own(sql)).collect();
        if own.is_empty() {
            continue;
        }
        for sql in &own {
            let place = match line_of(sources, file, sql) {
                Some(line) => format!("{file}, line {line}"),
                None => file.clone(),
            };
            let statement = shortened(sql);
            notes.push(match adoption.without_own_table {
                true => format!(
                    "{place}: `{statement}` was left out, since the table {name} is {tool}'s own."
                ),
                false => format!(
                    "{place}: `{statement}` is about the table {name}, which is {tool}'s own. A \
                     database made from the revisions needs none: adopt with --without-own-table, \
                     or leave the statement out of `{id}`, if nothing else reads that table."
                ),
            });
        }
        if adoption.without_own_table {
            *parts = body::without(parts, file, engine, is_own)?;
        }
    }
    Ok(notes)
}

/// The line of a file in which a statement begins.
fn line_of(sources: &[Source], file: &str, sql: &str) -> Option<usize> {
    let source = sources.iter().find(|source| source.name == file)?;
    let at = source.text.find(sql)?;
    Some(source.text[..at].matches('\n').count() + 1)
}

/// A refusal; nothing was written.
fn refused(message: String) -> Error {
    Error::new(Class::Config, message)
}

/// The refusal of a record whose migration is not among the files.
fn no_file(tool: Tool, version: &str) -> Error {
    refused(format!(
        "The database's table of {tool} records the migration {version}, but there is no file for \
         it."
    ))
    .with_hint("Restore its file, or set --dir to the directory with all of them.")
}

/// The refusal of a file that is not what was applied.
fn changed(tool: Tool, path: &str) -> Error {
    refused(format!(
        "{path} has changed since {tool} applied it: its checksum is not the recorded one."
    ))
    .with_hint("Bring the file back as it was applied, line ends included.")
}

/// The refusal of a migration that failed half-way.
fn failed(tool: Tool, version: &str) -> Error {
    refused(format!(
        "The database's table of {tool} says that the migration {version} failed half-way."
    ))
    .with_hint(format!(
        "Bring the database to a known state, say so to {tool}, and adopt it then."
    ))
}
