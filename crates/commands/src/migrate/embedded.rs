use std::path::PathBuf;

use clap::Args;

use super::command::{MigrateCommand, run};
use super::project::Project;
use crate::exit::Exit;
use crate::options::GlobalOptions;

/// A command about the migrations of an application, whose revisions are within it.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct EmbeddedArguments {
    /// The directory of the revisions, instead of those within this program
    #[arg(long, global = true, value_name = "DIR")]
    pub revisions: Option<PathBuf>,

    /// Command
    #[command(subcommand)]
    pub command: MigrateCommand,
}

/// Runs a command on the revisions and models of an application.
///
/// # Cancel safety
/// As for [`run`].
pub async fn run_embedded<'p>(
    arguments: EmbeddedArguments,
    options: &GlobalOptions,
    project: impl Into<Project<'p>>,
) -> Exit {
    let project = project.into();
    match &arguments.revisions {
        None => run(arguments.command, options, project).await,
        Some(directory) => {
            let project = project.in_directory(directory);
            run(arguments.command, options, project).await
        }
    }
}
