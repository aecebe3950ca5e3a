use std::fs::OpenOptions;
use std::io::{ErrorKind, Write, stdout};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::Args;
use underpin::migrate::{Graph, NewRevision, Revision, RevisionId, TEMPLATE, file_name, render};
use underpin::value::TimestampTz;
use underpin::{Class, Error, Result};

use super::init::TEMPLATE_FILE;
use super::revisions::Revisions;
use crate::exit::Exit;
use crate::output::or_broken_pipe;

/// What the new revision is.
#[derive(Debug, Clone, Args)]
pub struct NewArguments {
    /// What the revision is for, in words
    #[arg(long, short, value_name = "TEXT")]
    pub message: String,

    /// The id of a revision that it stands on, instead of the head; given twice, the new
    /// one merges them
    #[arg(long = "parent", value_name = "ID")]
    pub parents: Vec<String>,

    /// Its own id, instead of twelve digits by chance
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
}

/// Writes the file, and prints its path.
pub(super) fn run(arguments: &NewArguments, revisions: Revisions<'_>) -> Result<Exit> {
    let directory = revisions.directory()?;
    let graph = revisions.graph()?;
    let message = arguments.message.trim();
    if message.is_empty() {
        return Err(mistake("The message is empty.").with_hint("Say what the revision is for."));
    }
    let revision = NewRevision {
        id: id(arguments.id.as_deref(), &graph)?,
        parents: parents(&arguments.parents, &graph)?,
        message: message.to_owned(),
        date: TimestampTz::from(SystemTime::now()).date().to_string(),
        up_sql: String::new(),
        down_sql: String::new(),
    };
    let text = render(&template(directory)?, &revision)?;
    let path = directory.join(file_name(&revision.id, &revision.message));
    write_new(&path, &text)?;
    or_broken_pipe(writeln!(stdout(), "{}", path.display()))?;
    Ok(Exit::Success)
}

fn mistake(message: impl Into<String>) -> Error {
    Error::new(Class::Config, message)
}

fn id(given: Option<&str>, graph: &Graph) -> Result<RevisionId> {
    let Some(given) = given else {
        return Ok(RevisionId::random());
    };
    let id = RevisionId::new(given).ok_or_else(|| {
        mistake(format!("{given:?} cannot be the id of a revision."))
            .with_hint("An id has at most 64 lower-case letters, digits and underscores.")
    })?;
    match graph.get(&id) {
        Some(other) => Err(mistake(format!(
            "The id `{id}` is taken by {}.",
            other.origin
        ))),
        None => Ok(id),
    }
}

fn parents(given: &[String], graph: &Graph) -> Result<Vec<RevisionId>> {
    let ids = |revisions: Vec<&Revision>| revisions.into_iter().map(|r| r.id.clone()).collect();
    if given.is_empty() {
        let heads = graph.heads();
        if heads.len() > 1 {
            let listed: Vec<String> = heads
                .iter()
                .map(|head| format!("`{}` ({})", head.id, head.message))
                .collect();
            return Err(mistake(format!(
                "There are {} heads, and a new revision could stand on any of them: {}.",
                heads.len(),
                listed.join(", ")
            ))
            .with_hint("Name one with --parent, or all of them to merge them."));
        }
        return Ok(ids(heads));
    }
    let found: Result<Vec<&Revision>> = given.iter().map(|text| graph.resolve(text)).collect();
    found.map(ids)
}

fn template(directory: &Path) -> Result<String> {
    let path = directory.join(TEMPLATE_FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(TEMPLATE.to_owned()),
        Err(error) => Err(unusable(&path, &error)),
    }
}

fn write_new(path: &PathBuf, text: &str) -> Result<()> {
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    opened
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| unusable(path, &error))
}

pub(super) fn unusable(path: &Path, error: &std::io::Error) -> Error {
    mistake(format!("{} cannot be used: {error}.", path.display()))
}
