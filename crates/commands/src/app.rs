use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use underpin::Result;
use underpin::migrate::{Embedded, Migrator};
use underpin::model::Models;

use crate::command::{self, Command};
use crate::exit::Exit;
use crate::migrate::{EmbeddedArguments, Project, Revisions, run_embedded};
use crate::options::GlobalOptions;
use crate::schema::{self, SchemaCommand};

type With = Box<dyn Fn(Migrator) -> Result<Migrator> + Send + Sync>;

/// An application that offers all commands under its own name, with its own revisions and
/// models.
///
/// ```no_run
/// use underpin::migrate::Embedded;
/// use underpin::{Model, models};
/// use underpin_commands::App;
///
/// #[derive(Model)]
/// #[model(table = "customers")]
/// struct Customer {
///     #[model(primary_key, identity)]
///     id: i64,
///     #[model(unique)]
///     email: String,
/// }
///
/// // embed_revisions!("revisions"), as soon as there is one.
/// static REVISIONS: &[Embedded] = &[];
///
/// fn main() -> std::process::ExitCode {
///     App::new("shop").revisions(REVISIONS).models(models![Customer]).main()
/// }
/// ```
///
/// `shop migrate new --autogenerate -m customers` writes the first revision into the directory
/// `revisions`, which it creates. `embed_revisions!("revisions")` then embeds the revisions of that
/// directory, and a debug build writes new ones beside them. `--revisions` names another directory.
pub struct App {
    name: &'static str,
    revisions: &'static [Embedded],
    models: Option<Models>,
    with: Option<With>,
}

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    options: GlobalOptions,

    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    #[command(flatten)]
    App(Box<AppCommand>),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Commands of an application. An application with commands of its own can flatten these into
/// them.
#[derive(Debug, Clone, Subcommand)]
#[non_exhaustive]
pub enum AppCommand {
    /// Commands about the configured database.
    #[command(flatten)]
    Database(Command),
    /// Migrate the database, show its state, and write new revisions
    Migrate(EmbeddedArguments),
    /// Show, compare, dump and draw schemas
    #[command(subcommand)]
    Schema(SchemaCommand),
}

impl App {
    /// Returns an application of this name, without revisions and models.
    pub const fn new(name: &'static str) -> Self {
        App {
            name,
            revisions: &[],
            models: None,
            with: None,
        }
    }

    /// Sets its revisions, by [`embed_revisions!`](underpin::migrate::embed_revisions).
    #[must_use]
    pub fn revisions(self, revisions: &'static [Embedded]) -> Self {
        App { revisions, ..self }
    }

    /// Sets its models, by [`models!`](underpin::models).
    #[must_use]
    pub fn models(self, models: Models) -> Self {
        App {
            models: Some(models),
            ..self
        }
    }

    /// Sets up its migrator further, for example with the [code](Migrator::code) of revisions.
    #[must_use]
    pub fn migrator(
        self,
        with: impl Fn(Migrator) -> Result<Migrator> + Send + Sync + 'static,
    ) -> Self {
        App {
            with: Some(Box::new(with)),
            ..self
        }
    }

    /// Runs the command of the command line, and returns its exit code. Logging is not set up.
    pub fn main(self) -> ExitCode {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        match runtime {
            Ok(runtime) => runtime.block_on(self.run_from(std::env::args_os())).into(),
            Err(error) => {
                eprintln!("error: The runtime cannot be started: {error}.");
                Exit::Failed.into()
            }
        }
    }

    /// Runs the command of these arguments; the first one is the program's name. Ends the process if
    /// they are wrong or ask for help.
    ///
    /// # Cancel safety
    /// If it is dropped halfway, committed work remains.
    pub async fn run_from(&self, arguments: impl IntoIterator<Item = OsString>) -> Exit {
        let command = Arguments::command().name(self.name).bin_name(self.name);
        let command = command.about(format!("Manages the database of {}", self.name));
        let matches = command.clone().get_matches_from(arguments);
        let arguments = Arguments::from_arg_matches(&matches)
            .unwrap_or_else(|error| error.format(&mut command.clone()).exit());
        match arguments.action {
            Action::App(action) => self.run(*action, &arguments.options).await,
            Action::Completions { shell } => {
                let mut command = command;
                let mut out = std::io::stdout();
                clap_complete::generate(shell, &mut command, self.name, &mut out);
                Exit::Success
            }
        }
    }

    /// Runs a command and prints its result to standard output, and errors to standard error.
    ///
    /// # Cancel safety
    /// As for [`run_from`](App::run_from).
    pub async fn run(&self, command: AppCommand, options: &GlobalOptions) -> Exit {
        match command {
            AppCommand::Database(command) => command::run(command, options).await,
            AppCommand::Migrate(arguments) => {
                run_embedded(arguments, options, self.project()).await
            }
            AppCommand::Schema(command) => schema::run(command, options, self.project()).await,
        }
    }

    fn project(&self) -> Project<'_> {
        let revisions = match &self.with {
            None => Revisions::Embedded(self.revisions),
            Some(with) => Revisions::EmbeddedWith(self.revisions, with),
        };
        match &self.models {
            None => Project::new(revisions),
            Some(models) => Project::new(revisions).models(models),
        }
    }
}
