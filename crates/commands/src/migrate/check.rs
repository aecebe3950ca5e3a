use std::io::{Write, stdout};
use std::path::PathBuf;

use clap::Args;
use underpin::Result;
use underpin::{Engine, migrate::Graph};

use super::compare::{Compared, Parts, Question, close, warn};
use super::listing::{print, text};
use super::project::Project;
use crate::exit::Exit;
use crate::format::Format;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

/// Arguments of `migrate check`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct CheckArguments {
    /// Wanted schema, as a file or directory of SQL instead of models
    #[arg(long, value_name = "PATH")]
    pub from_sql: Option<PathBuf>,

    /// An engine to check: that of the configuration where none is given, and SQLite where the
    /// revisions have sections for it; may be given several times
    #[arg(long = "engine", value_name = "ENGINE")]
    pub engines: Vec<Engine>,

    /// What to compare
    #[command(flatten)]
    pub parts: Parts,
}

/// Prints how the models and what the revisions make differ. The answer is no where they do.
pub(super) async fn run(
    arguments: &CheckArguments,
    options: &GlobalOptions,
    project: Project<'_>,
) -> Result<Exit> {
    let revisions = project.revisions.newest()?;
    // Says first what is wrong with their graph.
    Graph::new(revisions.clone())?;
    let question = Question {
        project,
        revisions: &revisions,
        from_sql: arguments.from_sql.as_deref(),
        engines: &arguments.engines,
        renames: &[],
        parts: &arguments.parts,
    };
    let compared = question.ask(options).await?;
    let printed = say(&compared, options);
    let same = compared.iter().all(|one| one.comparison.is_empty());
    close(compared).await?;
    printed?;
    Ok(match same {
        true => Exit::Success,
        false => Exit::No,
    })
}

fn say(compared: &[Compared], options: &GlobalOptions) -> Result<()> {
    for one in compared {
        or_broken_pipe(warn(&one.comparison))?;
    }
    if options.format == Format::Table {
        return or_broken_pipe(sentences(compared));
    }
    let rows = compared.iter().flat_map(|one| {
        let changes = one.comparison.diff.changes.iter();
        changes.map(|change| vec![text(one.comparison.engine), text(change)])
    });
    print(options, &["engine", "change"], rows)
}

fn sentences(compared: &[Compared]) -> std::io::Result<()> {
    let mut out = stdout().lock();
    if compared.iter().all(|one| one.comparison.is_empty()) {
        return writeln!(out, "The revisions create the wanted schema.");
    }
    for Compared { comparison, .. } in compared.iter().filter(|one| !one.comparison.is_empty()) {
        let engine = comparison.engine;
        writeln!(
            out,
            "On {engine}, the revisions do not create the wanted schema. These changes are missing:"
        )?;
        for change in &comparison.diff.changes {
            writeln!(out, "  {change}")?;
        }
    }
    writeln!(
        out,
        "`migrate new --autogenerate` writes a revision with them."
    )
}
