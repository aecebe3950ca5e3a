use std::io::{Write, stdout};
use std::time::Duration;

use clap::Args;
use underpin::schema::{ObjectName, OldTimes, Schema, SchemaDialect, Selection, Source};
use underpin::{Database, Result, quote};

use super::origins;
use crate::exit::Exit;
use crate::format::Format;
use crate::listing::{print, text};
use crate::migrate::Project;
use crate::open::for_one_command;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

/// Whether to rewrite or to look.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct RewriteTimesArguments {
    /// Count the times in an old form and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// A column with times in an old form.
pub(super) struct Found {
    table: ObjectName,
    column: String,
    pub(super) count: i64,
}

impl Found {
    /// The column, for people.
    pub(super) fn name(&self) -> String {
        format!("{}.{}", self.table.name, self.column)
    }
}

/// Brings all times into the form in which they are written today, in one transaction.
pub(super) async fn run(
    arguments: &RewriteTimesArguments,
    options: &GlobalOptions,
    project: Project<'_>,
) -> Result<Exit> {
    let sources = origins::sources(&[&Source::Database], options, project)?;
    let has = sources
        .read(&Source::Database, &Selection::default())
        .await?;
    let database = Database::connect(for_one_command(options)?).await?;
    let dialect = SchemaDialect::of(database.engine())?;
    let found = match &dialect.old_times {
        Some(old) if arguments.dry_run => find(&database, old, &has.schema).await?,
        Some(old) => {
            let found = find(&database, old, &has.schema).await?;
            rewrite(&database, old, &found).await?;
            found
        }
        None => Vec::new(),
    };
    database.close(Duration::from_secs(5)).await?;
    if options.format == Format::Table && found.is_empty() {
        or_broken_pipe(writeln!(
            stdout(),
            "All times are already in the current form."
        ))?;
    } else {
        let rows = found
            .iter()
            .map(|one| vec![text(one.name()), text(one.count.to_string())]);
        let title = match arguments.dry_run {
            true => "old times",
            false => "rewritten",
        };
        print(options, &["column", title], rows)?;
    }
    Ok(Exit::Success)
}

/// The columns of a database that hold times in an old form.
pub(super) async fn find(
    database: &Database,
    old: &OldTimes,
    schema: &Schema,
) -> Result<Vec<Found>> {
    let mut all = Vec::new();
    for (table, of) in &schema.tables {
        let columns = of
            .columns
            .iter()
            .filter(|column| column.generated.is_none() && (old.may_hold)(&column.data_type));
        for column in columns {
            let name = quote::identifier(&column.name)?;
            let sql = format!(
                "SELECT count(*) FROM {} WHERE {}",
                quote::identifier(&table.name)?,
                (old.is_old)(&name)
            );
            let count: i64 = database.query_scalar(&sql, ()).await?;
            if count > 0 {
                all.push(Found {
                    table: table.clone(),
                    column: column.name.clone(),
                    count,
                });
            }
        }
    }
    Ok(all)
}

async fn rewrite(database: &Database, old: &OldTimes, found: &[Found]) -> Result<()> {
    let transaction = database.begin().await?;
    for one in found {
        let name = quote::identifier(&one.column)?;
        let sql = format!(
            "UPDATE {} SET {name} = {} WHERE {}",
            quote::identifier(&one.table.name)?,
            (old.renewed)(&name),
            (old.is_old)(&name)
        );
        transaction.execute(&sql, ()).await?;
    }
    transaction.commit().await
}
