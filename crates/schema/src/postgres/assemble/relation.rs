use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use underpin_core::Result;

use super::names_by_oid::Names;
use super::{column, constraint, index, key, missing, policy, trigger, unknown_code};
use crate::object_name::plain;
use crate::postgres::catalog::columns::ColumnRow;
use crate::postgres::catalog::constraints::ConstraintRow;
use crate::postgres::catalog::dependencies::Place;
use crate::postgres::catalog::indexes::IndexRow;
use crate::postgres::catalog::policies::PolicyRow;
use crate::postgres::catalog::relations::{PartitionKeyText, RelationRow, SequenceRow};
use crate::postgres::catalog::triggers::TriggerRow;
use crate::postgres::error::CatalogError;
use crate::postgres::listed::{self, Kind};
use crate::sql_text;
use crate::{
    Bound, Identity, MaterializedView, ObjectName, ObjectRef, PartitionOf, Persistence,
    RowSecurity, Schema, Sequence, SequenceOptions, Table, Type, Unsupported, View,
};

/// The relations while they are put together, by number.
#[derive(Default)]
pub(super) struct Relations {
    by_oid: HashMap<i64, Relation>,
    /// Indexes of constraints wait here for the constraint.
    indexes: HashMap<i64, IndexRow>,
    /// Sequences of identity columns, by table and column.
    identities: HashMap<(i64, String), Identity>,
    /// The same sequences by number: they can have privileges.
    of_identities: HashMap<i64, ObjectName>,
    /// Options that the server's lists do not have.
    unlisted: BTreeSet<Unsupported>,
}

/// One relation, and what its parts refer to by number.
pub(super) struct Relation {
    pub(super) name: ObjectName,
    pub(super) object: Object,
    pub(super) columns: HashMap<i16, NumberedColumn>,
    partition_key: Option<PartitionKeyText>,
}

pub(super) struct NumberedColumn {
    pub(super) name: String,
    pub(super) collation: i64,
}

pub(super) enum Object {
    Table(Box<Table>),
    View(View),
    MaterializedView(MaterializedView),
    Sequence(Sequence),
}

impl Relation {
    pub(super) fn table(&mut self) -> Result<&mut Table, CatalogError> {
        match &mut self.object {
            Object::Table(table) => Ok(table),
            _ => Err(missing("a table", &self.name)),
        }
    }

    /// The name of a column.
    pub(super) fn column(&self, number: i16) -> Result<&NumberedColumn, CatalogError> {
        let column = self.columns.get(&number);
        column.ok_or_else(|| missing(format_args!("column number {number}"), &self.name))
    }

    pub(super) fn column_names(&self, numbers: &[i16]) -> Result<Vec<String>, CatalogError> {
        let names = numbers
            .iter()
            .map(|number| Ok(self.column(*number)?.name.clone()));
        names.collect()
    }
}

impl Relations {
    pub(super) fn add(&mut self, row: RelationRow, names: &Names) -> Result<()> {
        let options = self.relation_options(&row, names.version());
        let persistence = match row.persistence.as_str() {
            "p" => Persistence::Permanent,
            "u" => Persistence::Unlogged,
            code => return Err(unknown_code("relpersistence", code, &row.name).into()),
        };
        let definition = || row.definition.as_deref().unwrap_or_default();
        let definition = || definition().trim().trim_end_matches(';').into();
        let object = match row.kind.as_str() {
            "r" | "p" => Object::Table(Box::new(table(&row, options, persistence)?)),
            "v" => Object::View(View {
                definition: definition(),
                options,
                comment: row.comment,
                ..View::default()
            }),
            "m" => Object::MaterializedView(MaterializedView {
                definition: definition(),
                options,
                comment: row.comment,
                ..MaterializedView::default()
            }),
            "S" => {
                let missing = || missing("its pg_sequence", &row.name);
                let sequence = row.sequence.ok_or_else(missing)?;
                let options = sequence_options(&sequence)?;
                match sequence.owner {
                    Some(owner) if owner.identity => {
                        self.of_identities.insert(row.oid, row.name.clone());
                        let identity = Identity {
                            always: false,
                            sequence: Some(row.name),
                            options,
                        };
                        self.identities
                            .insert((owner.table, owner.column.column), identity);
                        return Ok(());
                    }
                    owner => Object::Sequence(Sequence {
                        options,
                        owned_by: owner.map(|owner| owner.column),
                        persistence,
                        comment: row.comment,
                    }),
                }
            }
            kind => return Err(unknown_code("relkind", kind, &row.name).into()),
        };
        let relation = Relation {
            name: row.name,
            object,
            columns: HashMap::new(),
            partition_key: row.partition_key,
        };
        self.by_oid.insert(row.oid, relation);
        Ok(())
    }

