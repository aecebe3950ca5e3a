use underpin_core::{Class, Engine, Error, Result};
use underpin_migrate::{Object, Renamed, RenamedTo, renamed};
use underpin_schema::{Hints, ObjectName, Rename, Schema, SchemaDialect};

use super::Text;
use super::files::File;

/// A rename that a comment asks for, and where.
pub(super) struct Asked {
    file: String,
    renamed: Renamed,
}

impl Asked {
    fn error(&self, message: &str) -> Error {
        let (file, line) = (&self.file, self.renamed.line);
        Error::new(Class::Config, format!("{file}, line {line}: {message}"))
    }
}

/// The renames that the comments of a file ask for. They become blanks, since SQLite would keep
/// them as comments on columns.
pub(super) fn asked(file: &File, text: &mut Text, engine: Engine) -> Result<Vec<Asked>> {
    let found = renamed(&text.sql, &text.pieces, engine).map_err(|error| {
        let (line, message) = (error.line, error.message);
        Error::new(
            Class::Config,
            format!("{}, line {line}: {message}", file.name),
        )
    })?;
    for renamed in &found {
        let blanks = " ".repeat(renamed.range.len());
        text.sql.replace_range(renamed.range.clone(), &blanks);
    }
    let asked = found.into_iter().map(|renamed| Asked {
        file: file.name.clone(),
        renamed,
    });
    Ok(asked.collect())
}

/// The renames by the names that the schema has.
pub(super) fn resolved(asked: Vec<Asked>, schema: &Schema, engine: Engine) -> Result<Hints> {
    let dialect = SchemaDialect::of(engine)?;
    let names = Names { schema, dialect };
    let renames = asked.iter().map(|asked| names.rename(asked));
    Ok(Hints {
        renames: renames.collect::<Result<_>>()?,
        ..Hints::default()
    })
}

struct Names<'s> {
    schema: &'s Schema,
    dialect: &'static SchemaDialect,
}

impl Names<'_> {
    fn rename(&self, asked: &Asked) -> Result<Rename> {
        let from = &asked.renamed.from;
        match &asked.renamed.to {
            RenamedTo::Table(table) => {
                let to = self.one(self.schema.tables.keys(), table, asked)?;
                let name = match &from[..] {
                    [name] => name,
                    [namespace, name] if self.same(namespace, &to.namespace) => name,
                    _ => {
                        let message = "a table cannot change its schema by a rename.";
                        return Err(asked.error(message));
                    }
                };
                let from = to.sibling(name);
                Ok(Rename::Table { from, to })
            }
            RenamedTo::Column(table, column) => {
                let table = self.one(self.schema.tables.keys(), table, asked)?;
                let columns = &self.schema.tables[&table].columns;
                let mut columns = columns.iter().map(|column| &column.name);
                let to = columns.find(|name| self.same(name, column));
                let to = to.ok_or_else(|| {
                    asked.error(&format!("{table} has no column {column} at the end."))
                })?;
                let (from, to) = (last(asked)?, to.clone());
                Ok(Rename::Column { table, from, to })
            }
            RenamedTo::Label(of, label) => {
                let name = self.one(self.schema.enums.keys(), of, asked)?;
                let (from, to) = (last(asked)?, label.clone());
                Ok(Rename::Label { name, from, to })
            }
        }
    }

    /// The one object that a name means. One without a namespace can be in any.
    fn one<'n>(
        &self,
        names: impl Iterator<Item = &'n ObjectName>,
        object: &Object,
        asked: &Asked,
    ) -> Result<ObjectName> {
        let meant = |name: &&ObjectName| {
            let namespace = object.schema.as_deref();
            self.same(&name.name, &object.name)
                && namespace.is_none_or(|namespace| self.same(namespace, &name.namespace))
        };
        let found: Vec<&ObjectName> = names.filter(meant).collect();
        match found[..] {
            [one] => Ok(one.clone()),
            [] => Err(asked.error(&format!("there is no {object} at the end."))),
            _ => {
                let message = format!("the {object} is in several schemas: write its schema.");
                Err(asked.error(&message))
            }
        }
    }

    /// Whether both are one name.
    fn same(&self, one: &str, other: &str) -> bool {
        (self.dialect.same_name)(one, other)
    }
}

/// An old name that has no parts.
fn last(asked: &Asked) -> Result<String> {
    match &asked.renamed.from[..] {
        [name] => Ok(name.clone()),
        _ => Err(asked.error("write only the old name, without its table or schema.")),
    }
}
