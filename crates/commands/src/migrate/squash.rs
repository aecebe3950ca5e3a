//! One revision in place of all that were written so far.

use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use clap::Args;
use underpin::migrate::{
    Graph, Mark, Migrator, NewRevision, NewScript, Origin, Revision, RevisionId, Script,
};
use underpin::schema::{Scratch, dump, of_revisions};
use underpin::{Class, Engine, Error, Result};

use super::bar::{noted, watched};
use super::baseline::{terminated, try_out};
use super::confirm::{confirm, listed};
use super::draft::{draft, today, unusable, write};
use super::revisions::Revisions;
use crate::exit::Exit;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

/// Where the earlier revisions are kept; no revision is read from there.
const KEPT: &str = ".squashed";

/// Arguments of `migrate squash`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct SquashArguments {
    /// What the revision is for, in words
    #[arg(long, short, default_value = "all revisions so far")]
    pub message: String,

    /// Its id, instead of a random one
    #[arg(long)]
    pub id: Option<String>,

    /// Do it in production without a question
    #[arg(long)]
    pub yes: bool,
}

/// Replays the revisions, writes one that makes the same, and records it in place of them.
pub(super) async fn run(
    arguments: &SquashArguments,
    options: &GlobalOptions,
    revisions: Revisions<'_>,
) -> Result<Exit> {
    let config = options.load()?.to_builder().max_retries(0);
    let config = config.pool_min_size(0).build()?;
    let (directory, written) = revisions.as_written()?;
    let id = match &arguments.id {
        Some(id) => RevisionId::new(id.as_str()).ok_or_else(|| {
            Error::new(Class::Config, format!("{id:?} is not a valid revision id."))
                .with_hint("An id has lower-case letters, digits and underscores.")
        })?,
        None => RevisionId::random(),
    };
    let (kept, old): (Vec<Revision>, Vec<Revision>) = written
        .into_iter()
        .partition(|revision| revision.repeatable);
    let files = files_of(&old)?;
    has_one_form(&old, config.engine())?;

    let all = Graph::new(old.iter().chain(&kept).cloned().collect())?;
    let migrator = revisions.migrator_of(config.clone(), all.all().cloned().collect())?;
    let is_recorded = is_complete(&migrator).await?;
    if is_recorded {
        let sentence = "`squash` would record one revision in place of all that are applied.";
        confirm(options, arguments.yes, sentence)?;
    }

    let replayed = noted(revisions.migrator_of(config.clone(), old.clone())?);
    let scratch = Scratch::beside(&config).await?;
    let made = of_revisions(&replayed, &scratch).await;
    scratch.remove().await?;
    let schema = made?;
    let revision = NewRevision {
        id: id.clone(),
        parents: Vec::new(),
        depends_on: Vec::new(),
        branch_labels: Vec::new(),
        message: arguments.message.clone(),
        date: today(),
        up: NewScript::of(terminated(&dump(config.engine(), &schema)?)),
        down: NewScript::Irreversible {
            reason: "It stands for all that was there before.".to_owned(),
        },
    };
    let graph = Graph::new(kept.clone()).map_err(|error| {
        error.with_context("A repeatable revision needs one that would be squashed.")
    })?;
    let draft = draft(&directory, &graph, &revision)?;
    try_out(&config, &draft.revision, &schema).await?;

    write(&draft)?;
    let place = keep(&directory, &id, &files)?;
    if is_recorded {
        let now = kept.into_iter().chain([draft.revision]);
        let migrator = revisions.migrator_of(config.clone(), now.collect())?;
        watched(migrator).stamp("heads").await?;
    }
    or_broken_pipe(sentences(&id, &old, &place, is_recorded, config.engine()))?;
    Ok(Exit::Success)
}

/// The files of the revisions, of which there must be several.
fn files_of(old: &[Revision]) -> Result<Vec<PathBuf>> {
    if old.len() < 2 {
        let message = match old.first() {
            Some(only) => format!("There is only one revision to squash, `{}`.", only.id),
            None => "There are no revisions to squash.".to_owned(),
        };
        return Err(Error::new(Class::Config, message));
    }
    let file = |revision: &Revision| match &revision.origin {
        Origin::File(path) => Ok(PathBuf::from(path)),
        _ => Err(Error::new(
            Class::Config,
            format!("The revision `{}` has no file.", revision.id),
        )),
    };
    old.iter().map(file).collect()
}