    /// The stored options that a user can set; the rest is noted.
    fn sorted(
        &mut self,
        kind: Kind<'_>,
        (version, stored): (i64, &[String]),
        of: impl fmt::Display,
    ) -> BTreeMap<String, String> {
        let options = listed::sorted(kind, version, stored);
        let unlisted = options.unlisted.iter();
        self.unlisted.extend(unlisted.map(|text| Unsupported {
            kind: "option".to_owned(),
            name: format!("{} of {of}", one_line(text)),
            fingerprint: String::new(),
        }));
        options.listed
    }

    /// The options of a relation and, where it has one, of its TOAST table.
    fn relation_options(&mut self, row: &RelationRow, version: i64) -> BTreeMap<String, String> {
        let (kind, word) = match row.kind.as_str() {
            "r" => (Kind::Table, "table"),
            "v" => (Kind::View, "view"),
            "m" => (Kind::Table, "materialized view"),
            "p" => (Kind::Nothing, "table"),
            _ => (Kind::Nothing, "sequence"),
        };
        let of = format!("{word} {}", row.name);
        let mut options = self.sorted(kind, (version, &row.options), &of);
        let of = format!("the TOAST table of {word} {}", row.name);
        let toast = self.sorted(Kind::Toast, (version, &row.toast_options), &of);
        let toast = toast.into_iter();
        options.extend(toast.map(|(name, value)| (format!("toast.{name}"), value)));
        options
    }

    pub(super) fn add_column(&mut self, row: ColumnRow, names: &Names) -> Result<()> {
        let identity = match row.identity.as_str() {
            "" => None,
            // A partition's column may count by the sequence of its parent.
            _ => self.identities.remove(&(row.relation, row.name.clone())),
        };
        let relation = self.relation(row.relation, &row.name)?;
        let kind = match relation.object {
            Object::Table(_) | Object::MaterializedView(_) => Kind::Column,
            Object::View(_) | Object::Sequence(_) => Kind::Nothing,
        };
        let of = format!("column {}.{}", relation.name, plain(&row.name));
        let options = self.sorted(kind, (names.version(), &row.options), of);
        let relation = self.relation(row.relation, &row.name)?;
        let numbered = NumberedColumn {
            name: row.name.clone(),
            collation: row.collation_oid,
        };
        relation.columns.insert(row.number, numbered);
        match &mut relation.object {
            Object::Table(table) => table
                .columns
                .push(column::of_table(row, options, identity)?),
            Object::View(view) => view.columns.push(column::of_view(row, options)?),
            Object::MaterializedView(view) => view.columns.push(column::of_view(row, options)?),
            Object::Sequence(_) => return Err(missing("a table", &row.name).into()),
        }
        Ok(())
    }

    /// Once all columns are known.
    pub(super) fn number_partition_keys(&mut self, names: &Names) -> Result<()> {
        for relation in self.by_oid.values_mut() {
            if let Some(text) = relation.partition_key.take() {
                let by = key::partition_by(relation, &text, names)?;
                relation.table()?.partition_by = Some(by);
            }
        }
        Ok(())
    }

    pub(super) fn add_index(&mut self, row: IndexRow, names: &Names) -> Result<()> {
        let table = &self.relation(row.relation, &row.name)?.name;
        let of = format!("index {}", table.sibling(&row.name));
        let options = (names.version(), &row.options[..]);
        let options = self.sorted(Kind::Index(&row.method), options, of);
        let relation = self.relation(row.relation, &row.name)?;
        let built = index::index(relation, &row, options, names)?;
        let indexes = match &mut relation.object {
            Object::Table(table) => &mut table.indexes,
            Object::MaterializedView(view) => &mut view.indexes,
            _ => return Err(missing("a table", &row.name).into()),
        };
        indexes.insert(row.name.clone(), built);
        self.indexes.insert(row.oid, row);
        Ok(())
    }

