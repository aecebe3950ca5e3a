use std::path::PathBuf;

use clap::{Args, Subcommand};
use underpin::Result;
use underpin::migrate::Direction;

use super::adopt::AdoptArguments;
use super::check::CheckArguments;
use super::go::GoArguments;
use super::interrupted::{Went, after_run};
use super::merge::MergeArguments;
use super::new::NewArguments;
use super::project::Project;
use super::repair::RepairArguments;
use super::revisions::Revisions;
use super::squash::SquashArguments;
use super::stamp::StampArguments;
use super::{
    adopt, check, go, init, list, merge, new, plan, repair, show, squash, stamp, validate,
};
use crate::exit::{Exit, HELP};
use crate::interrupt::interruptible;
use crate::options::GlobalOptions;

/// A command about migrations, and its directory of revisions.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct MigrateArguments {
    /// Directory of the revisions
    #[arg(long, global = true, value_name = "DIR", default_value = "revisions")]
    pub revisions: PathBuf,

    /// Command
    #[command(subcommand)]
    pub command: MigrateCommand,
}

/// Commands about migrations.
#[derive(Debug, Clone, Subcommand)]
#[command(after_help = HELP)]
#[non_exhaustive]
pub enum MigrateCommand {
    /// Create underpin.toml, the directory of the revisions and the template of new revisions;
    /// existing files stay unchanged
    Init,
    /// Write the file of a new revision, empty or from the differences to models or SQL
    New(Box<NewArguments>),
    /// Check that the revisions create what the models describe
    Check(CheckArguments),
    /// Write the file of a revision that joins several heads, and report what both sides change
    Merge(MergeArguments),
    /// Apply pending revisions
    Up(GoArguments),
    /// Revert applied revisions
    Down {
        /// Where to go back to: base, -1, or the id of a revision, which stays applied; on a
        /// branch: shop@-1
        #[arg(allow_hyphen_values = true)]
        target: String,
        /// How to run
        #[command(flatten)]
        how: go::How,
        /// Do it in production without a question
        #[arg(long)]
        yes: bool,
    },
    /// Show the current revisions of the database
    Current,
    /// Show all revisions, and which ones are applied
    History,
    /// Show the revisions that `up` would apply
    Pending,
    /// Show the revisions that no other revision depends on
    Heads,
    /// Show the branches: branch points, and labels
    Branches,
    /// Show one revision
    Show {
        /// Id of the revision or a unique prefix, a branch label, head, or shop@head
        revision: String,
    },
    /// Record in the database's history that it is at the target, and run nothing
    Stamp(StampArguments),
    /// Adopt the database of another tool: write its migrations as revisions, and record which
    /// are applied
    Adopt(AdoptArguments),
    /// Write one revision that makes what all revisions make, and record it in place of them
    Squash(SquashArguments),
    /// Print the SQL that a run to the target would execute, and run nothing
    Plan(plan::PlanArguments),
    /// Check the files, their graph, and the database's history
    Validate,
    /// Accept the current text of revisions that changed after they were applied
    Repair(RepairArguments),
}

impl MigrateCommand {
    /// Whether it runs revisions.
    fn goes(&self) -> bool {
        matches!(self, MigrateCommand::Up(_) | MigrateCommand::Down { .. })
    }

    /// Whether it writes the history.
    fn records(&self) -> bool {
        matches!(
            self,
            MigrateCommand::Stamp(_)
                | MigrateCommand::Adopt(_)
                | MigrateCommand::Squash(_)
                | MigrateCommand::Repair(_)
        )
    }
}

/// Runs a command and prints its result to standard output, and errors to standard error.
///
/// # Cancel safety
/// If it is dropped halfway, committed revisions remain, and the next `up` continues.
pub async fn run<'p>(
    command: MigrateCommand,
    options: &GlobalOptions,
    project: impl Into<Project<'p>>,
) -> Exit {
    let project = project.into();
    let (goes, records) = (command.goes(), command.records());
    let went = Went::default();
    let work = dispatch(command, options, project, &went);
    let done = interruptible(work, async || match goes {
        true => after_run(&went, options, project.revisions).await,
        false if records => "`migrate history` shows what is recorded.\n".to_owned(),
        false => String::new(),
    });
    Exit::of(done.await)
}

/// Runs a command with the directory of revisions from its arguments.
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
    went: &Went,
) -> Result<Exit> {
    let revisions = project.revisions;
    match command {
        MigrateCommand::Init => init::run(options, revisions),
        MigrateCommand::New(arguments) => new::run(&arguments, options, project).await,
        MigrateCommand::Check(arguments) => check::run(&arguments, options, project).await,
        MigrateCommand::Merge(arguments) => merge::run(&arguments, revisions),
        MigrateCommand::Up(arguments) => {
            go::run(Direction::Up, &arguments, options, revisions, went).await
        }
        MigrateCommand::Down { target, how, yes } => {
            let arguments = GoArguments { target, how };
            go::ask(&arguments, yes, options, revisions).await?;
            go::run(Direction::Down, &arguments, options, revisions, went).await
        }
        MigrateCommand::Current => list::current(options, revisions).await,
        MigrateCommand::History => list::history(options, revisions).await,
        MigrateCommand::Pending => list::pending(options, revisions).await,
        MigrateCommand::Heads => list::heads(options, revisions),
        MigrateCommand::Branches => list::branches(options, revisions),
        MigrateCommand::Show { revision } => show::run(&revision, options, revisions).await,
        MigrateCommand::Stamp(arguments) => stamp::run(&arguments, options, revisions).await,
        MigrateCommand::Adopt(arguments) => adopt::run(&arguments, options, revisions).await,
        MigrateCommand::Squash(arguments) => squash::run(&arguments, options, revisions).await,
        MigrateCommand::Plan(arguments) => plan::run(&arguments, options, revisions).await,
        MigrateCommand::Validate => validate::run(options, revisions).await,
        MigrateCommand::Repair(arguments) => repair::run(&arguments, options, revisions).await,
    }
}
