//! The migrations of an application as commands.
//!
//! ```no_run
//! use clap::{Parser, Subcommand};
//! use underpin::migrate::Embedded;
//! use underpin_commands::GlobalOptions;
//! use underpin_commands::migrate::{MigrateCommand, Revisions, run};
//!
//! // By embed_revisions!("revisions").
//! static REVISIONS: &[Embedded] = &[];
//!
//! #[derive(Parser)]
//! struct App {
//!     #[command(flatten)]
//!     options: GlobalOptions,
//!     #[command(subcommand)]
//!     command: Command,
//! }
//!
//! #[derive(Subcommand)]
//! enum Command {
//!     /// Bring the database up to date
//!     #[command(subcommand)]
//!     Migrate(MigrateCommand),
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::process::ExitCode {
//!     let app = App::parse();
//!     let Command::Migrate(command) = app.command;
//!     run(command, &app.options, Revisions::Embedded(REVISIONS)).await.into()
//! }
//! ```

mod adopt;
mod autogenerate;
mod bar;
mod check;
mod command;
mod compare;
mod draft;
mod embedded;
mod go;
mod init;
mod list;
mod lock_timeout;
mod merge;
mod new;
mod plan;
mod project;
mod repair;
mod revisions;
mod show;
mod stamp;
mod validate;

use crate::listing;

pub use adopt::AdoptArguments;
pub use check::CheckArguments;
pub use command::{MigrateArguments, MigrateCommand, run, run_arguments};
pub use embedded::{EmbeddedArguments, run_embedded};
pub use go::GoArguments;
pub use merge::MergeArguments;
pub use new::NewArguments;
pub use project::Project;
pub use revisions::{Revisions, With};
