//! The commands of Underpin as a library, so that an application can offer them under its
//! own name, with its own revisions and models: see [`App`]. One that has other commands beside
//! them takes them among its own:
//!
//! ```no_run
//! use clap::{Parser, Subcommand};
//! use underpin_commands::{App, AppCommand, GlobalOptions};
//!
//! #[derive(Parser)]
//! struct Arguments {
//!     #[command(flatten)]
//!     options: GlobalOptions,
//!     #[command(subcommand)]
//!     action: Action,
//! }
//!
//! #[derive(Subcommand)]
//! enum Action {
//!     /// Open the shop
//!     Serve,
//!     #[command(flatten)]
//!     Database(AppCommand),
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::process::ExitCode {
//!     let arguments = Arguments::parse();
//!     match arguments.action {
//!         Action::Serve => std::process::ExitCode::SUCCESS,
//!         Action::Database(command) => {
//!             let app = App::new("shop");
//!             app.run(command, &arguments.options).await.into()
//!         }
//!     }
//! }
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

mod app;
mod command;
mod config;
mod copy;
mod exit;
mod format;
mod health;
mod interrupt;
mod listing;
pub mod migrate;
mod open;
mod options;
mod output;
mod ping;
mod query;
pub mod schema;

pub use app::{App, AppCommand};
pub use command::{Command, completions, run};
pub use copy::{Conflict, CopyArguments};
pub use exit::{Exit, exit_codes};
pub use format::Format;
pub use options::GlobalOptions;
pub use query::QueryArguments;
