use std::collections::btree_map::Entry;

use underpin_core::{Class, Engine, Enumeration, Error, Result};
use underpin_schema::{
    Check, ColumnRef, EnumType, Hints, Namespace, ObjectName, Persistence, Rename, Schema,
    Sequence, SequenceOptions, Table,
};

use crate::data_type::{data_type, enumeration};
use crate::description::{Column, Counter, Description};
use crate::dialect::{Counters, ModelDialect};
use crate::table::{in_schema, sequence_name, table, table_and_checks, table_name};

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
        let dialect = ModelDialect::of(engine)?;
        let mut schema = Schema::default();
        let default = dialect.default_namespace.to_owned();
        schema.namespaces.insert(default, Namespace::default());
        for of in self.descriptions {
            let name = table_name(of, dialect);
            add_namespace(&mut schema, &name);
            if schema.tables.contains_key(&name) {
                return Err(Error::new(
                    Class::Config,
                    format!("Two models describe the table {name}."),
                ));
            }
            schema.tables.insert(name, table(of, dialect)?);
            if dialect.counters == Counters::Sequences {
                add_sequences(&mut schema, of, dialect)?;
            }
            if dialect.enums {
                add_enums(&mut schema, of, dialect)?;
            }
        }
        Ok(schema)
    }

    /// Leaves out of their schema the checks of what a column's type can read, where the table exists
    /// in `now` without such checks, or the column without its own: to add them, SQLite would rebuild
    /// the table.
    ///
    /// # Errors
    /// As for [`schema`](Models::schema).
    pub fn without_new_checks(
        &self,
        schema: &mut Schema,
        now: &Schema,
        engine: Engine,
    ) -> Result<()> {
        let dialect = ModelDialect::of(engine)?;
        for of in self.descriptions {
            let name = table_name(of, dialect);
            let (Some(table), Some(now)) = (schema.tables.get_mut(&name), now.tables.get(&name))
            else {
                continue;
            };
            let (_, checks) = table_and_checks(of, dialect)?;
            let has = |table: &Table, name: &String| {
                let wanted = table.checks.get(name).map(words);
                let mut there = now.checks.values().map(words);
                now.checks.contains_key(name) || there.any(|one| Some(one) == wanted)
            };
            let has_some = checks.values().any(|name| has(table, name));
            for (column, name) in &checks {
                let is_new = has_some && now.column(column).is_none();
                if !is_new && !has(table, name) {
                    table.checks.remove(name);
                }
            }
        }
        Ok(())
    }

    /// What has another name than before: what says `renamed_from`. Nothing on an engine whose
    /// models are not known.
    pub fn hints(&self, engine: Engine) -> Hints {
        let Ok(dialect) = ModelDialect::of(engine) else {
            return Hints::default();
        };
        let mut renames = Vec::new();
        for of in self.descriptions {
            let table = table_name(of, dialect);
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
                renames.extend(labels_renamed(column, dialect));
            }
        }
        Hints {
            renames,
            ..Hints::default()
        }
    }
}

/// The letters and digits of a check, which stay the same however it is written.
fn words(check: &Check) -> String {
    let text = check.expression.as_str().chars();
    let words = text.filter(|c| c.is_alphanumeric());
    words.flat_map(char::to_lowercase).collect()
}

/// The labels with another name, where the column is of an enumerated type.
fn labels_renamed(column: &Column, dialect: &ModelDialect) -> Vec<Rename> {
    let Some(of) = enumeration(column).filter(|_| dialect.enums) else {
        return Vec::new();
    };
    let name = in_schema(of.schema, of.name, dialect);
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
fn add_sequences(schema: &mut Schema, of: &Description, dialect: &ModelDialect) -> Result<()> {
    for column in of.columns {
        if column.counter != Some(Counter::Serial) {
            continue;
        }
        let counted = data_type(of, column, dialect)?;
        let sequence = Sequence {
            options: SequenceOptions::of_type(&counted.name),
            owned_by: Some(ColumnRef {
                table: table_name(of, dialect),
                column: column.name.to_owned(),
            }),
            persistence: Persistence::Permanent,
            comment: None,
        };
        let name = sequence_name(of, column.name, dialect);
        schema.sequences.insert(name, sequence);
    }
    Ok(())
}

/// The enumerated types of the columns that are given no other type.
fn add_enums(schema: &mut Schema, of: &Description, dialect: &ModelDialect) -> Result<()> {
    for enumeration in of.columns.iter().filter_map(enumeration) {
        let name = in_schema(enumeration.schema, enumeration.name, dialect);
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
                    format!("Two enums with different labels have the type {name}."),
                )
                .with_hint("Rename one of them: `#[model(name = \"…\")]`."));
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
/// let schema = MODELS.schema(Engine::POSTGRES)?;
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
