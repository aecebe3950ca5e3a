use std::path::PathBuf;

use clap::Args;
use underpin::migrate::{BranchLabel, Graph, NewRevision, NewScript, Revision, RevisionId};
use underpin::{Class, Engine, Error, Result};

use super::autogenerate;
use super::compare::Parts;
use super::draft::{draft, today, write};
use super::project::Project;
use crate::exit::Exit;
use crate::options::GlobalOptions;

/// Arguments of `migrate new`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct NewArguments {
    /// Purpose of the revision, in words
    #[arg(long, short, value_name = "TEXT")]
    pub message: String,

    /// Its parent, instead of the head: the id of a head, shop@head, or base to stand
    /// on nothing; given twice, the new one merges them
    #[arg(long = "parent", visible_alias = "head", value_name = "ID")]
    pub parents: Vec<String>,

    /// Let it follow a revision that is not a head, which begins another branch
    #[arg(long)]
    pub splice: bool,

    /// A name for the branch that begins with it
    #[arg(long = "branch-label", value_name = "NAME")]
    pub branch_labels: Vec<String>,

    /// A revision of another branch that has to be applied before it, and is not a parent
    #[arg(long, value_name = "ID")]
    pub depends_on: Vec<String>,

    /// Its own id, instead of twelve digits by chance
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,

    /// Write what leads from the revisions to the models, or to --from-sql, and back
    #[arg(long)]
    pub autogenerate: bool,

    /// Wanted schema, as a file or directory of SQL instead of models
    #[arg(long, value_name = "PATH", requires = "autogenerate")]
    pub from_sql: Option<PathBuf>,

    /// An engine to write for: that of the configuration where none is given, and SQLite where
    /// the revisions have sections for it; may be given several times
    #[arg(long = "engine", value_name = "ENGINE", requires = "autogenerate")]
    pub engines: Vec<Engine>,

    /// Renamed table, column or label, as in users.name=users.full_name;
    /// may be given several times
    #[arg(long = "rename", value_name = "OLD=NEW", requires = "autogenerate")]
    pub renames: Vec<String>,

    /// Write also what loses data
    #[arg(long, requires = "autogenerate")]
    pub allow_loss: bool,

    /// What to compare, with --autogenerate
    #[command(flatten)]
    pub parts: Parts,

    /// Write it in production without a question
    #[arg(long, requires = "allow_loss")]
    pub yes: bool,
}

/// Writes the file, and prints its path.
pub(super) async fn run(
    arguments: &NewArguments,
    options: &GlobalOptions,
    project: Project<'_>,
) -> Result<Exit> {
    let (directory, written) = project.revisions.as_written_so_far()?;
    let graph = Graph::new(written)?;
    let revision = new_revision(arguments, &graph)?;
    if arguments.autogenerate {
        let place = autogenerate::Destination {
            directory: &directory,
            graph: &graph,
            project,
        };
        return autogenerate::run(arguments, options, place, revision).await;
    }
    write(&draft(&directory, &graph, &revision)?)?;
    Ok(Exit::Success)
}

fn new_revision(arguments: &NewArguments, graph: &Graph) -> Result<NewRevision> {
    let message = arguments.message.trim();
    if message.is_empty() {
        return Err(mistake("The message is empty.").with_hint(
            "Describe what the revision is \
                            for.",
        ));
    }
    Ok(NewRevision {
        id: id(arguments.id.as_deref(), graph)?,
        parents: parents(arguments, graph)?,
        depends_on: dependencies(&arguments.depends_on, graph)?,
        branch_labels: labels(&arguments.branch_labels)?,
        message: message.to_owned(),
        date: today(),
        up: NewScript::default(),
        down: NewScript::default(),
    })
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
            "The id `{id}` is already used by {}.",
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
                "There are {} heads, and a new revision could follow any of them: {}.",
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
                "The revision `{}` ({}) is not a head, so a new revision after it would begin \
                 another branch.",
                revision.id, revision.message
            ))
            .with_hint("Add --splice if that is intended; `heads` lists the heads."));
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
        _ => Err(
            mistake(format!("`{text}` does not name a single revision."))
                .with_hint("Name it by its id, or a head as in `head` and `shop@head`."),
        ),
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
