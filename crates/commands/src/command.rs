use crate::copy::CopyArguments;
use crate::exit::{Exit, HELP};
use crate::health::HealthArguments;
use crate::options::GlobalOptions;
use crate::query::QueryArguments;
use crate::{config, copy, health, ping, query};
use clap::{CommandFactory, Subcommand};

/// Commands about the configured database.
#[derive(Debug, Clone, Subcommand)]
#[command(after_help = HELP)]
#[non_exhaustive]
pub enum Command {
    /// Check that the database answers
    Ping,
    /// Report whether the database is healthy, how fast it answers, and the state of its pool
    Health(HealthArguments),
    /// Show the effective configuration, and where each value comes from
    Config,
    /// Run a statement and print its rows as they arrive
    Query(QueryArguments),
    /// Copy tables from one database to another, also to one of another engine, and compare them
    Copy(CopyArguments),
}

/// Runs a command and prints its result to standard output, and errors to standard error.
///
/// # Cancel safety
/// If it is dropped halfway, its connections are closed; a statement may still take effect.
pub async fn run(command: Command, options: &GlobalOptions) -> Exit {
    let result = match command {
        Command::Ping => ping::run(options).await,
        Command::Health(arguments) => health::run(&arguments, options).await,
        Command::Config => config::run(options),
        Command::Query(arguments) => query::run(&arguments, options).await,
        Command::Copy(arguments) => copy::run(&arguments, options).await,
    };
    Exit::of(result)
}

/// Prints a completion script for the shell.
pub fn completions<C: CommandFactory>(shell: clap_complete::Shell, name: &str) {
    clap_complete::generate(shell, &mut C::command(), name, &mut std::io::stdout());
}
