//! A revision that is about to be a file.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write, stdout};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use underpin::migrate::{Graph, NewRevision, Revision, TEMPLATE, file_name, parse, render};
use underpin::value::TimestampTz;
use underpin::{Class, Error, Result};

use super::init::TEMPLATE_FILE;
use crate::output::or_broken_pipe;

/// The file that a revision is going to be.
pub(super) struct Draft {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// The revision, as it is read from the text.
    pub(super) revision: Revision,
}

/// The file of a revision that fits into the graph.
pub(super) fn draft(directory: &Path, graph: &Graph, revision: &NewRevision) -> Result<Draft> {
    let text = render(&template(directory)?, revision)?;
    let path = directory.join(file_name(&revision.id, &revision.message));
    let revision = parse(&path.display().to_string(), text.as_bytes())?;
    with(graph, &revision)?;
    Ok(Draft {
        path,
        text,
        revision,
    })
}

/// The graph with one more revision.
pub(super) fn with(graph: &Graph, revision: &Revision) -> Result<Graph> {
    let mut revisions: Vec<Revision> = graph.all().cloned().collect();
    revisions.push(revision.clone());
    Graph::new(revisions)
}

/// Writes the file, and prints its path.
pub(super) fn write(draft: &Draft) -> Result<()> {
    let path = &draft.path;
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(|error| unusable(directory, &error))?;
    }
    let opened = OpenOptions::new().write(true).create_new(true).open(path);
    opened
        .and_then(|mut file| file.write_all(draft.text.as_bytes()))
        .map_err(|error| unusable(path, &error))?;
    or_broken_pipe(writeln!(stdout(), "{}", path.display()))
}

/// The day, as a revision's file has it.
pub(super) fn today() -> String {
    TimestampTz::from(SystemTime::now()).date().to_string()
}

fn template(directory: &Path) -> Result<String> {
    let path = directory.join(TEMPLATE_FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(TEMPLATE.to_owned()),
        Err(error) => Err(unusable(&path, &error)),
    }
}

pub(super) fn unusable(path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        Class::Config,
        format!("{} cannot be used: {error}.", path.display()),
    )
}
