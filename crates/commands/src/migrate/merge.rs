use std::io::{Write, stderr};

use clap::Args;
use underpin::Result;
use underpin::migrate::{Graph, Merge, NewRevision, NewScript, RevisionId, Target, merge};

use super::draft::{draft, today, write};
use super::revisions::Revisions;
use crate::exit::Exit;
use crate::output::or_broken_pipe;

/// Arguments of `migrate merge`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct MergeArguments {
    /// The heads: their ids, or their branches as in shop@head; all where none is named
    pub heads: Vec<Target>,

    /// Purpose of the merge, in words
    #[arg(long, short, value_name = "TEXT")]
    pub message: Option<String>,
}

/// Writes the file, prints its path, and warns of what both sides touch.
pub(super) fn run(arguments: &MergeArguments, revisions: Revisions<'_>) -> Result<Exit> {
    let (directory, written) = revisions.as_written()?;
    let graph = Graph::new(written)?;
    let merge = merge(&graph, &arguments.heads)?;
    or_broken_pipe(warn(&merge))?;
    let given = arguments.message.as_deref().unwrap_or_default().trim();
    let message = match given.is_empty() {
        true => of_heads(&merge.parents),
        false => given.to_owned(),
    };
    let revision = NewRevision {
        id: RevisionId::random(),
        parents: merge.parents,
        depends_on: Vec::new(),
        branch_labels: Vec::new(),
        message,
        date: today(),
        up: NewScript::default(),
        down: NewScript::default(),
    };
    write(&draft(&directory, &graph, &revision)?)?;
    Ok(Exit::Success)
}

fn of_heads(heads: &[RevisionId]) -> String {
    let heads: Vec<&str> = heads.iter().map(RevisionId::as_str).collect();
    match heads.split_last() {
        Some((last, others)) => format!("merge {} and {last}", others.join(", ")),
        None => "merge".to_owned(),
    }
}

fn warn(merge: &Merge) -> std::io::Result<()> {
    let mut out = stderr().lock();
    for overlap in &merge.overlaps {
        writeln!(out, "warning: {overlap}")?;
    }
    for id in &merge.opaque {
        writeln!(
            out,
            "warning: The revision `{id}` is Rust code, so the objects that it changes are not \
             known."
        )?;
    }
    if !merge.overlaps.is_empty() {
        writeln!(
            out,
            "Check that they work in either order; put whatever does not into the new revision."
        )?;
    }
    Ok(())
}