    pub(super) fn add_constraint(&mut self, row: ConstraintRow, names: &Names) -> Result<()> {
        let index = self.indexes.get(&row.index).map(|index| index.name.clone());
        let relation = self.relation(row.relation, &row.name)?;
        constraint::add(relation, index, row, names)
    }

    pub(super) fn add_trigger(&mut self, row: TriggerRow) -> Result<()> {
        let relation = self.relation(row.relation, &row.name)?;
        let (name, built) = trigger::trigger(row)?;
        match &mut relation.object {
            Object::Table(table) => table.triggers.insert(name, built),
            Object::View(view) => view.triggers.insert(name, built),
            _ => return Err(missing("a table or view", name).into()),
        };
        Ok(())
    }

    pub(super) fn add_policy(&mut self, row: PolicyRow) -> Result<()> {
        let relation = self.relation(row.relation, &row.name)?;
        let (name, built) = policy::policy(row)?;
        relation.table()?.policies.insert(name, built);
        Ok(())
    }

    /// Gives each relation a reference, for what depends on it.
    pub(super) fn refer(&self, objects: &mut HashMap<Place, ObjectRef>) {
        for (oid, relation) in &self.by_oid {
            let name = relation.name.clone();
            let reference = match relation.object {
                Object::Table(_) => ObjectRef::Table(name),
                Object::View(_) => ObjectRef::View(name),
                Object::MaterializedView(_) => ObjectRef::MaterializedView(name),
                Object::Sequence(_) => ObjectRef::Sequence(name),
            };
            objects.insert(("relation".to_owned(), *oid), reference);
        }
        for (oid, name) in &self.of_identities {
            let place = ("relation".to_owned(), *oid);
            objects.insert(place, ObjectRef::Sequence(name.clone()));
        }
    }

    pub(super) fn finish(self, schema: &mut Schema) -> Result<()> {
        if let Some(((_, column), identity)) = self.identities.into_iter().next() {
            let sequence = identity.sequence.unwrap_or_default();
            return Err(missing(format_args!("column {column}"), sequence).into());
        }
        schema.unlisted_options.extend(self.unlisted);
        for (_, relation) in self.by_oid {
            let name = relation.name;
            match relation.object {
                Object::Table(table) => drop(schema.tables.insert(name, *table)),
                Object::View(view) => drop(schema.views.insert(name, view)),
                Object::Sequence(sequence) => drop(schema.sequences.insert(name, sequence)),
                Object::MaterializedView(view) => {
                    schema.materialized_views.insert(name, view);
                }
            }
        }
        Ok(())
    }

    fn relation(&mut self, oid: i64, of: &str) -> Result<&mut Relation, CatalogError> {
        let relation = self.by_oid.get_mut(&oid);
        relation.ok_or_else(|| missing(format_args!("relation {oid}"), of))
    }
}

/// A text that a line can hold, also in a comment of SQL.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() {
            true => line.extend(c.escape_default()),
            false => line.push(c),
        }
    }
    line
}

fn table(
    row: &RelationRow,
    options: BTreeMap<String, String>,
    persistence: Persistence,
) -> Result<Table, CatalogError> {
    let (enabled, forced) = row.row_security;
    let mut inherits = row.parents.clone();
    let partition_of = match row.is_partition {
        false => None,
        true => {
            let parent = inherits
                .pop()
                .ok_or_else(|| missing("its parent", &row.name))?;
            let bound = bound(row.bound.as_deref().unwrap_or_default());
            Some(PartitionOf { parent, bound })
        }
    };
    Ok(Table {
        row_security: RowSecurity { enabled, forced },
        partition_of,
        inherits,
        persistence,
        options,
        depends_on: BTreeSet::new(),
        comment: row.comment.clone(),
        ..Table::default()
    })
}

fn bound(text: &str) -> Bound {
    match sql_text::unwrapped(text) {
        "DEFAULT" => Bound::Default,
        values => Bound::Values(values.into()),
    }
}

fn sequence_options(row: &SequenceRow) -> Result<SequenceOptions> {
    Ok(SequenceOptions {
        data_type: Type::parse(&row.data_type)?,
        start: row.start,
        increment: row.increment,
        min: row.min,
        max: row.max,
        cache: row.cache,
        cycle: row.cycle,
    })
}
