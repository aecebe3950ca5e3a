use std::io::{Write, stdout};

use clap::Args;
use underpin::schema::{Source, Target, dump};
use underpin::{Class, Engine, Error, Result};

use super::filter::Filter;
use super::{origins, unsupported};
use crate::exit::Exit;
use crate::format::Format;
use crate::migrate::Project;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

/// Arguments of `schema dump`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct DumpArguments {
    /// Where the schema comes from: database, a URL, models, revisions, or a path of SQL
    #[arg(value_name = "SOURCE")]
    pub source: Option<String>,

    /// Selection
    #[command(flatten)]
    pub filter: Filter,

    /// Leave owners and privileges out
    #[arg(long)]
    pub no_privileges: bool,
}

/// Prints the statements that make the schema. The answer is no where something cannot be
/// carried, which is named on standard error. An option that the server's lists do not have is
/// named there, and in the script as a comment, and does not count.
pub(super) async fn run(
    arguments: &DumpArguments,
    options: &GlobalOptions,
    project: Project<'_>,
) -> Result<Exit> {
    let source = origins::source_or(arguments.source.as_ref(), Source::Database)?;
    let sources = origins::sources(&[&source], options, project)?;
    let mut read = sources.read(&source, &arguments.filter.selection()).await?;
    if arguments.no_privileges {
        read.schema.access.clear();
    }
    or_broken_pipe(match options.format {
        Format::Table => script(&read, sources.engine())?,
        Format::Json => json(&read),
        Format::Csv => {
            return Err(
                Error::new(Class::Config, "A dump cannot be printed as CSV.").with_hint(
                    "Leave out --format for SQL, or use --format json for the schema itself.",
                ),
            );
        }
    })?;
    Ok(match unsupported::named(&read.schema) {
        true => Exit::No,
        false => Exit::Success,
    })
}

fn script(read: &Target, engine: Engine) -> Result<std::io::Result<()>> {
    let statements = dump(engine, &read.schema)?;
    let mut out = stdout().lock();
    let mut each = statements.iter();
    let mut unlisted = read.schema.unlisted_options.iter();
    Ok(each
        .try_for_each(|statement| writeln!(out, "{statement};"))
        .and_then(|()| {
            unlisted.try_for_each(|one| writeln!(out, "-- not listed by the server: {one}"))
        }))
}

fn json(read: &Target) -> std::io::Result<()> {
    let mut out = stdout().lock();
    serde_json::to_writer_pretty(&mut out, &read.schema)?;
    writeln!(out)
}