/// Refuses revisions that are made for several engines: the new one has the SQL of one.
fn has_one_form(old: &[Revision], engine: Engine) -> Result<()> {
    let other = |script: &Script| match script {
        Script::Sql(sections) => sections
            .iter()
            .any(|section| section.engine.is_some_and(|one| one != engine)),
        _ => false,
    };
    match old.iter().find(|revision| other(&revision.up)) {
        Some(revision) => Err(Error::new(
            Class::Unsupported,
            format!(
                "The revision `{}` has a section for another engine than {engine}, which the new \
                 revision would not have.",
                revision.id
            ),
        )
        .with_hint("Squash the revisions of each engine in a directory of their own.")),
        None => Ok(()),
    }
}

/// Whether the database has all revisions. One that has not begun is left to `up`.
async fn is_complete(migrator: &Migrator) -> Result<bool> {
    let outline = migrator.outline().await?;
    let of = |mark| {
        let entries = outline.iter().filter(move |entry| entry.mark == mark);
        entries
            .map(|entry| format!("`{}`", entry.id))
            .collect::<Vec<_>>()
    };
    if of(Mark::Pending).len() == outline.len() {
        return Ok(false);
    }
    let missing = [of(Mark::Partial), of(Mark::Pending), of(Mark::Unknown)].concat();
    match missing.is_empty() {
        true => Ok(true),
        false => Err(Error::new(
            Class::Config,
            format!(
                "The database is not at the head of the revisions: {} would be neither applied nor \
                 pending afterwards.",
                listed(&missing)
            ),
        )
        .with_hint("Run `up` first, on every database that has some of them.")),
    }
}

/// Moves the files of the earlier revisions out of the way.
fn keep(directory: &Path, id: &RevisionId, files: &[PathBuf]) -> Result<PathBuf> {
    let place = directory.join(KEPT).join(id.as_str());
    for file in files {
        let within = file.strip_prefix(directory).unwrap_or(file);
        let to = place.join(within);
        let parent = to.parent().unwrap_or(&place);
        std::fs::create_dir_all(parent).map_err(|error| unusable(parent, &error))?;
        std::fs::rename(file, &to).map_err(|error| unusable(file, &error))?;
    }
    Ok(place)
}

fn sentences(
    id: &RevisionId,
    old: &[Revision],
    place: &Path,
    is_recorded: bool,
    engine: Engine,
) -> std::io::Result<()> {
    let mut out = stdout().lock();
    for revision in old {
        for sentence in rows_of(revision, engine) {
            writeln!(out, "note: {sentence}")?;
        }
    }
    writeln!(
        out,
        "{} revisions were squashed into {id}; their files are kept in {}.",
        old.len(),
        place.display()
    )?;
    if is_recorded {
        writeln!(out, "recorded {id} as applied in place of them")?;
    }
    writeln!(
        out,
        "On each other database that has all of them, run `migrate stamp heads`."
    )
}

/// What of a revision is about rows, which no schema has, in sentences.
fn rows_of(revision: &Revision, engine: Engine) -> Vec<String> {
    let sections = match &revision.up {
        Script::Sql(sections) => sections,
        Script::Code => {
            return vec![format!(
                "`{}` is code: new databases will not have the rows that it writes.",
                revision.id
            )];
        }
        Script::Irreversible { .. } => return Vec::new(),
    };
    let statements = sections.iter().flat_map(|one| one.statements_on(engine));
    let writes = statements.filter(|statement| {
        let mut words = statement.sql.split(|c: char| !c.is_ascii_alphabetic());
        let first = words.find(|word| !word.is_empty());
        first.is_some_and(|first| {
            let writes = ["INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "WITH", "DO"];
            writes.iter().any(|word| word.eq_ignore_ascii_case(first))
        })
    });
    let sentence = |line: usize| {
        format!(
            "{}, line {line}: New databases will not have the rows that the statement writes.",
            revision.origin
        )
    };
    writes.map(|statement| sentence(statement.line)).collect()
}
