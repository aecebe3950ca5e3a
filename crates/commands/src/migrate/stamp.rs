use std::io::{Write, stderr};

use clap::Args;
use underpin::Result;
use underpin::migrate::{Graph, RevisionId, StampChange};

use super::bar::watched;
use super::confirm::{confirm, listed};
use super::listing::{print, text};
use super::revisions::Revisions;
use crate::exit::Exit;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

/// Arguments of `migrate stamp`.
#[derive(Debug, Clone, Args)]
pub struct StampArguments {
    /// head, heads, base, or the id of a revision; on a branch: shop@head
    #[arg(allow_hyphen_values = true)]
    pub target: String,

    /// Do it in production without a question
    #[arg(long)]
    pub yes: bool,
}

/// Sets the history, and prints what changed in it.
pub(super) async fn run(
    arguments: &StampArguments,
    options: &GlobalOptions,
    revisions: Revisions<'_>,
) -> Result<Exit> {
    let migrator = revisions.migrator(options)?;
    let graph = migrator.graph()?;
    let planned = migrator.would_stamp(&arguments.target).await?;
    let forgotten = forgotten(&planned, &graph);
    if let Some(sentence) = &forgotten {
        confirm(options, arguments.yes, sentence)?;
    } else if !planned.is_empty() {
        let sentence = format!(
            "`stamp` would record {} revisions as applied, and run nothing.",
            planned.len()
        );
        confirm(options, arguments.yes, &sentence)?;
    }
    let changes = watched(migrator).stamp(&arguments.target).await?;
    if let Some(sentence) = forgotten {
        or_broken_pipe(writeln!(stderr(), "warning: {sentence}"))?;
    }
    let rows = changes.iter().map(|change| {
        let (id, what) = match change {
            StampChange::Add { id, .. } => (id, "recorded as applied"),
            StampChange::Finish { id, .. } => (id, "recorded as completely applied"),
            StampChange::Remove { id } => (id, "no longer recorded"),
        };
        vec![text(id), text(what)]
    });
    print(options, &["id", "change"], rows)?;
    Ok(Exit::Success)
}

/// What the history no longer says afterwards, in a sentence.
fn forgotten(changes: &[StampChange], graph: &Graph) -> Option<String> {
    let named = |id: &RevisionId| match graph.get(id) {
        Some(revision) => format!("`{id}` ({})", revision.message),
        None => format!("`{id}` (without a file)"),
    };
    let gone: Vec<String> = changes
        .iter()
        .filter_map(|change| match change {
            StampChange::Remove { id } => Some(named(id)),
            _ => None,
        })
        .collect();
    if gone.is_empty() {
        return None;
    }
    Some(format!(
        "The history forgets {}, and what they made stays in the database: `up` would run them \
         again.",
        listed(&gone)
    ))
}
