//! The command `underpin`, as a library: what its program, its man pages and its documentation share.

#![cfg_attr(docsrs, feature(doc_cfg))]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use tracing_subscriber::EnvFilter;
use underpin_commands::migrate::{MigrateArguments, run_arguments};
use underpin_commands::schema::{SchemaArguments, run_arguments as run_schema};
use underpin_commands::{Command, Exit, GlobalOptions, completions, run};

/// Connects to, checks and queries PostgreSQL and SQLite databases
#[derive(Parser)]
#[command(name = "underpin", version)]
struct Arguments {
    #[command(flatten)]
    options: GlobalOptions,

    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    #[command(flatten)]
    Command(Command),
    /// Migrate the database with the revisions of a directory
    Migrate(MigrateArguments),
    /// Show, compare, dump and draw schemas
    Schema(SchemaArguments),
    /// Print a completion script for a shell
    Completions {
        /// Name of the shell
        shell: Shell,
    },
    /// Write a man page for each command into a directory
    Man {
        /// Directory to write to, which is created if it does not exist
        directory: PathBuf,
    },
}

/// The command line of `underpin`, with every command and option.
pub fn command_line() -> clap::Command {
    Arguments::command()
}

/// Runs the command that the arguments of this process ask for, and returns its exit code.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Quiet unless asked: what a command finds is its output, not its log.
    let filter = EnvFilter::try_from_env("UNDERPIN_LOG").unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(run_action(arguments)).into(),
        Err(error) => {
            eprintln!("error: The runtime cannot be started: {error}.");
            Exit::Failed.into()
        }
    }
}

async fn run_action(arguments: Arguments) -> Exit {
    match arguments.action {
        Action::Command(command) => run(command, &arguments.options).await,
        Action::Migrate(migrate) => run_arguments(migrate, &arguments.options).await,
        Action::Schema(schema) => run_schema(schema, &arguments.options).await,
        Action::Completions { shell } => {
            completions::<Arguments>(shell, "underpin");
            Exit::Success
        }
        Action::Man { directory } => match write_man_pages(&directory) {
            Ok(()) => Exit::Success,
            Err(error) => {
                eprintln!(
                    "error: The man pages cannot be written to {}: {error}.",
                    directory.display()
                );
                Exit::Failed
            }
        },
    }
}

fn write_man_pages(directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    clap_mangen::generate_to(command_line(), directory)
}
