//! The migrations of an application as commands. [`App`](crate::App) has them among all others.

mod adopt;
mod autogenerate;
mod bar;
mod baseline;
mod check;
mod command;
mod compare;
mod confirm;
mod draft;
mod embedded;
mod go;
mod init;
mod interrupted;
mod list;
mod lock_timeout;
mod merge;
mod new;
mod plan;
mod project;
mod repair;
mod revisions;
mod show;
mod squash;
mod stamp;
mod validate;

use crate::listing;

pub(crate) use bar::noted;

pub use adopt::AdoptArguments;
pub use check::CheckArguments;
pub use command::{MigrateArguments, MigrateCommand, run, run_arguments};
pub use compare::Parts;
pub use embedded::{EmbeddedArguments, run_embedded};
pub use go::GoArguments;
pub use merge::MergeArguments;
pub use new::NewArguments;
pub use project::Project;
pub use repair::RepairArguments;
pub use revisions::{Revisions, With};
pub use squash::SquashArguments;
pub use stamp::StampArguments;
