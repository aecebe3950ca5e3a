use underpin_core::{Class, Engine, Error, Result};
use underpin_schema::{Diff, Plan, Schema, postgres, sqlite};

/// The statements, without semicolons, that make the schema in an empty database of this
/// engine, in an order in which each has what it needs. What is
/// [unsupported](Schema::unsupported) is not among them.
///
/// # Errors
/// [`Class::Unsupported`] for what the engine cannot have; for a name that cannot be one.
pub fn dump(engine: Engine, schema: &Schema) -> Result<Vec<String>> {
    match engine {
        Engine::Postgres => postgres::dump(schema),
        Engine::Sqlite => sqlite::dump(schema),
        engine => Err(unknown(engine)),
    }
}

/// The steps that carry out the changes of a diff on a database of this engine that has the
/// first schema, or why they cannot be carried out in place.
///
/// # Errors
/// As for [`dump`].
pub fn plan(engine: Engine, from: &Schema, to: &Schema, diff: &Diff) -> Result<Plan> {
    match engine {
        Engine::Postgres => postgres::plan(from, to, diff),
        Engine::Sqlite => sqlite::plan(from, to, diff),
        engine => Err(unknown(engine)),
    }
}

fn unknown(engine: Engine) -> Error {
    let message = format!("Schemas of databases on {engine} are not known.");
    Error::new(Class::Unsupported, message)
}
