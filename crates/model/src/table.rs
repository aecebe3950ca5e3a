//! The table that a description stands for, on one engine.

mod column;
mod index;

use std::collections::{BTreeMap, BTreeSet};

use underpin_core::{Class, Error, Result};
use underpin_schema::{
    Check, Column, ForeignKey, Identity, KeyTarget, ObjectName, ObjectRef, PartitionBy,
    PartitionKey, PrimaryKey, SequenceOptions, Table, Unique, constraint_name,
};

use crate::advance;
use crate::data_type::{data_type, enumeration, logical};
use crate::description::{self, Counter, Description, OnUpdate, Over, Target};
use crate::dialect::{Counters, ModelDialect};

/// The qualified name of the table on an engine.
pub(super) fn table_name(of: &Description, dialect: &ModelDialect) -> ObjectName {
    in_schema(of.schema, of.table, dialect)
}

/// A name in the namespace that was given, where the engine has several.
pub(super) fn in_schema(schema: Option<&str>, name: &str, dialect: &ModelDialect) -> ObjectName {
    let namespace = schema.filter(|_| dialect.namespaces);
    ObjectName::new(namespace.unwrap_or(dialect.default_namespace), name)
}

/// The table on an engine.
///
/// # Errors
/// [`Class::Config`] for a type that is none, two constraints of one name, and a column
/// that cannot advance by itself.
pub(super) fn table(of: &Description, dialect: &ModelDialect) -> Result<Table> {
    table_and_checks(of, dialect).map(|(table, _)| table)
}

/// The table, and the names of those of its checks that are about what a column's type can read, by
/// column.
pub(super) fn table_and_checks(
    of: &Description,
    dialect: &ModelDialect,
) -> Result<(Table, BTreeMap<&'static str, String>)> {
    let mut building = Building {
        of,
        dialect,
        taken: given_names(of),
        table: Table::default(),
        readable: BTreeMap::new(),
    };
    building.columns()?;
    building.keys()?;
    building.checks()?;
    building.foreign_keys()?;
    building.indexes()?;
    building.rest();
    Ok((building.table, building.readable))
}

/// The sequence of a serial column, as the engine names it.
pub(super) fn sequence_name(of: &Description, column: &str, dialect: &ModelDialect) -> ObjectName {
    let columns = [column.to_owned()];
    let name = constraint_name(of.table, &columns, "seq", &BTreeSet::new());
    table_name(of, dialect).sibling(name)
}

/// The names that were given, which no other may take.
fn given_names(of: &Description) -> BTreeSet<String> {
    let key = of.primary_key.iter().map(|one| one.name);
    let names = key
        .chain(of.uniques.iter().map(|one| one.name))
        .chain(of.checks.iter().map(|one| one.name))
        .chain(of.foreign_keys.iter().map(|one| one.name))
        .chain(of.indexes.iter().map(|one| one.name));
    names.flatten().map(str::to_owned).collect()
}

struct Building<'a> {
    of: &'a Description,
    dialect: &'a ModelDialect,
    taken: BTreeSet<String>,
    table: Table,
    readable: BTreeMap<&'static str, String>,
}

