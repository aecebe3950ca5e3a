//! Adoption as a run: reads the other tool's files and table, writes revision files and
//! the history, all of it or nothing.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use underpin_core::{Class, Effect, Error, Result, Value};

use super::{Adoption, Conversion, Record, Source, Tool, convert, refused};
use crate::dialect::MigrationDialect;
use crate::directory::{file_name, read_directory};
use crate::graph::Graph;
use crate::history_table::HistoryTable;
use crate::host::Host;
use crate::lock;
use crate::progress::Progress;
use crate::revision::{Revision, RevisionId};
use crate::run::RunOptions;
use crate::stamp;
use crate::transaction::Transaction;

/// The result of an adoption. If everything was adopted before, nothing was written or recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Adopted {
    /// How many migrations the other tool has, each a revision now.
    pub revisions: usize,
    /// The revision files that were written; what was there before and says the same was
    /// left.
    pub written: Vec<PathBuf>,
    /// The revisions that were recorded as applied, in order.
    pub recorded: Vec<RevisionId>,
    /// The adopted revisions that the database does not have yet, in order.
    pub pending: Vec<RevisionId>,
    /// Notes for a person, in full sentences.
    pub notes: Vec<String>,
}

/// Adopts what another tool has done with the database. That tool's table and files are
/// left as they are.
///
/// # Errors
/// [`Class::Config`], in full sentences, for what cannot be adopted: files that are
/// missing, have changed or cannot be carried over, a migration that failed half-way, a
/// database that has no table of the tool. [`Class::Resource`] where files cannot be
/// written. Nothing is written then.
///
/// # Cancel safety
/// Dropped half-way, files may be there and nothing recorded; another adoption goes on
/// with them.
pub async fn adopt(
    host: &dyn Host,
    adoption: &Adoption,
    progress: &dyn Progress,
) -> Result<Adopted> {
    let sources = read_sources(&adoption.from, adoption.tool)?;
    let sql: Result<Vec<Source>> = adoption.sql.iter().map(|path| read_text(path)).collect();
    let sql = sql?;
    let lock = lock::acquire(host, RunOptions::default().wait, progress).await?;
    let done = match Transaction::begin(host).await {
        Ok(transaction) => {
            let mut written = Written::default();
            let adopted = locked(host, adoption, &sources, &sql, &mut written).await;
            let ended = match adopted {
                Ok(adopted) => transaction.commit(host).await.map(|()| adopted),
                Err(error) => {
                    transaction.rollback(host).await;
                    Err(error.with_effect(Effect::RolledBack))
                }
            };
            if ended.is_err() {
                written.remove();
            }
            ended
        }
        Err(error) => Err(error),
    };
    lock.release(host).await;
    done
}

async fn locked(
    host: &dyn Host,
    adoption: &Adoption,
    sources: &[Source],
    sql: &[Source],
    written: &mut Written,
) -> Result<Adopted> {
    let records = read_records(host, adoption).await?;
    let Conversion {
        revisions,
        applied,
        notes,
        times,
    } = convert(adoption, sources, sql, &records, host.engine())?;
    let existing = match adoption.into.is_dir() {
        true => read_directory(&adoption.into)?,
        false => Vec::new(),
    };
    let missing = missing(&revisions, &existing)?;
    let own = missing.iter().map(|(revision, _)| revision.clone());
    let graph = Graph::new(existing.iter().cloned().chain(own).collect())?;

    let table = HistoryTable::find(host).await?;
    let history = table.read(host).await?;
    let mut recorded = Vec::new();
    for revision in applied.iter().filter_map(|id| graph.get(id)) {
        if stamp::apply(revision, &history).is_some() {
            recorded.push(revision);
        }
    }
    for (revision, text) in &missing {
        written.write(&adoption.into, revision, text)?;
    }
    if !recorded.is_empty() {
        table.make(host).await?;
        for revision in &recorded {
            let tool = adoption.tool.name();
            let time = times.get(&revision.id).copied();
            table.put_adopted(host, revision, tool, time).await?;
        }
    }
    let is_pending = |revision: &&Revision| {
        let adopted = revisions.iter().any(|(own, _)| own.id == revision.id);
        adopted && !applied.contains(&revision.id) && !history.is_applied(&revision.id)
    };
    let pending = graph.all().filter(is_pending);
    Ok(Adopted {
        revisions: revisions.len(),
        written: written.files.clone(),
        recorded: recorded
            .iter()
            .map(|revision| revision.id.clone())
            .collect(),
        pending: pending.map(|revision| revision.id.clone()).collect(),
        notes,
    })
}

