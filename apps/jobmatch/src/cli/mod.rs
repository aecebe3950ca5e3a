//! The commands and what they print.

mod emails;
mod import;
mod matching;
mod sample;
mod stats;

use std::io::ErrorKind;
use std::time::Duration;

use clap::{Parser, Subcommand};
use underpin::{Class, Database, Error, Result};
use underpin_commands::{App, AppCommand, Exit, GlobalOptions};

/// Keeps the database of a job-scoring service: imports, matches, e-mails
#[derive(Parser)]
#[command(name = "jobmatch", version)]
pub(crate) struct Arguments {
    #[command(flatten)]
    options: GlobalOptions,

    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Put the rows of a CSV file into the database; run again after it was killed, it
    /// carries on where it stopped
    Import(import::ImportArguments),
    /// Recommend to each active user the best scored active jobs
    Match(matching::MatchArguments),
    /// Queue, list and mark the e-mails that tell users of their matches
    #[command(subcommand)]
    Emails(emails::EmailsCommand),
    /// Count what there is, and average the scores
    Stats,
    /// Write a made-up CSV file to standard output
    Sample(sample::SampleArguments),
    #[command(flatten)]
    Database(AppCommand),
}

pub(crate) async fn run(arguments: Arguments) -> Exit {
    let options = &arguments.options;
    let result = match arguments.action {
        Action::Import(import) => import::run(import, options).await,
        Action::Match(matching) => matching::run(matching, options).await,
        Action::Emails(command) => emails::run(command, options).await,
        Action::Stats => stats::run(options).await,
        Action::Sample(sample) => sample::run(&sample),
        Action::Database(command) => {
            let app = App::new("jobmatch").revisions(jobmatch::REVISIONS);
            let app = app.models(jobmatch::models::MODELS);
            return app.run(command, options).await;
        }
    };
    Exit::of(result)
}

/// Opens the database for one command: nothing is kept open, nothing tried twice.
async fn open(options: &GlobalOptions) -> Result<Database> {
    let builder = options.load()?.to_builder();
    Database::connect(builder.pool_min_size(0).max_retries(0).build()?).await
}

async fn close(database: Database) -> Result<()> {
    database.close(Duration::from_secs(5)).await
}

/// A reader that has gone is the end of the work, not a failure of it.
fn or_broken_pipe(written: std::io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::new(
            Class::Resource,
            format!("The output cannot be written: {error}."),
        )),
        _ => Ok(()),
    }
}

/// A table that has not been made is most often a database that has not been migrated.
fn hint_at_migration(error: Error) -> Error {
    match error.class() {
        Class::Missing if error.hint().is_none() => {
            error.with_hint("Create the tables with `jobmatch migrate up`.")
        }
        _ => error,
    }
}
