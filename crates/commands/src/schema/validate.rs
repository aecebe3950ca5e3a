use std::io::{Write, stdout};
use std::time::Duration;

use clap::Args;
use underpin::schema::{Change, Presence, SchemaDialect, Source, Target};
use underpin::{Database, Result};

use super::filter::Filter;
use super::old_times::{self, Found};
use super::origins;
use super::privileges::Privileges;
use crate::exit::Exit;
use crate::format::Format;
use crate::listing::{print, text};
use crate::migrate::Project;
use crate::open::for_one_command;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

/// Arguments of `schema validate`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct ValidateArguments {
    /// What says it: models, revisions, a path of SQL, or the URL of another database; where
    /// nothing is given, the models of the program or, where it has none, its revisions
    #[arg(value_name = "SOURCE")]
    pub source: Option<String>,

    /// Selection
    #[command(flatten)]
    pub filter: Filter,

    /// Owners and privileges
    #[command(flatten)]
    pub privileges: Privileges,
}

/// Prints what the database has beyond the target, what it has not, and what is different. The
/// answer is no where there is any.
pub(super) async fn run(
    arguments: &ValidateArguments,
    options: &GlobalOptions,
    project: Project<'_>,
) -> Result<Exit> {
    let usual = match project.models {
        Some(_) => Source::Models,
        None => Source::Revisions,
    };
    let target = origins::source_or(arguments.source.as_ref(), usual)?;
    let sources = origins::sources(&[&Source::Database, &target], options, project)?;
    let selection = arguments.filter.selection();
    let (has, mut wanted) = sources
        .read_both(&Source::Database, &target, &selection)
        .await?;
    let dialect = SchemaDialect::of(sources.engine())?;
    wanted.hints.access = arguments.privileges.compared();
    sources.settle(&has, &mut wanted).await?;
    let diff = has.diff(&wanted, dialect);
    let mut rows: Vec<[String; 2]> = diff.changes.iter().map(row).collect();
    for one in &diff.unsupported {
        let word = match has.has(one) {
            true => EXTRA,
            false => MISSING,
        };
        rows.push([word.to_owned(), one.to_string()]);
    }
    for one in old_times(options, dialect, &has).await? {
        let what = format!(
            "{} times in column {} that do not compare with newly written ones: run `schema \
             rewrite-times`",
            one.count,
            one.name()
        );
        rows.push([OLD.to_owned(), what]);
    }
    let rows_are_empty = rows.is_empty();
    if options.format == Format::Table && rows_are_empty {
        or_broken_pipe(writeln!(stdout(), "The database matches {target}."))?;
    } else {
        let rows = rows.iter().map(|row| row.iter().map(text).collect());
        print(options, &["drift", "what"], rows)?;
    }
    Ok(match rows_are_empty {
        true => Exit::Success,
        false => Exit::No,
    })
}

/// The columns of the database with times in an old form.
async fn old_times(
    options: &GlobalOptions,
    dialect: &SchemaDialect,
    has: &Target,
) -> Result<Vec<Found>> {
    let Some(old) = dialect.old_times.filter(|_| !has.schema.tables.is_empty()) else {
        return Ok(Vec::new());
    };
    let database = Database::connect(for_one_command(options)?).await?;
    let found = old_times::find(&database, &old, &has.schema).await;
    database.close(Duration::from_secs(5)).await?;
    found
}

const EXTRA: &str = "only in the database";
const MISSING: &str = "only in the target";
const OLD: &str = "old form";

/// A change as drift, from the database to the target.
fn row(change: &Change) -> [String; 2] {
    let said = change.to_string();
    let (word, what) = match change.presence() {
        Presence::Created => (MISSING, without_verb(&said)),
        Presence::Dropped => (EXTRA, without_verb(&said)),
        Presence::Changed => ("different", said.as_str()),
    };
    [word.to_owned(), what.to_owned()]
}

/// `table public.users` of `Create table public.users`.
fn without_verb(said: &str) -> &str {
    said.split_once(' ').map_or(said, |(_, what)| what)
}
