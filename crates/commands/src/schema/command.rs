use std::path::PathBuf;

use clap::{Args, Subcommand};
use underpin::Result;

use super::diff::DiffArguments;
use super::dump::DumpArguments;
use super::erd::ErdArguments;
use super::old_times::RewriteTimesArguments;
use super::show::ShowArguments;
use super::validate::ValidateArguments;
use super::{diff, dump, erd, old_times, show, validate};
use crate::exit::{Exit, HELP};
use crate::interrupt::interruptible;
use crate::migrate::{Project, Revisions};
use crate::options::GlobalOptions;

/// A command about schemas, and the directory of the revisions that one can come from.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct SchemaArguments {
    /// The directory of the revisions
    #[arg(long, global = true, value_name = "DIR", default_value = "revisions")]
    pub revisions: PathBuf,

    /// Command
    #[command(subcommand)]
    pub command: SchemaCommand,
}

/// Commands about schemas. A SOURCE is `database` (the configured one), a URL, `models`,
/// `revisions`, or the path of a .sql file or of a directory of them.
#[derive(Debug, Clone, Subcommand)]
#[command(after_help = HELP)]
#[non_exhaustive]
pub enum SchemaCommand {
    /// Show the objects of a schema, or all details of some tables
    Show(ShowArguments),
    /// Print the SQL that creates a schema; as JSON, the schema itself
    Dump(DumpArguments),
    /// Show the changes from one schema to another, and a plan for them
    Diff(DiffArguments),
    /// Check that the database matches models, revisions or SQL
    Validate(ValidateArguments),
    /// Draw the tables and their foreign keys
    Erd(ErdArguments),
    /// Rewrite times that an earlier version stored in a form that does not compare with
    /// today's
    RewriteTimes(RewriteTimesArguments),
}

/// Runs a command, prints what it finds to standard output and what went wrong to
/// standard error.
///
/// # Cancel safety
/// Dropped half-way, scratch databases are dropped in the background.
pub async fn run<'p>(
    command: SchemaCommand,
    options: &GlobalOptions,
    project: impl Into<Project<'p>>,
) -> Exit {
    let rest = match &command {
        SchemaCommand::RewriteTimes(_) => "Nothing was rewritten, unless the commit had begun.\n",
        _ => "",
    };
    let work = dispatch(command, options, project.into());
    Exit::of(interruptible(work, async || rest.to_owned()).await)
}

/// Runs a command beside the directory of revisions that its arguments name.
///
/// # Cancel safety
/// As for [`run`].
pub async fn run_arguments(arguments: SchemaArguments, options: &GlobalOptions) -> Exit {
    let revisions = Revisions::Directory(&arguments.revisions);
    run(arguments.command, options, revisions).await
}

async fn dispatch(
    command: SchemaCommand,
    options: &GlobalOptions,
    project: Project<'_>,
) -> Result<Exit> {
    match command {
        SchemaCommand::Show(arguments) => show::run(&arguments, options, project).await,
        SchemaCommand::Dump(arguments) => dump::run(&arguments, options, project).await,
        SchemaCommand::Diff(arguments) => diff::run(&arguments, options, project).await,
        SchemaCommand::Validate(arguments) => validate::run(&arguments, options, project).await,
        SchemaCommand::Erd(arguments) => erd::run(&arguments, options, project).await,
        SchemaCommand::RewriteTimes(arguments) => {
            old_times::run(&arguments, options, project).await
        }
    }
}
