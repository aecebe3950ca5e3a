use std::io::{Write, stdout};
use std::path::PathBuf;

use clap::Args;
use underpin::Result;
use underpin::migrate::{Adopted, Adoption, Migrator, RevisionId, Tool};

use super::bar::watched;
use super::baseline;
use super::listing::{print, text};
use super::revisions::Revisions;
use crate::exit::Exit;
use crate::format::Format;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

/// Arguments of `migrate adopt`.
#[derive(Debug, Clone, Args)]
#[non_exhaustive]
pub struct AdoptArguments {
    /// Tool: alembic, sqlx, diesel, refinery, flyway or golang-migrate
    #[arg(long = "from", value_name = "TOOL")]
    pub tool: Tool,

    /// Directory of the tool's migrations, if it is not the usual one
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,

    /// Table in which the tool records applied migrations, if it is not the usual one
    #[arg(long, value_name = "TABLE")]
    pub table: Option<String>,

    /// File with the output of `alembic upgrade heads --sql` or `alembic downgrade HEAD:base
    /// --sql`; may be given several times
    #[arg(long, value_name = "FILE")]
    pub sql: Vec<PathBuf>,

    /// Adopt revisions of Alembic without their SQL; new databases cannot be made from them
    #[arg(long)]
    pub without_sql: bool,

    /// Leave out statements about the tool's own table, which new databases do not need
    #[arg(long)]
    pub without_own_table: bool,

    /// Write one revision from the database as it is, instead of the tool's migrations, and record
    /// it as applied
    #[arg(long, conflicts_with_all = ["dir", "sql", "without_sql", "without_own_table"])]
    pub baseline: bool,
}

/// Adopts, and says what was written and recorded.
pub(super) async fn run(
    arguments: &AdoptArguments,
    options: &GlobalOptions,
    revisions: Revisions<'_>,
) -> Result<Exit> {
    if arguments.baseline {
        return baseline::run(arguments, options, revisions).await;
    }
    let tool = arguments.tool;
    let adoption = Adoption {
        tool,
        from: match &arguments.dir {
            Some(directory) => directory.clone(),
            None => PathBuf::from(tool.directory()),
        },
        into: revisions.directory()?,
        table: arguments.table.clone(),
        sql: arguments.sql.clone(),
        without_sql: arguments.without_sql,
        without_own_table: arguments.without_own_table,
    };
    let config = options.load()?.to_builder().max_retries(0).build()?;
    let adopted = watched(Migrator::new(config)?).adopt(&adoption).await?;
    if options.format == Format::Table {
        or_broken_pipe(sentences(&adopted, tool))?;
        return Ok(Exit::Success);
    }
    let rows = |ids: &[RevisionId], what: &str| -> Vec<_> {
        ids.iter().map(|id| vec![text(id), text(what)]).collect()
    };
    let recorded = rows(&adopted.recorded, "recorded as applied");
    let pending = rows(&adopted.pending, "pending");
    print(
        options,
        &["id", "change"],
        recorded.into_iter().chain(pending),
    )?;
    Ok(Exit::Success)
}

fn sentences(adopted: &Adopted, tool: Tool) -> std::io::Result<()> {
    let mut out = stdout().lock();
    for file in &adopted.written {
        writeln!(out, "wrote {}", file.display())?;
    }
    for id in &adopted.recorded {
        writeln!(out, "recorded {id} as applied")?;
    }
    for note in &adopted.notes {
        writeln!(out, "note: {note}")?;
    }
    let all = adopted.revisions;
    if adopted.written.is_empty() && adopted.recorded.is_empty() {
        writeln!(
            out,
            "All {all} migrations of {tool} were already adopted; nothing was changed."
        )?;
    } else {
        writeln!(
            out,
            "Of {all} migrations of {tool}, {} were written as revisions and {} recorded as \
             applied; its own files and table were not changed.",
            adopted.written.len(),
            adopted.recorded.len()
        )?;
    }
    match adopted.pending.len() {
        0 => Ok(()),
        1 => writeln!(out, "1 is pending, and `up` would apply it."),
        pending => writeln!(out, "{pending} are pending, and `up` would apply them."),
    }
}