impl Building<'_> {
    /// The name that was given, or the one that PostgreSQL would give.
    fn name(&mut self, given: Option<&str>, columns: &[String], label: &str) -> String {
        if let Some(given) = given {
            return given.to_owned();
        }
        let made = constraint_name(self.of.table, columns, label, &self.taken);
        self.taken.insert(made.clone());
        made
    }

    fn columns(&mut self) -> Result<()> {
        for column in self.of.columns {
            if column.on_update == Some(OnUpdate::Advance) {
                advance::expression(self.of, column, self.dialect)?;
            }
            let mut made = Column {
                name: column.name.to_owned(),
                data_type: data_type(self.of, column, self.dialect)?,
                not_null: !column.nullable || self.of.key_columns().contains(&column.name),
                default: column::default(self.of, column, self.dialect)?,
                identity: None,
                generated: column::generated(column, self.dialect),
                collation: self.collation(column),
                comment: self.comment(column.comment),
                ..Column::default()
            };
            if let (Some(namespace), Some(_)) = (&made.data_type.namespace, &made.default) {
                // The default is a value of the type, which is not the engine's.
                if enumeration(column).is_some() {
                    let name = ObjectName::new(namespace, &made.data_type.name);
                    self.table.depends_on.insert(ObjectRef::Enum(name));
                }
            }
            match (self.dialect.counters, column.counter) {
                (Counters::Sequences, Some(Counter::Serial)) => {
                    let sequence = sequence_name(self.of, column.name, self.dialect);
                    let quoted = sequence.to_string().replace('\'', "''");
                    made.default = Some(format!("nextval('{quoted}'::regclass)").into());
                    self.table.depends_on.insert(ObjectRef::Sequence(sequence));
                }
                (Counters::Sequences, Some(counter)) => {
                    made.identity = Some(Identity {
                        always: counter == Counter::Always,
                        sequence: Some(sequence_name(self.of, column.name, self.dialect)),
                        options: SequenceOptions::of_type(&made.data_type.name),
                    });
                }
                (Counters::RowIds, Some(_)) if self.of.sqlite.autoincrement => {
                    made.identity = Some(Identity {
                        always: false,
                        sequence: None,
                        options: SequenceOptions::of_type("bigint"),
                    });
                }
                _ => {}
            }
            self.table.columns.push(made);
        }
        Ok(())
    }

    fn collation(&self, column: &description::Column) -> Option<ObjectName> {
        let given = column.collation.on(self.dialect.name)?;
        Some(match given.split_once('.') {
            Some((schema, name)) => ObjectName::new(schema, name),
            None => ObjectName::new(self.dialect.collation_namespace, given),
        })
    }

    fn comment(&self, given: Option<&str>) -> Option<String> {
        let kept = given.filter(|_| self.dialect.comments);
        kept.map(str::to_owned)
    }

    fn keys(&mut self) -> Result<()> {
        if let Some(key) = self.of.primary_key {
            self.table.primary_key = Some(PrimaryKey {
                name: self.name(key.name, &[], "pkey"),
                columns: owned(key.columns),
                ..PrimaryKey::default()
            });
        }
        for unique in self.of.uniques {
            let columns = owned(unique.columns);
            let named: Vec<String> = owned(unique.columns)
                .into_iter()
                .chain(owned(unique.include))
                .collect();
            let name = self.name(unique.name, &named, "key");
            let made = Unique {
                columns,
                include: owned(unique.include),
                nulls_not_distinct: unique.nulls_not_distinct,
                deferral: unique.deferral,
                ..Unique::default()
            };
            put(&mut self.table.uniques, self.of, name, made)?;
        }
        Ok(())
    }

    fn checks(&mut self) -> Result<()> {
        for check in self.of.checks {
            let Some(expression) = check.expression.on(self.dialect.name) else {
                continue;
            };
            let columns: Vec<String> = check.column.iter().map(|one| (*one).to_owned()).collect();
            let name = self.name(check.name, &columns, "check");
            let made = Check {
                expression: expression.into(),
                ..Check::default()
            };
            put(&mut self.table.checks, self.of, name, made)?;
        }
        self.type_checks()
    }

    /// The checks of labels, and of what a type can read, without which one wrong value makes every
    /// list of rows fail; or of what PostgreSQL's type holds, where the model asks for that. A
    /// foreign key holds no more than the key that it points at.
    fn type_checks(&mut self) -> Result<()> {
        let points = |name: &str| {
            let mut keys = self.of.foreign_keys.iter();
            keys.any(|key| key.columns.contains(&name))
        };
        for column in self.of.columns {
            let own = column.given_type.own(self.dialect.name);
            if points(column.name) || (own.is_some() && own == self.dialect.any_type) {
                continue;
            }
            let labels: Option<Vec<&str>> =
                enumeration(column).map(|of| of.labels.iter().map(|label| label.name).collect());
            let logical = logical(self.of, column, self.dialect)?;
            let columns = [column.name.to_owned()];
            if let Some(type_check) = self.dialect.type_check
                && (labels.is_some() || self.of.sqlite.checked_types)
                && let Some((label, check)) = type_check(column.name, &logical, labels.as_deref())?
            {
                let name = constraint_name(self.of.table, &columns, label, &self.taken);
                put(&mut self.table.checks, self.of, name, check)?;
                continue;
            }
            if self.of.key_columns() == [column.name] && logical.name == "bigint" {
                // SQLite itself keeps everything but integers out of the number of a row.
                continue;
            }
            if let Some(readable) = self.dialect.readable
                && column.generated.on(self.dialect.name).is_none()
                && let Some(check) = readable(column.name, &logical, self.of.sqlite.strict)?
            {
                let name = self.name(None, &columns, "check");
                self.readable.insert(column.name, name.clone());
                put(&mut self.table.checks, self.of, name, check)?;
            }
        }
        Ok(())
    }

    fn foreign_keys(&mut self) -> Result<()> {
        for key in self.of.foreign_keys {
            let (references, referenced) = self.target(&key.target)?;
            if referenced.len() != key.columns.len() {
                return Err(wrong(
                    self.of,
                    format!(
                        "has a foreign key of {} to {} of {references}: a key has the same number \
                         of columns on both sides",
                        key.columns.join(", "),
                        referenced.join(", ")
                    ),
                ));
            }
            let columns = owned(key.columns);
            let name = self.name(key.name, &columns, "fkey");
            let made = ForeignKey {
                columns,
                references,
                referenced_columns: referenced,
                on_update: key.on_update,
                on_delete: key.on_delete,
                matching: key.matching,
                deferral: key.deferral,
                ..ForeignKey::default()
            };
            put(&mut self.table.foreign_keys, self.of, name, made)?;
        }
        Ok(())
    }

    fn target(&self, target: &Target) -> Result<(ObjectName, Vec<String>)> {
        match target {
            Target::Table {
                schema,
                table,
                columns,
            } => Ok((in_schema(*schema, table, self.dialect), owned(columns))),
            Target::Model(model) => {
                let model = model();
                let name = table_name(model, self.dialect);
                match model.key_columns() {
                    [] => Err(wrong(
                        self.of,
                        format!("has a foreign key to {name}, which has no primary key"),
                    )),
                    key => Ok((name, owned(key))),
                }
            }
        }
    }

    fn indexes(&mut self) -> Result<()> {
        for index in self.of.indexes {
            let usual = index.method.is_none_or(|one| one == "btree");
            if !usual && !self.dialect.index_options {
                continue;
            }
            let name = self.name(index.name, &index::names(index), "idx");
            let made = index::index(index, self.dialect);
            put(&mut self.table.indexes, self.of, name, made)?;
        }
        Ok(())
    }

    fn rest(&mut self) {
        self.table.comment = self.comment(self.of.comment);
        if self.dialect.partitions {
            self.table.partition_by = self.of.partition_by.map(|by| PartitionBy {
                strategy: by.strategy,
                keys: by.keys.iter().map(partition_key).collect(),
            });
        }
        if let Some(options) = self.dialect.options {
            self.table.options = options(self.of);
        }
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn partition_key(over: &Over) -> PartitionKey {
    PartitionKey {
        target: match over {
            Over::Column(name) => KeyTarget::Column((*name).to_owned()),
            Over::Expression(text) => KeyTarget::Expression((*text).into()),
        },
        collation: None,
        operator_class: None,
    }
}

fn put<T>(all: &mut BTreeMap<String, T>, of: &Description, name: String, one: T) -> Result<()> {
    if all.contains_key(&name) {
        return Err(wrong(
            of,
            format!("has two constraints or indexes called {name:?}"),
        ));
    }
    all.insert(name, one);
    Ok(())
}

fn wrong(of: &Description, what: String) -> Error {
    Error::new(
        Class::Config,
        format!("The model of the table {:?} {what}.", of.table),
    )
}
