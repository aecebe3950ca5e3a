use std::io::{Write, stdout};

use clap::Args;
use underpin::Result;
use underpin::config::Environment;
use underpin::migrate::{Direction, Graph, Mode, PlanStep, Report, RevisionId};

use super::bar::watched_and_kept;
use super::confirm::{confirm, listed};
use super::interrupted::Went;
use super::listing::{print, text};
use super::lock_timeout::LockTimeout;
use super::revisions::Revisions;
use crate::exit::Exit;
use crate::format::Format;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

/// Where to go, and how.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct GoArguments {
    /// Target: head, heads, +1, or the id of a revision; on a branch: shop@head, shop@+1
    #[arg(default_value = "head", allow_hyphen_values = true)]
    pub target: String,

    /// How to run
    #[command(flatten)]
    pub how: How,
}

/// How revisions are run.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct How {
    /// Run all revisions in one transaction, instead of each in its own
    #[arg(long)]
    pub one_transaction: bool,

    /// How long a statement waits for a lock on a table before it lets other statements run
    /// and tries again: 5s, 500ms, 2m, off
    #[arg(long, value_name = "TIME", default_value = "5s")]
    pub lock_timeout: LockTimeout,

    /// How long to wait for another run that holds the lock of the migrations: 10m, 30s, off
    #[arg(long, value_name = "TIME", default_value = "10m")]
    pub wait: LockTimeout,
}

/// Asks, in production, before what is applied is undone.
pub(super) async fn ask(
    arguments: &GoArguments,
    yes: bool,
    options: &GlobalOptions,
    revisions: Revisions<'_>,
) -> Result<()> {
    let production = options.load()?.environment() == Environment::Production;
    if yes || !production {
        return Ok(());
    }
    let plan = revisions.migrator(options)?.plan(&arguments.target).await?;
    let down = |step: &&PlanStep| step.direction == Direction::Down;
    let undone: Vec<String> = plan
        .steps
        .iter()
        .filter(down)
        .map(|step| format!("`{}`", step.id))
        .collect();
    if undone.is_empty() {
        return Ok(());
    }
    let sentence = format!(
        "`down {}` would undo {}.",
        arguments.target,
        listed(&undone)
    );
    confirm(options, yes, &sentence)
}

/// Goes up or down, and says what was run.
pub(super) async fn run(
    direction: Direction,
    arguments: &GoArguments,
    options: &GlobalOptions,
    revisions: Revisions<'_>,
    went: &Went,
) -> Result<Exit> {
    let mode = match arguments.how.one_transaction {
        true => Mode::OneTransaction,
        false => Mode::PerRevision,
    };
    let migrator = revisions
        .migrator(options)?
        .mode(mode)
        .lock_timeout(arguments.how.lock_timeout.0)
        .wait(arguments.how.wait.0);
    let migrator = watched_and_kept(migrator, went);
    let report = match direction {
        Direction::Up => migrator.up(&arguments.target).await?,
        Direction::Down => migrator.down(&arguments.target).await?,
    };
    let graph = migrator.graph()?;
    // The bar is gone before anything is printed.
    drop(migrator);
    if options.format == Format::Table {
        or_broken_pipe(sentences(&report, &graph))?;
    } else {
        let rows = report
            .revisions
            .iter()
            .map(|id| vec![text(id), text(message(&graph, id)), text(verb(direction))]);
        print(options, &["id", "message", "done"], rows)?;
    }
    Ok(Exit::Success)
}

fn verb(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "applied",
        Direction::Down => "undone",
    }
}

fn message<'g>(graph: &'g Graph, id: &RevisionId) -> &'g str {
    graph.get(id).map_or("", |revision| &revision.message)
}

fn sentences(report: &Report, graph: &Graph) -> std::io::Result<()> {
    let mut out = stdout().lock();
    let verb = verb(report.direction);
    for id in &report.revisions {
        writeln!(out, "{verb} {id} {}", message(graph, id))?;
    }
    match report.revisions.len() {
        0 => writeln!(out, "There was nothing to do."),
        1 => writeln!(out, "1 revision was {verb} in {:.1?}.", report.took),
        n => writeln!(out, "{n} revisions were {verb} in {:.1?}.", report.took),
    }
}
