use std::path::PathBuf;

use clap::{Args, Subcommand};
use underpin::Result;
use underpin::migrate::Direction;

use super::adopt::AdoptArguments;
use super::check::CheckArguments;
use super::go::GoArguments;
use super::merge::MergeArguments;
use super::new::NewArguments;
use super::project::Project;
use super::revisions::Revisions;
use super::{adopt, check, go, init, list, merge, new, plan, repair, show, stamp, validate};
use crate::exit::{Exit, HELP};
use crate::options::GlobalOptions;

/// A command about migrations, and the directory that it is about.
#[derive(Debug, Clone, Args)]
pub struct MigrateArguments {
    /// The directory of the revisions
    #[arg(long, global = true, value_name = "DIR", default_value = "revisions")]
    pub revisions: PathBuf,

    /// What to do
    #[command(subcommand)]
    pub command: MigrateCommand,
}

/// What can be done about migrations.
#[derive(Debug, Clone, Subcommand)]
#[command(after_help = HELP)]
pub enum MigrateCommand {
    /// Write underpin.toml, the directory of the revisions and the template of new ones;
    /// nothing that is there is changed
    Init,
    /// Write the file of a new revision, empty or from what is wanted
    New(NewArguments),
    /// Check that the revisions make what the models say
    Check(CheckArguments),
    /// Write the file of a revision that joins several heads, and name what they both touch
    Merge(MergeArguments),
    /// Apply what is pending
    Up(GoArguments),
    /// Undo what is applied
    Down {
        /// What to go back to: base, -1, or the id of a revision, which stays; on a branch:
        /// shop@-1
        #[arg(allow_hyphen_values = true)]
        target: String,
        /// How to run
        #[command(flatten)]
        how: go::How,
    },
    /// Show which revisions the database is at
    Current,
    /// Show all revisions, and which of them the database has
    History,
    /// Show the revisions that `up` would apply
    Pending,
    /// Show the revisions that no other stands on
    Heads,
    /// Show the branches: where the graph parts, and what has a label
    Branches,
    /// Show one revision
    Show {
        /// Its id, the unique beginning of it, a branch label, head, or shop@head
        revision: String,
    },
    /// Write into the database's history that it has the target, and run nothing
    Stamp {
        /// head, heads, base, or the id of a revision; on a branch: shop@head
        #[arg(allow_hyphen_values = true)]
        target: String,
    },
    /// Take the database over from another tool: write its migrations as revisions, and record
    /// what it has applied
    Adopt(AdoptArguments),
    /// Print the SQL that going to the target would run, and run nothing
    Plan(plan::PlanArguments),
    /// Check the files, their graph, and the database's history against them
    Validate,
    /// Accept revisions that have changed since they were applied as they are now
    Repair,
}

/// Runs a command, prints what it finds to standard output and what went wrong to
/// standard error.
///
/// # Cancel safety
/// Dropped half-way, what is committed stands, and the next `up` goes on with it.
pub async fn run<'p>(
    command: MigrateCommand,
    options: &GlobalOptions,
    project: impl Into<Project<'p>>,
) -> Exit {
    Exit::of(dispatch(command, options, project.into()).await)
}

/// Runs a command on the directory of revisions that its arguments name.
///
/// # Cancel safety
/// As for [`run`].
pub async fn run_arguments(arguments: MigrateArguments, options: &GlobalOptions) -> Exit {
    let revisions = Revisions::Directory(&arguments.revisions);
    run(arguments.command, options, revisions).await
}

async fn dispatch(
    command: MigrateCommand,
    options: &GlobalOptions,
    project: Project<'_>,
) -> Result<Exit> {
    let revisions = project.revisions;
    match command {
        MigrateCommand::Init => init::run(options, revisions),
        MigrateCommand::New(arguments) => new::run(&arguments, options, project).await,
        MigrateCommand::Check(arguments) => check::run(&arguments, options, project).await,
        MigrateCommand::Merge(arguments) => merge::run(&arguments, revisions),
        MigrateCommand::Up(arguments) => {
            go::run(Direction::Up, &arguments, options, revisions).await
        }
        MigrateCommand::Down { target, how } => {
            let arguments = GoArguments { target, how };
            go::run(Direction::Down, &arguments, options, revisions).await
        }
        MigrateCommand::Current => list::current(options, revisions).await,
        MigrateCommand::History => list::history(options, revisions).await,
        MigrateCommand::Pending => list::pending(options, revisions).await,
        MigrateCommand::Heads => list::heads(options, revisions),
        MigrateCommand::Branches => list::branches(options, revisions),
        MigrateCommand::Show { revision } => show::run(&revision, options, revisions).await,
        MigrateCommand::Stamp { target } => stamp::run(&target, options, revisions).await,
        MigrateCommand::Adopt(arguments) => adopt::run(&arguments, options, revisions).await,
        MigrateCommand::Plan(arguments) => plan::run(&arguments, options, revisions).await,
        MigrateCommand::Validate => validate::run(options, revisions).await,
        MigrateCommand::Repair => repair::run(options, revisions).await,
    }
}
