use std::collections::btree_map::Entry;

use underpin_core::{Class, Engine, Enumeration, Error, Result};
use underpin_schema::{
    ColumnRef, EnumType, Hints, Namespace, ObjectName, Persistence, Rename, Schema, Sequence,
    SequenceOptions,
};

use super::description::{Column, Counter, Description};
use super::table::{enumeration, in_schema, sequence_name, table, table_name};
use super::{data_type, default_schema};

/// The models of an application: what its database is to have. [`models!`](crate::models)
/// makes it.
#[derive(Debug, Clone, Copy)]
pub struct Models {
    descriptions: &'static [&'static Description],
}

impl Models {
    /// The models of these descriptions.
    pub const fn new(descriptions: &'static [&'static Description]) -> Self {
        Models { descriptions }
    }

    /// What is known of each.
    pub fn descriptions(&self) -> &'static [&'static Description] {
        self.descriptions
    }

    /// The schema that they describe: their tables, and the namespaces, enumerated types and
    /// sequences that these need. Expressions are as they were given: what a server makes of
    /// them is known once it has them.
    ///
    /// # Errors
    /// [`Class::Config`] where two models are of one table or two enumerated types have one
    /// name, and where a model is not one as a whole.
    pub fn schema(&self, engine: Engine) -> Result<Schema> {
        let mut schema = Schema::default();
        let default = default_schema(engine).to_owned();
        schema.namespaces.insert(default, Namespace::default());
        for of in self.descriptions {
            let name = table_name(of, engine);
            add_namespace(&mut schema, &name);
            if schema.tables.contains_key(&name) {
                return Err(Error::new(
                    Class::Config,
                    format!("Two models are of the table {name}."),
                ));
            }
            schema.tables.insert(name, table(of, engine)?);
            if engine == Engine::Postgres {
                add_sequences(&mut schema, of)?;
                add_enums(&mut schema, of)?;
            }
        }
        Ok(schema)
    }

    /// What has another name than before: what says `renamed_from`.
    pub fn hints(&self, engine: Engine) -> Hints {
        let mut renames = Vec::new();
        for of in self.descriptions {
            let table = table_name(of, engine);
            if let Some(old) = of.renamed_from {
                renames.push(Rename::Table {
                    from: table.sibling(old),
                    to: table.clone(),
                });
            }
            for column in of.columns {
                renames.extend(column.renamed_from.map(|old| Rename::Column {
                    table: table.clone(),
                    from: old.to_owned(),
                    to: column.name.to_owned(),
                }));
                renames.extend(labels_renamed(column, engine));
            }
        }
        Hints { renames }
    }
}

/// The labels with another name, where the column is of an enumerated type.
fn labels_renamed(column: &Column, engine: Engine) -> Vec<Rename> {
    let Some(of) = enumeration(column).filter(|_| engine == Engine::Postgres) else {
        return Vec::new();
    };
    let name = in_schema(of.schema, of.name, engine);
    let labels = of.labels.iter().filter_map(|label| {
        Some(Rename::Label {
            name: name.clone(),
            from: label.renamed_from?.to_owned(),
            to: label.name.to_owned(),
        })
    });
    labels.collect()
}

fn add_namespace(schema: &mut Schema, of: &ObjectName) {
    schema.namespaces.entry(of.namespace.clone()).or_default();
}

/// The sequences of serial columns.
fn add_sequences(schema: &mut Schema, of: &Description) -> Result<()> {
    for column in of.columns {
        if column.counter != Some(Counter::Serial) {
            continue;
        }
        let counted = data_type::data_type(of, column, Engine::Postgres)?;
        let sequence = Sequence {
            options: SequenceOptions::of_type(&counted.name),
            owned_by: Some(ColumnRef {
                table: table_name(of, Engine::Postgres),
                column: column.name.to_owned(),
            }),
            persistence: Persistence::Permanent,
            comment: None,
        };
        let name = sequence_name(of, column.name);
        schema.sequences.insert(name, sequence);
    }
    Ok(())
}

/// The enumerated types of the columns that are given no other type.
fn add_enums(schema: &mut Schema, of: &Description) -> Result<()> {
    for enumeration in of.columns.iter().filter_map(enumeration) {
        let name = in_schema(enumeration.schema, enumeration.name, Engine::Postgres);
        add_namespace(schema, &name);
        let made = enum_type(enumeration);
        match schema.enums.entry(name) {
            Entry::Vacant(free) => {
                free.insert(made);
            }
            Entry::Occupied(taken) if *taken.get() == made => {}
            Entry::Occupied(taken) => {
                let name = taken.key();
                return Err(Error::new(
                    Class::Config,
                    format!("Two enums of different labels are the type {name}."),
                )
                .with_hint("Give one of them another name: `#[model(name = \"…\")]`."));
            }
        }
    }
    Ok(())
}

fn enum_type(of: &Enumeration) -> EnumType {
    let labels = of.labels.iter().map(|label| label.name.to_owned());
    EnumType {
        labels: labels.collect(),
        comment: of.comment.map(str::to_owned),
    }
}

/// The models of an application, as a [`Models`](crate::Models), also in a `static`.
///
/// ```
/// use underpin::model::Models;
/// use underpin::{Engine, Model, models};
///
/// #[derive(Model)]
/// #[model(table = "users")]
/// struct User {
///     #[model(primary_key, identity)]
///     id: i64,
///     #[model(unique)]
///     email: String,
/// }
///
/// static MODELS: Models = models![User];
///
/// # fn main() -> underpin::Result<()> {
/// let schema = MODELS.schema(Engine::Postgres)?;
/// assert_eq!(schema.tables.len(), 1);
/// # Ok(())
/// # }
/// ```
#[macro_export]
macro_rules! models {
    ($($model:ty),* $(,)?) => {
        $crate::Models::new(&[$(<$model as $crate::Model>::DESCRIPTION),*])
    };
}
