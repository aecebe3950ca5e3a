//! Revisions that are written from what is wanted.

use std::io::{Write, stderr, stdout};
use std::path::Path;

use underpin::Result;
use underpin::migrate::{Comparison, Graph, NewRevision, RevisionId, Written, written};
use underpin::schema::Rename;

use super::compare::{Compared, Question, close, engines_of, warn};
use super::confirm::{confirm, listed};
use super::draft::{Draft, draft, with, write};
use super::new::NewArguments;
use super::project::Project;
use crate::exit::Exit;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

/// Where revisions are written, and what they stand on.
#[derive(Clone, Copy)]
pub(super) struct Destination<'a> {
    pub(super) directory: &'a Path,
    pub(super) graph: &'a Graph,
    pub(super) project: Project<'a>,
}

/// Writes the files, once what they say was tried, and prints their paths. The answer is no
/// where something is refused.
pub(super) async fn run(
    arguments: &NewArguments,
    options: &GlobalOptions,
    place: Destination<'_>,
    revision: NewRevision,
) -> Result<Exit> {
    let all: Vec<_> = place.graph.all().cloned().collect();
    let question = Question {
        project: place.project,
        revisions: &all,
        from_sql: arguments.from_sql.as_deref(),
        engines: &arguments.engines,
        renames: &arguments.renames,
        parts: &arguments.parts,
    };
    let compared = question.ask(options).await?;
    let exit = answer(arguments, options, &compared, place, revision).await;
    close(compared).await?;
    exit
}

async fn answer(
    arguments: &NewArguments,
    options: &GlobalOptions,
    compared: &[Compared],
    place: Destination<'_>,
    revision: NewRevision,
) -> Result<Exit> {
    for one in compared {
        or_broken_pipe(warn(&one.comparison))?;
    }
    or_broken_pipe(propose(compared))?;
    let refused = compared
        .iter()
        .filter_map(|one| one.comparison.plan.check(arguments.allow_loss).err());
    let refused: Vec<String> = refused.map(|error| error.message().to_owned()).collect();
    if !refused.is_empty() {
        or_broken_pipe(writeln!(stderr(), "error: {}", once(&refused.join("\n"))))?;
        return Ok(Exit::No);
    }
    let drafts = drafts(compared, place, &revision)?;
    if drafts.is_empty() {
        let said = "The revisions already create the wanted schema; no file was written.";
        or_broken_pipe(writeln!(stdout(), "{said}"))?;
        return Ok(Exit::Success);
    }
    let revisions: Vec<_> = drafts.iter().map(|draft| draft.revision.clone()).collect();
    for Compared {
        migrator,
        comparison,
    } in compared
    {
        comparison.try_out(migrator, &revisions).await?;
        or_broken_pipe(leave(comparison))?;
    }
    if let Some(loss) = loss(compared) {
        confirm(options, arguments.yes, &loss)?;
    }
    drafts.iter().try_for_each(write)?;
    Ok(Exit::Success)
}

/// What the revisions would lose, in a sentence.
fn loss(compared: &[Compared]) -> Option<String> {
    let steps = compared.iter().flat_map(|one| &one.comparison.plan.steps);
    let lost: Vec<String> = steps.filter_map(|step| step.loses.clone()).collect();
    match lost.is_empty() {
        true => None,
        false => Some(format!("The revision would lose {}.", listed(&lost))),
    }
}

/// The lines, each said once, where it comes last.
fn once(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let last = lines.iter().enumerate();
    let last = last.filter(|(at, line)| !lines[at + 1..].contains(line));
    last.map(|(_, line)| *line).collect::<Vec<_>>().join("\n")
}

/// The files, each revision standing on the one before.
fn drafts(compared: &[Compared], place: Destination<'_>, last: &NewRevision) -> Result<Vec<Draft>> {
    let comparisons: Vec<&Comparison> = compared.iter().map(|one| &one.comparison).collect();
    let all: Vec<_> = place.graph.all().cloned().collect();
    let known = engines_of(&all);
    let per_engine = comparisons.len() > 1 || !known.is_empty();
    let mut written = written(&comparisons, per_engine);
    let Some(end) = written.pop() else {
        return Ok(Vec::new());
    };
    let mut last = last.clone();
    let mut graph = Graph::new(all)?;
    let mut drafts = Vec::new();
    for before in written {
        let first = NewRevision {
            id: RevisionId::random(),
            message: format!("{}: new labels", last.message),
            ..last.clone()
        };
        let made = draft(place.directory, &graph, &filled(first, before))?;
        graph = with(&graph, &made.revision)?;
        last.parents = vec![made.revision.id.clone()];
        last.depends_on.clear();
        last.branch_labels.clear();
        drafts.push(made);
    }
    drafts.push(draft(place.directory, &graph, &filled(last, end))?);
    Ok(drafts)
}

fn filled(revision: NewRevision, written: Written) -> NewRevision {
    let Written { up, down } = written;
    NewRevision {
        up,
        down,
        ..revision
    }
}

/// Tells what may be a rename, and how to say that it is.
fn propose(compared: &[Compared]) -> std::io::Result<()> {
    let mut out = stderr().lock();
    let mut told: Vec<String> = Vec::new();
    for Compared { comparison, .. } in compared {
        for rename in &comparison.diff.proposed {
            let given = without_namespace(rename);
            if told.contains(&given) {
                continue;
            }
            let quote = if given.contains('"') { '\'' } else { '"' };
            writeln!(
                out,
                "note: The dropped and the added object look alike. If it is a rename, add \
                 --rename {quote}{given}{quote}."
            )?;
            told.push(given);
        }
    }
    Ok(())
}

/// As the command takes it, for every engine where it can be.
fn without_namespace(rename: &Rename) -> String {
    let text = rename.to_string();
    for usual in ["public.", "main."] {
        if let Some(rest) = text.strip_prefix(usual) {
            return rest.replacen(&format!("={usual}"), "=", 1);
        }
    }
    text
}

fn leave(comparison: &Comparison) -> std::io::Result<()> {
    let mut out = stderr().lock();
    for left in &comparison.plan.left {
        writeln!(out, "note: {left}")?;
    }
    Ok(())
}
