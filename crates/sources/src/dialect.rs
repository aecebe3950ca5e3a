use underpin_core::{Engine, Result};
use underpin_schema::{Diff, Plan, Schema, SchemaDialect};

/// The statements, without semicolons, that make the schema in an empty database of this
/// engine, in an order in which each has what it needs. What is
/// [unsupported](Schema::unsupported) is not among them.
///
/// # Errors
/// [`Class::Unsupported`](underpin_core::Class::Unsupported) for what the engine cannot have; for
/// a name that cannot be one.
pub fn dump(engine: Engine, schema: &Schema) -> Result<Vec<String>> {
    (SchemaDialect::of(engine)?.dump)(schema)
}

/// The steps that carry out the changes of a diff on a database of this engine that has the
/// first schema, or why they cannot be carried out in place.
///
/// # Errors
/// As for [`dump`].
pub fn plan(engine: Engine, from: &Schema, to: &Schema, diff: &Diff) -> Result<Plan> {
    (SchemaDialect::of(engine)?.plan)(from, to, diff)
}
