//! One revision from a database as it is, in place of another tool's history.

use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::time::Duration;

use underpin::migrate::{
    Graph, HISTORY_TABLE, Migrator, NewRevision, NewScript, Revision, RevisionId,
};
use underpin::schema::{
    Hints, Schema, SchemaDialect, Scratch, Selection, dump, introspect, of_revisions,
};
use underpin::{Class, Config, Database, Error, Result};

use super::adopt::AdoptArguments;
use super::bar::watched;
use super::draft::{draft, today, unusable, write};
use super::revisions::Revisions;
use crate::exit::Exit;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

const CLOSE: Duration = Duration::from_secs(5);

/// Where the history of the other tool is kept as text; no revision is read from there.
const HISTORY: &str = ".adopted";

/// Writes the revision once it was tried, and records it as applied.
pub(super) async fn run(
    arguments: &AdoptArguments,
    options: &GlobalOptions,
    revisions: Revisions<'_>,
) -> Result<Exit> {
    let config = options.load()?.to_builder().max_retries(0);
    let config = config.pool_min_size(0).build()?;
    let (directory, written) = revisions.as_written_so_far()?;
    if let Some(first) = written.first() {
        let message = format!(
            "There are revisions in {} already, the first of them {}.",
            directory.display(),
            first.origin
        );
        return Err(Error::new(Class::Config, message).with_hint(
            "A baseline is the first revision of a project; --revisions names another directory.",
        ));
    }
    let tool = arguments.tool;
    let table = arguments.table.as_deref().unwrap_or(tool.table());
    let database = Database::connect(config.for_migrations()?).await?;
    let found = found(&database, table).await;
    let _ = database.close(CLOSE).await;
    let Found { schema, history } = found?;

    let id = RevisionId::random();
    let statements = dump(config.engine(), &schema)?;
    let revision = NewRevision {
        id: id.clone(),
        parents: Vec::new(),
        depends_on: Vec::new(),
        branch_labels: Vec::new(),
        message: format!("the database as {tool} has left it"),
        date: today(),
        up: NewScript::of(terminated(&statements)),
        down: NewScript::Irreversible {
            reason: "It stands for all that was there before.".to_owned(),
        },
    };
    let draft = draft(&directory, &Graph::default(), &revision)?;
    try_out(&config, &draft.revision, &schema).await?;
    write(&draft)?;
    let kept = keep(&directory, arguments, &history)?;
    let migrator = Migrator::new(config)?.revisions([draft.revision]);
    watched(migrator).stamp(id.as_str()).await?;
    or_broken_pipe(sentences(&id, &schema, kept.as_deref()))?;
    Ok(Exit::Success)
}

/// What the database has, and the other tool's table as text.
struct Found {
    schema: Schema,
    history: Vec<String>,
}

async fn found(database: &Database, table: &str) -> Result<Found> {
    let name = table.rsplit('.').next().unwrap_or(table);
    let schema = introspect(
        database,
        &Selection {
            exclude: vec![HISTORY_TABLE.to_owned(), name.to_owned()],
            ..Selection::default()
        },
    )
    .await?;
    let dialect = database.engine().dialect();
    let quoted = match dialect {
        Some(dialect) => {
            let parts = table.split('.').map(|part| dialect.identifier(part));
            parts.collect::<std::result::Result<Vec<_>, _>>()?.join(".")
        }
        None => table.to_owned(),
    };
    let rows = database
        .query(&format!("SELECT * FROM {quoted}"), ())
        .await?;
    let line = |row: &underpin::ValueRow| {
        let values: Vec<String> = row.values().iter().map(ToString::to_string).collect();
        values.join("\t")
    };
    Ok(Found {
        schema,
        history: rows.iter().map(line).collect(),
    })
}

/// The statements, each with its semicolon.
pub(super) fn terminated(statements: &[String]) -> String {
    statements.iter().map(|sql| format!("{sql};\n")).collect()
}

/// Makes the schema from the revision in a scratch database, and compares.
pub(super) async fn try_out(config: &Config, revision: &Revision, schema: &Schema) -> Result<()> {
    let migrator = Migrator::new(config.clone())?.revisions([revision.clone()]);
    let scratch = Scratch::beside(config).await?;
    let made = of_revisions(&migrator, &scratch).await;
    scratch.remove().await?;
    let dialect = SchemaDialect::of(config.engine())?;
    let diff = (dialect.diff)(&made?, schema, &Hints::default());
    let mut left: Vec<String> = diff.changes.iter().map(ToString::to_string).collect();
    left.extend(diff.unsupported.iter().map(ToString::to_string));
    if left.is_empty() {
        return Ok(());
    }
    Err(Error::new(
        Class::Unsupported,
        format!(
            "Nothing is written, since one revision would not make all of the schema. This would be \
             left: {}.",
            left.join("; ")
        ),
    )
    .with_hint(
        "Let the engine's own tool print the schema, make a revision of that with `new`, and \
         record it with `stamp`.",
    ))
}

/// Keeps the other tool's history beside the revisions, as text.
fn keep(
    directory: &Path,
    arguments: &AdoptArguments,
    history: &[String],
) -> Result<Option<PathBuf>> {
    if history.is_empty() {
        return Ok(None);
    }
    let directory = directory.join(HISTORY);
    std::fs::create_dir_all(&directory).map_err(|error| unusable(&directory, &error))?;
    let path = directory.join(format!("{}.txt", arguments.tool));
    let text = history.join("\n") + "\n";
    std::fs::write(&path, text).map_err(|error| unusable(&path, &error))?;
    Ok(Some(path))
}

fn sentences(id: &RevisionId, schema: &Schema, kept: Option<&Path>) -> std::io::Result<()> {
    let mut out = stdout().lock();
    for of in &schema.unsupported {
        writeln!(
            out,
            "note: The revision does not have the {of}, which cannot be carried."
        )?;
    }
    if let Some(path) = kept {
        writeln!(out, "kept the earlier history in {}", path.display())?;
    }
    writeln!(
        out,
        "recorded {id} as applied. It makes a new database what this one is; rows are not part of it."
    )
}
