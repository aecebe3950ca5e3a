//! Schemas as commands: looked at, written as SQL, compared, drawn.
//!
//! ```no_run
//! use clap::{Parser, Subcommand};
//! use underpin::migrate::Embedded;
//! use underpin_commands::GlobalOptions;
//! use underpin_commands::migrate::{Project, Revisions};
//! use underpin_commands::schema::{SchemaCommand, run};
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
//!     /// Look at schemas and compare them
//!     #[command(subcommand)]
//!     Schema(SchemaCommand),
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::process::ExitCode {
//!     let app = App::parse();
//!     let Command::Schema(command) = app.command;
//!     let project = Project::new(Revisions::Embedded(REVISIONS));
//!     run(command, &app.options, project).await.into()
//! }
//! ```

mod command;
mod diff;
mod dump;
mod erd;
mod filter;
mod old_times;
mod origins;
mod privileges;
mod script;
mod show;
mod unsupported;
mod validate;

pub use command::{SchemaArguments, SchemaCommand, run, run_arguments};
pub use diff::DiffArguments;
pub use dump::DumpArguments;
pub use erd::ErdArguments;
pub use filter::Filter;
pub use old_times::RewriteTimesArguments;
pub use show::ShowArguments;
pub use validate::ValidateArguments;
