//! The command `jobmatch`: brings up the database of a job-scoring service, imports jobs,
//! users and scores from CSV files, matches them, and keeps the log of the e-mails.

mod cli;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    // Quiet unless asked: what a command finds is its output, not its log.
    let filter = EnvFilter::try_from_env("UNDERPIN_LOG").unwrap_or_else(|_| EnvFilter::new("off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    cli::run(arguments).await.into()
}
