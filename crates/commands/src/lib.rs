//! The commands of Underpin as a library, so that an application can offer them under its
//! own name.
//!
//! ```no_run
//! use clap::Parser;
//! use underpin_commands::{Command, GlobalOptions, run};
//!
//! #[derive(Parser)]
//! struct App {
//!     #[command(flatten)]
//!     options: GlobalOptions,
//!     #[command(subcommand)]
//!     command: Command,
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::process::ExitCode {
//!     let app = App::parse();
//!     run(app.command, &app.options).await.into()
//! }
//! ```

mod command;
mod config;
mod exit;
mod format;
mod health;
mod listing;
pub mod migrate;
mod open;
mod options;
mod output;
mod ping;
mod query;
pub mod schema;

pub use command::{Command, completions, run};
pub use exit::Exit;
pub use format::Format;
pub use options::GlobalOptions;
pub use query::QueryArguments;
