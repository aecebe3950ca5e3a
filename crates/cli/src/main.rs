//! The command `underpin`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
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
    /// Migrate the database by the revisions of a directory
    Migrate(MigrateArguments),
    /// Look at schemas, write them as SQL, compare and draw them
    Schema(SchemaArguments),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Quiet unless asked: what a command finds is its output, not its log.
    let filter = EnvFilter::try_from_env("UNDERPIN_LOG").unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let exit = match arguments.action {
        Action::Command(command) => run(command, &arguments.options).await,
        Action::Migrate(migrate) => run_arguments(migrate, &arguments.options).await,
        Action::Schema(schema) => run_schema(schema, &arguments.options).await,
        Action::Completions { shell } => {
            completions::<Arguments>(shell, "underpin");
            Exit::Success
        }
    };
    exit.into()
}
