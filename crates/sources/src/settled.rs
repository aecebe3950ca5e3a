use underpin_config::Config;
use underpin_core::{Executor, Result};
use underpin_migrate::OpenDatabase;
use underpin_schema::{Hints, Schema, SchemaDialect};

use crate::{Scratch, introspect, selection};

/// Lets the server decide which expressions of two schemas are one. A server may render an
/// expression in another way once it has read what it rendered, and has its own words for what has
/// another name. So where texts differ, or something is renamed, both schemas are made in scratch
/// databases beside that of the configuration and read again; the hints then have the first schema
/// after the renames, with the texts of the second one wherever the server reads both as one.
///
/// Where no scratch database can be made, texts count as they are: nothing that differs is taken
/// for equal. On an engine that keeps what was written there is nothing to ask.
///
/// # Errors
/// Where a scratch database cannot be read or removed.
///
/// # Cancel safety
/// Dropped half-way, scratch databases are removed in the background.
pub async fn settle<D: OpenDatabase>(
    from: &Schema,
    to: &Schema,
    hints: &mut Hints,
    config: &Config,
) -> Result<()> {
    let dialect = SchemaDialect::of(config.engine())?;
    let Some(statements) = dialect.renames else {
        return Ok(());
    };
    let renames = hints.applicable(from, to);
    let edited = hints.renamed(from, to);
    if renames.is_empty() && !edited.differs_in_texts(to) {
        return Ok(());
    }
    let Some(read) = made::<D>(from, &statements(&renames)?, config, dialect).await? else {
        return Ok(());
    };
    let Some(to_read) = made::<D>(to, &[], config, dialect).await? else {
        return Ok(());
    };
    let settled = edited.with_texts_of(&read, to, &to_read, !renames.is_empty());
    hints.renamed_by_engine = Some(Box::new(settled));
    Ok(())
}

/// What the server makes of a schema and of some statements after it; none where it lets no scratch
/// database be made. What fails is left out, and then not compared.
async fn made<D: OpenDatabase>(
    schema: &Schema,
    more: &[String],
    config: &Config,
    dialect: &SchemaDialect,
) -> Result<Option<Schema>> {
    // Rights are those of roles, and event triggers would see what is made here.
    let mut bare = schema.clone();
    bare.access.clear();
    bare.settings.clear();
    bare.defined
        .retain(|name, _| name.kind != underpin_schema::DefinedKind::EventTrigger);
    let Ok(scratch) = Scratch::<D>::beside(config).await else {
        return Ok(None);
    };
    let made = fill(&scratch, &(dialect.dump)(&bare)?, more).await;
    let removed = scratch.remove().await;
    let made = made?;
    removed.map(|()| Some(made))
}

async fn fill<D: OpenDatabase>(
    scratch: &Scratch<D>,
    statements: &[String],
    more: &[String],
) -> Result<Schema> {
    let database = scratch.database();
    let session = database.acquire().await?;
    for statement in statements.iter().chain(more) {
        // No query of a view is carried out.
        let filled = statement.starts_with("CREATE MATERIALIZED VIEW");
        let empty = if filled { "\nWITH NO DATA" } else { "" };
        let _ = session.batch(&format!("{statement}{empty}")).await;
    }
    drop(session);
    introspect(database, &selection()).await
}
