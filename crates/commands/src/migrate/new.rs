use std::fs::OpenOptions;
use std::io::{ErrorKind, Write, stdout};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::Args;
use underpin::migrate::{
    BranchLabel, Graph, NewRevision, NewScript, Revision, RevisionId, TEMPLATE, file_name, parse,
    render,
};
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

    /// What it stands on, instead of the head: the id of a head, shop@head, or base to stand
    /// on nothing; given twice, the new one merges them
    #[arg(long = "parent", visible_alias = "head", value_name = "ID")]
    pub parents: Vec<String>,

    /// Let it stand on a revision that is no head, which begins another branch
    #[arg(long)]
    pub splice: bool,

    /// A name for the branch that begins with it
    #[arg(long = "branch-label", value_name = "NAME")]
    pub branch_labels: Vec<String>,

    /// A revision of another branch that has to be applied before it, and is no parent
    #[arg(long, value_name = "ID")]
    pub depends_on: Vec<String>,

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
        parents: parents(arguments, &graph)?,
        depends_on: dependencies(&arguments.depends_on, &graph)?,
        branch_labels: labels(&arguments.branch_labels)?,
        message: message.to_owned(),
        date: today(),
        up: NewScript::default(),
        down: NewScript::default(),
    };
    write(directory, &graph, &revision)?;
    Ok(Exit::Success)
}

/// Writes the file of a revision that fits into the graph, and prints its path.
pub(super) fn write(directory: &Path, graph: &Graph, revision: &NewRevision) -> Result<()> {
    let text = render(&template(directory)?, revision)?;
    let path = directory.join(file_name(&revision.id, &revision.message));
    let mut revisions = graph.topological().to_vec();
    revisions.push(parse(&path.display().to_string(), text.as_bytes())?);
    Graph::new(revisions)?;
    write_new(&path, &text)?;
    or_broken_pipe(writeln!(stdout(), "{}", path.display()))
}

/// The day, as a revision's file has it.
pub(super) fn today() -> String {
    TimestampTz::from(SystemTime::now()).date().to_string()
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

fn parents(arguments: &NewArguments, graph: &Graph) -> Result<Vec<RevisionId>> {
    let given = &arguments.parents;
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
            .with_hint("Name one with --parent, as in `--parent shop@head`, or `merge` them."));
        }
        return Ok(heads.into_iter().map(|head| head.id.clone()).collect());
    }
    if let [base] = &given[..]
        && base == "base"
    {
        return Ok(Vec::new());
    }
    let mut ids: Vec<RevisionId> = Vec::new();
    for text in given {
        let revision = one(text, graph)?;
        if !arguments.splice && !graph.children(&revision.id).is_empty() {
            return Err(mistake(format!(
                "The revision `{}` ({}) is no head, and a new one on it would begin another \
                 branch.",
                revision.id, revision.message
            ))
            .with_hint("Say --splice if that is meant; `heads` lists the heads."));
        }
        if !ids.contains(&revision.id) {
            ids.push(revision.id.clone());
        }
    }
    Ok(ids)
}

fn dependencies(given: &[String], graph: &Graph) -> Result<Vec<RevisionId>> {
    let mut ids: Vec<RevisionId> = Vec::new();
    for text in given {
        let id = &one(text, graph)?.id;
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    Ok(ids)
}

/// The one revision that the text names.
fn one<'g>(text: &str, graph: &'g Graph) -> Result<&'g Revision> {
    let ends = graph.ends(&text.parse()?)?.unwrap_or_default();
    match ends[..] {
        [revision] => Ok(revision),
        _ => Err(mistake(format!("`{text}` names no single revision."))
            .with_hint("Name it by its id, or a head as in `head` and `shop@head`.")),
    }
}

fn labels(given: &[String]) -> Result<Vec<BranchLabel>> {
    let label = |text: &String| {
        BranchLabel::new(text.as_str()).ok_or_else(|| {
            mistake(format!("{text:?} cannot be the label of a branch."))
                .with_hint("A label has at most 64 lower-case letters, digits and underscores.")
        })
    };
    given.iter().map(label).collect()
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
