//! What models want of a database, as its server renders it.

use underpin_config::Config;
use underpin_core::{Engine, Error, Executor, Result};
use underpin_migrate::OpenDatabase;
use underpin_model::{ModelDialect, Models};
use underpin_schema::{Hints, Schema, SchemaDialect};

use crate::{Scratch, introspect, selection};

/// The schema that models want of a database which has the schema `now`, as a server like that
/// of the configuration renders it: made in a scratch database and read back, so that
/// expressions compare equal where they mean the same. Its engine is the configuration's.
///
/// Models do not describe everything. The rest is taken from `now`: extensions, domains, functions,
/// views, triggers, policies and row-level security, exclusion constraints, sequences that no model
/// owns, storage options, inheritance of tables, comments on objects without a comment of their own
/// in a model, and on SQLite all comments. Tables, and enums that columns have had, come from the
/// models only. A table that exists on SQLite without checks of what its types can read gets none.
/// `hints` list the objects that have another name in the models.
///
/// # Errors
/// `Class::Config` where the models are none as a whole; as the server has it where it
/// refuses a statement, which is named; as for [`Scratch::beside`].
///
/// # Cancel safety
/// As for [`Scratch::beside`].
pub async fn of_models<D: OpenDatabase>(
    models: &Models,
    config: &Config,
    now: &Schema,
    hints: &Hints,
) -> Result<Schema> {
    let engine = config.engine();
    let mut described = models.schema(engine)?;
    let dialect = ModelDialect::of(engine)?;
    // The sequence of a column keeps its name, unless its table gets another one.
    let kept = underpin_model::carry_over(described.clone(), now, dialect);
    let now = hints.renamed(now, &kept);
    models.without_new_checks(&mut described, &now, engine)?;
    let wanted = underpin_model::carry_over(described, &now, dialect);
    let scratch = Scratch::<D>::beside(config).await?;
    let made = make(&underpin_model::needed_by_tables(&wanted), engine, &scratch).await;
    let removed = scratch.remove().await;
    let made = underpin_model::completed(made?, &wanted);
    removed.map(|()| made)
}

async fn make<D: OpenDatabase>(
    schema: &Schema,
    engine: Engine,
    scratch: &Scratch<D>,
) -> Result<Schema> {
    let statements = (SchemaDialect::of(engine)?.dump)(schema)?;
    let database = scratch.database();
    // One session, since what is set for one statement holds for the next.
    let session = database.acquire().await?;
    for statement in &statements {
        let run = session.batch(statement).await;
        run.map_err(|error| refused(engine, statement, error))?;
    }
    drop(session);
    introspect(database, &selection()).await
}

fn refused(engine: Engine, statement: &str, error: Error) -> Error {
    error.with_context(format_args!(
        "The schema of the models cannot be created on {engine}. This statement \
         failed:\n{statement}\n"
    ))
}