/// The revisions that have no file yet. One that has another one's id is refused.
fn missing<'a>(
    revisions: &'a [(Revision, String)],
    existing: &[Revision],
) -> Result<Vec<&'a (Revision, String)>> {
    let mut missing = Vec::new();
    for pair in revisions {
        let (revision, _) = pair;
        let Some(there) = existing.iter().find(|there| there.id == revision.id) else {
            missing.push(pair);
            continue;
        };
        let same = there.checksum == revision.checksum
            && there.parents == revision.parents
            && there.depends_on == revision.depends_on;
        if !same {
            return Err(refused(format!(
                "There is a revision `{}` ({}) already, but it differs from the one that would be \
                 adopted.",
                revision.id, there.origin
            ))
            .with_hint("Move it away, or adopt into another directory with --revisions."));
        }
    }
    Ok(missing)
}

/// Files that this run has made, to be removed where it fails.
#[derive(Default)]
struct Written {
    directory: Option<PathBuf>,
    files: Vec<PathBuf>,
}

impl Written {
    fn write(&mut self, into: &Path, revision: &Revision, text: &str) -> Result<()> {
        let path = into.join(file_name(&revision.id, &revision.message));
        let unusable = |error: std::io::Error| {
            let message = format!("{} cannot be written: {error}.", path.display());
            Error::new(Class::Resource, message).with_source(error)
        };
        if !into.is_dir() {
            fs::create_dir_all(into).map_err(unusable)?;
            self.directory = Some(into.to_owned());
        }
        let mut options = fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(unusable)?;
        self.files.push(path.clone());
        file.write_all(text.as_bytes()).map_err(unusable)
    }

    fn remove(self) {
        for file in &self.files {
            if let Err(error) = fs::remove_file(file) {
                tracing::warn!(%error, file = %file.display(), "a file is left behind");
            }
        }
        if let Some(directory) = self.directory {
            // What others have put there meanwhile keeps it.
            let _ = fs::remove_dir(directory);
        }
    }
}

async fn read_records(host: &dyn Host, adoption: &Adoption) -> Result<Vec<Record>> {
    let dialect = MigrationDialect::of(host.engine())?;
    let Some(rules) = &dialect.adoption else {
        let message = format!("Adoption is not supported on {}.", host.engine());
        return Err(Error::new(Class::Unsupported, message));
    };
    let name = adoption.table.as_deref().unwrap_or(adoption.tool.table());
    let parts = name.split('.').map(|part| dialect.sql.identifier(part));
    let quoted = parts.collect::<Result<Vec<String>, _>>()?.join(".");
    let wanted = match rules.finds_qualified {
        true => quoted.as_str(),
        false => name.rsplit('.').next().unwrap_or_default(),
    };
    let wanted = vec![Value::Text(wanted.to_owned())];
    let found = host.query(rules.find_table, wanted).await?;
    if found.is_empty() {
        return Err(refused(format!(
            "The database has no table {name}, in which {} records applied migrations.",
            adoption.tool
        ))
        .with_hint(
            "Check that it is the right database and the right tool; --table sets another table.",
        ));
    }
    let sql = adoption.tool.select().replace("{table}", &quoted);
    let sql = sql.replace("{checksum_in_hex}", rules.checksum_in_hex);
    let rows = host.query(&sql, Vec::new()).await.map_err(|error| {
        let tool = adoption.tool;
        error.with_context(format!(
            "The table {name} does not have the form that {tool} creates."
        ))
    })?;
    rows.iter().map(Record::of).collect()
}

/// The files of the tool's directory and of those within it, in the order of their names.
fn read_sources(directory: &Path, tool: Tool) -> Result<Vec<Source>> {
    if !directory.is_dir() {
        return Err(refused(format!(
            "There is no directory {} to read migrations of {tool} from.",
            directory.display()
        ))
        .with_hint("Set it with --dir; a path is relative to the current directory."));
    }
    let mut sources = Vec::new();
    let mut left = vec![(directory.to_owned(), String::new())];
    while let Some((path, prefix)) = left.pop() {
        let entries = fs::read_dir(&path).map_err(|error| unreadable(&path, &error))?;
        for entry in entries {
            let file = entry.map_err(|error| unreadable(&path, &error))?.path();
            let Some(name) = file.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if name.starts_with('.') || name == "__pycache__" {
                continue;
            }
            let name = format!("{prefix}{name}");
            if file.is_dir() {
                left.push((file, format!("{name}/")));
            } else if is_read(&name) {
                let source = read_text(&file)?;
                sources.push(Source { name, ..source });
            }
        }
    }
    sources.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(sources)
}

/// Whether the file can be part of a migration of any tool.
fn is_read(name: &str) -> bool {
    let endings = [".sql", ".py", ".rs", ".toml", ".conf"];
    endings.iter().any(|ending| name.ends_with(ending))
}

fn read_text(path: &Path) -> Result<Source> {
    let name = path.display().to_string();
    Ok(Source {
        text: fs::read_to_string(path).map_err(|error| unreadable(path, &error))?,
        path: name.clone(),
        name,
    })
}

fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    refused(format!("{} cannot be read: {error}.", path.display()))
}
