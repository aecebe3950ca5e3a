//! The schema that a target needs for the tables of a source: the tables in the words of the
//! target's engine, and what has no place there, by name.

use std::collections::{BTreeMap, BTreeSet};

use underpin_core::{Class, Engine, Error, Result};
use underpin_schema::{
    Check, Column, Expression, ForeignKey, Identity, Index, IndexKey, KeyTarget, Namespace,
    ObjectName, PrimaryKey, Schema, SchemaDialect, SequenceOptions, Table, Unique,
};

use crate::dialect::{CopyDialect, Counting, TargetRules};
use crate::kind::Kind;
use crate::portable;

/// One side of a copy.
#[derive(Clone, Copy)]
pub(crate) struct Side<'s> {
    pub(crate) engine: Engine,
    pub(crate) schema: &'s Schema,
    pub(crate) copy: &'static CopyDialect,
    pub(crate) rules: &'static SchemaDialect,
}

impl<'s> Side<'s> {
    pub(crate) fn new(engine: Engine, schema: &'s Schema) -> Result<Self> {
        Ok(Side {
            engine,
            schema,
            copy: CopyDialect::of(engine)?,
            rules: SchemaDialect::of(engine)?,
        })
    }
}

/// The schema that a target is to have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) schema: Schema,
    /// What has no place there, each with its reason.
    pub(crate) left: Vec<String>,
}

/// The name of a table in the target.
pub(crate) fn target_name(name: &ObjectName, from: Side<'_>, to: Engine) -> Result<ObjectName> {
    let (rules, target) = (SchemaDialect::of(to)?, CopyDialect::target_of(to)?);
    let namespace = match target.namespaces && name.namespace != from.rules.first_namespace {
        true => name.namespace.as_str(),
        false => rules.first_namespace,
    };
    Ok(ObjectName::new(namespace, &name.name))
}

/// The schema that holds these tables on the engine of the target. `all` says that they are all
/// tables of the source, so that what is beside them is wanted too.
pub(crate) fn wanted(
    from: Side<'_>,
    tables: &BTreeSet<ObjectName>,
    all: bool,
    to: Engine,
) -> Result<Wanted> {
    match from.engine == to {
        true => Ok(same(from, tables, all)),
        false => {
            let names: BTreeMap<ObjectName, ObjectName> = tables
                .iter()
                .map(|name| Ok((name.clone(), target_name(name, from, to)?)))
                .collect::<Result<_>>()?;
            let translation = Translation {
                from,
                to: CopyDialect::target_of(to)?,
                names,
                left: Vec::new(),
            };
            translation.whole(all, SchemaDialect::of(to)?)
        }
    }
}

/// On the same engine everything is carried; of some tables, what belongs to them.
fn same(from: Side<'_>, tables: &BTreeSet<ObjectName>, all: bool) -> Wanted {
    let mut schema = from.schema.clone();
    let mut left: Vec<String> = schema.unsupported.iter().map(ToString::to_string).collect();
    schema.tables.retain(|name, table| {
        let parent = table.partition_of.as_ref().map(|of| &of.parent);
        tables.contains(name) || parent.is_some_and(|parent| all || tables.contains(parent))
    });
    if !all {
        schema.views.clear();
        schema.materialized_views.clear();
        let kept: BTreeSet<ObjectName> = schema.tables.keys().cloned().collect();
        schema.sequences.retain(|_, sequence| {
            let by = sequence.owned_by.as_ref();
            by.is_some_and(|by| kept.contains(&by.table))
        });
        for (name, table) in &mut schema.tables {
            table.foreign_keys.retain(|key_name, key| {
                let there = kept.contains(&key.references);
                if !there {
                    left.push(format!(
                        "foreign key {key_name} of {name}: {} is not copied",
                        key.references
                    ));
                }
                there
            });
        }
    }
    Wanted { schema, left }
}

struct Translation<'s> {
    from: Side<'s>,
    to: &'static TargetRules,
    /// The names in the target of the tables of the source.
    names: BTreeMap<ObjectName, ObjectName>,
    left: Vec<String>,
}

impl Translation<'_> {
    fn whole(mut self, all: bool, rules: &SchemaDialect) -> Result<Wanted> {
        let mut schema = Schema::default();
        let names = self.names.clone();
        distinct(self.from.schema, &names, rules)?;
        for (name, target) in &names {
            if let Some(table) = self.from.schema.tables.get(name) {
                let made = self.table(name, table);
                schema.tables.insert(target.clone(), made);
            }
        }
        for target in names.values() {
            let namespace = target.namespace.clone();
            schema.namespaces.insert(namespace, Namespace::default());
        }
        if !self.to.namespaces {
            schema.namespaces.clear();
            schema
                .namespaces
                .insert(rules.first_namespace.to_owned(), Namespace::default());
        }
        if all {
            self.beside();
        }
        Ok(Wanted {
            schema,
            left: self.left,
        })
    }

    /// What is not a table and has no place in another engine.
    fn beside(&mut self) {
        let schema = self.from.schema;
        let mut left = Vec::new();
        left.extend(schema.views.keys().map(|name| format!("view {name}")));
        let views = schema.materialized_views.keys();
        left.extend(views.map(|name| format!("materialized view {name}")));
        left.extend(
            schema
                .functions
                .keys()
                .map(|name| format!("function {name}")),
        );
        let free = schema
            .sequences
            .iter()
            .filter(|(_, of)| of.owned_by.is_none());
        left.extend(free.map(|(name, _)| format!("sequence {name}")));
        left.extend(
            schema
                .extensions
                .keys()
                .map(|name| format!("extension {name}")),
        );
        left.extend(schema.domains.keys().map(|name| {
            format!("domain {name}: its columns are of the type beneath, without its checks")
        }));
        left.extend(schema.unsupported.iter().map(ToString::to_string));
        self.left.extend(left);
    }

    fn leave(&mut self, what: impl std::fmt::Display) {
        self.left.push(what.to_string());
    }

    fn table(&mut self, name: &ObjectName, table: &Table) -> Table {
        let mut made = Table {
            comment: table.comment.clone(),
            ..Table::default()
        };
        let mut kinds = BTreeMap::new();
        for column in &table.columns {
            let kind = (self.from.copy.kind_of)(self.from.schema, &column.data_type);
            made.columns.push(self.column(name, table, column, &kind));
            kinds.insert(column.name.clone(), kind);
        }
        made.primary_key = table.primary_key.as_ref().map(|key| PrimaryKey {
            name: key.name.clone(),
            columns: key.columns.clone(),
            ..PrimaryKey::default()
        });
        for (unique_name, unique) in &table.uniques {
            if unique.nulls_not_distinct {
                self.leave(format_args!(
                    "{name}.{unique_name}: there, two NULLs are not the same"
                ));
            }
            let plain = Unique {
                columns: unique.columns.clone(),
                ..Unique::default()
            };
            made.uniques.insert(unique_name.clone(), plain);
        }
        self.checks(name, table, &kinds, &mut made);
        self.foreign_keys(name, table, &mut made);
        self.indexes(name, table, &kinds, &mut made);
        self.parts_left(name, table);
        made
    }

    fn column(&mut self, name: &ObjectName, table: &Table, column: &Column, kind: &Kind) -> Column {
        let of_key = table.primary_key.as_ref();
        let of_key = of_key.map_or(&[][..], |key| &key.columns[..]);
        let in_key = of_key.contains(&column.name);
        let counted = (self.from.copy.counts)(self.from.schema, name, column);
        let counts = counted
            && match self.to.counting {
                Counting::Any => true,
                Counting::Key => of_key == [column.name.as_str()],
            };
        let mut made = Column {
            name: column.name.clone(),
            data_type: (self.to.type_of)(kind, counts),
            not_null: column.not_null || in_key,
            comment: column.comment.clone(),
            ..Column::default()
        };
        if counts {
            made.identity = Some(Identity {
                always: false,
                sequence: None,
                options: SequenceOptions::of_type(&made.data_type.name),
            });
            return made;
        }
        if counted {
            self.leave(format_args!(
                "{name}.{}: it no longer counts by itself",
                column.name
            ));
        } else if let Some(default) = &column.default {
            let constant = (self.from.copy.literal)(default.as_str());
            let there = constant.as_ref().and_then(|of| (self.to.default)(of, kind));
            let is_null = constant == Some(crate::literal::Literal::Null);
            if there.is_none() && !is_null {
                self.leave(format_args!(
                    "{name}.{}: its default {default}",
                    column.name
                ));
            }
            made.default = there.map(Expression);
        }
        if let Some(generated) = &column.generated {
            let expression = &generated.expression;
            self.leave(format_args!(
                "{name}.{}: the expression {expression}; its values are copied",
                column.name
            ));
        }
        if let Some(collation) = &column.collation {
            self.leave(format_args!(
                "{name}.{}: the collation {collation}",
                column.name
            ));
        }
        made
    }

    fn checks(
        &mut self,
        name: &ObjectName,
        table: &Table,
        kinds: &BTreeMap<String, Kind>,
        made: &mut Table,
    ) {
        for (check_name, check) in &table.checks {
            match portable::condition(check.expression.as_str(), kinds) {
                Some(expression) => {
                    let check = Check {
                        expression: Expression(expression),
                        ..Check::default()
                    };
                    made.checks.insert(check_name.clone(), check);
                }
                None => self.leave(format_args!("check {check_name} of {name}")),
            }
        }
        for (column, kind) in kinds {
            let Kind::Labels(labels) = kind else { continue };
            let Ok(quoted) = underpin_core::quote::identifier(column) else {
                continue;
            };
            let labels: Vec<String> = labels.iter().map(|label| portable::text(label)).collect();
            let taken = made.checks.keys().cloned().collect();
            let columns = [column.clone()];
            let check_name =
                underpin_schema::constraint_name(&name.name, &columns, "check", &taken);
            let expression = format!("{quoted} IN ({})", labels.join(", "));
            let check = Check {
                expression: Expression(expression),
                ..Check::default()
            };
            made.checks.insert(check_name, check);
        }
    }

    fn foreign_keys(&mut self, name: &ObjectName, table: &Table, made: &mut Table) {
        for (key_name, key) in &table.foreign_keys {
            let Some(references) = self.names.get(&key.references).cloned() else {
                let to = &key.references;
                self.leave(format_args!(
                    "foreign key {key_name} of {name}: {to} is not copied"
                ));
                continue;
            };
            let referenced = self.from.schema.tables.get(&key.references);
            if !referenced.is_some_and(|table| is_key(table, &key.referenced_columns)) {
                self.leave(format_args!(
                    "foreign key {key_name} of {name}: what it refers to is not unique"
                ));
                continue;
            }
            let plain = ForeignKey {
                columns: key.columns.clone(),
                references,
                referenced_columns: key.referenced_columns.clone(),
                on_update: key.on_update,
                on_delete: key.on_delete,
                deferral: key.deferral,
                ..ForeignKey::default()
            };
            made.foreign_keys.insert(key_name.clone(), plain);
        }
    }

    fn indexes(
        &mut self,
        name: &ObjectName,
        table: &Table,
        kinds: &BTreeMap<String, Kind>,
        made: &mut Table,
    ) {
        for (index_name, index) in &table.indexes {
            match plain_index(index, kinds) {
                Some(plain) => {
                    made.indexes.insert(index_name.clone(), plain);
                }
                None => self.leave(format_args!("index {index_name} of {name}")),
            }
        }
    }

    fn parts_left(&mut self, name: &ObjectName, table: &Table) {
        for exclusion in table.exclusions.keys() {
            self.leave(format_args!("exclusion constraint {exclusion} of {name}"));
        }
        for trigger in table.triggers.keys() {
            self.leave(format_args!("trigger {trigger} of {name}"));
        }
        for policy in table.policies.keys() {
            self.leave(format_args!("policy {policy} of {name}"));
        }
        if table.partition_by.is_some() {
            self.leave(format_args!(
                "the partitions of {name}: its rows are in one table"
            ));
        }
        for parent in &table.inherits {
            self.leave(format_args!("the inheritance of {name} from {parent}"));
        }
    }
}

/// Refuses tables and columns whose names are different in the source and one in the target.
fn distinct(
    schema: &Schema,
    names: &BTreeMap<ObjectName, ObjectName>,
    rules: &SchemaDialect,
) -> Result<()> {
    let mut taken: Vec<(&ObjectName, &ObjectName)> = Vec::new();
    for (name, target) in names {
        let same = |(_, other): &&(&ObjectName, &ObjectName)| {
            other.namespace == target.namespace && (rules.same_name)(&other.name, &target.name)
        };
        if let Some((other, _)) = taken.iter().find(same) {
            return Err(one_table(other, name, target));
        }
        taken.push((name, target));
        let columns = schema.tables.get(name).map_or(&[][..], |of| &of.columns);
        for (at, column) in columns.iter().enumerate() {
            let same = |other: &&Column| (rules.same_name)(&other.name, &column.name);
            if let Some(other) = columns[..at].iter().find(same) {
                return Err(one_column(
                    name,
                    [&other.name, &column.name],
                    target,
                    &other.name,
                ));
            }
        }
    }
    Ok(())
}

/// The error of two tables that are one in the target.
pub(crate) fn one_table(one: &ObjectName, other: &ObjectName, target: &ObjectName) -> Error {
    let message = format!("{one} and {other} are both the table {target} in the target.");
    Error::new(Class::Config, message).with_hint(
        "Copy one of them, or rename it: the target has one namespace, or does not tell small \
         letters from capitals.",
    )
}

/// The error of two columns that are one in the target.
pub(crate) fn one_column(
    table: &ObjectName,
    [one, other]: [&str; 2],
    target: &ObjectName,
    column: &str,
) -> Error {
    let message = format!(
        "The columns {one:?} and {other:?} of {table} are both the column {column:?} of {target} in \
         the target."
    );
    Error::new(Class::Config, message).with_hint("Rename one of them.")
}

/// Whether these columns are a key of the table.
fn is_key(table: &Table, columns: &[String]) -> bool {
    let same = |key: &[String]| {
        let (key, columns): (BTreeSet<_>, BTreeSet<_>) =
            (key.iter().collect(), columns.iter().collect());
        key == columns
    };
    let primary = table.primary_key.iter().any(|key| same(&key.columns));
    let unique = table.uniques.values().any(|unique| same(&unique.columns));
    let indexed = table.indexes.values().any(|index| {
        let names: Option<Vec<String>> = index.keys.iter().map(key_column).collect();
        index.unique && index.predicate.is_none() && names.is_some_and(|names| same(&names))
    });
    primary || unique || indexed
}

fn key_column(key: &IndexKey) -> Option<String> {
    match &key.target {
        KeyTarget::Column(name) => Some(name.clone()),
        KeyTarget::Expression(_) => None,
    }
}

/// An index of columns alone; of some rows where another engine understands the condition.
fn plain_index(index: &Index, kinds: &BTreeMap<String, Kind>) -> Option<Index> {
    let predicate = match &index.predicate {
        Some(condition) => Some(Expression(portable::condition(condition.as_str(), kinds)?)),
        None => None,
    };
    if index.method != "btree" || index.nulls_not_distinct {
        return None;
    }
    let keys: Option<Vec<IndexKey>> = index
        .keys
        .iter()
        .map(|key| {
            let mut plain = IndexKey::column(key_column(key)?);
            plain.descending = key.descending;
            plain.nulls_first = key.descending;
            Some(plain)
        })
        .collect();
    Some(Index {
        unique: index.unique,
        keys: keys?,
        predicate,
        ..Index::default()
    })
}

/// The parts of a schema that rows do not need: they are made when the rows are there, since that
/// is faster, and since triggers would run.
pub(crate) fn without_parts(schema: &Schema, keys_later: bool) -> Schema {
    let mut bare = schema.clone();
    bare.views.clear();
    bare.materialized_views.clear();
    for table in bare.tables.values_mut() {
        table.indexes.clear();
        table.triggers.clear();
        table.policies.clear();
        table.row_security = Default::default();
        if keys_later {
            table.foreign_keys.clear();
        }
    }
    bare
}

/// The part of a schema that a database has by name: what is not to be created again.
pub(crate) fn present(wanted: &Schema, there: &Schema) -> Schema {
    let mut schema = wanted.clone();
    keep_common(&mut schema.namespaces, &there.namespaces);
    keep_common(&mut schema.extensions, &there.extensions);
    keep_common(&mut schema.enums, &there.enums);
    keep_common(&mut schema.domains, &there.domains);
    keep_common(&mut schema.sequences, &there.sequences);
    keep_common(&mut schema.functions, &there.functions);
    keep_common(&mut schema.views, &there.views);
    keep_common(&mut schema.materialized_views, &there.materialized_views);
    keep_common(&mut schema.tables, &there.tables);
    for (name, table) in &mut schema.tables {
        let of = &there.tables[name];
        keep_common(&mut table.indexes, &of.indexes);
        keep_common(&mut table.triggers, &of.triggers);
        keep_common(&mut table.policies, &of.policies);
        keep_common(&mut table.foreign_keys, &of.foreign_keys);
        table.row_security = of.row_security;
    }
    schema
}

/// Removes the entries whose key the other map does not have.
fn keep_common<K: Ord, V>(map: &mut BTreeMap<K, V>, other: &BTreeMap<K, V>) {
    map.retain(|key, _| other.contains_key(key));
}

#[cfg(test)]
mod tests {
    use underpin_schema::Type;

    use super::*;

    fn name(table: &str) -> ObjectName {
        ObjectName::new("public", table)
    }

    fn column(name: &str, of: &str) -> Column {
        Column {
            name: name.to_owned(),
            data_type: Type::parse(of).unwrap(),
            ..Column::default()
        }
    }

    /// A shop on PostgreSQL.
    fn shop() -> Schema {
        let mut schema = Schema::default();
        let mut users = Table {
            columns: vec![
                column("id", "integer"),
                column("email", "character varying(20)"),
            ],
            primary_key: Some(PrimaryKey {
                name: "users_pkey".to_owned(),
                columns: vec!["id".to_owned()],
                ..PrimaryKey::default()
            }),
            ..Table::default()
        };
        users.columns[0].identity = Some(Identity {
            always: true,
            sequence: None,
            options: SequenceOptions::of_type("integer"),
        });
        users.columns[1].default = Some("'a'::character varying".into());
        let mut orders = Table {
            columns: vec![
                column("user_id", "integer"),
                column("total", "numeric(10,2)"),
                column("made", "timestamp with time zone"),
                column("state", "public.state"),
            ],
            ..Table::default()
        };
        orders.columns[2].default = Some("now()".into());
        orders.columns[1].default = Some("random()".into());
        let total = Check {
            expression: "total > (0)::numeric".into(),
            ..Check::default()
        };
        orders.checks.insert("total_check".to_owned(), total);
        let key = ForeignKey {
            columns: vec!["user_id".to_owned()],
            references: name("users"),
            referenced_columns: vec!["id".to_owned()],
            ..ForeignKey::default()
        };
        orders
            .foreign_keys
            .insert("orders_user_id_fkey".to_owned(), key);
        let index = Index {
            keys: vec![IndexKey::expression("lower(state)")],
            ..Index::default()
        };
        orders.indexes.insert("orders_state".to_owned(), index);
        schema.tables.insert(name("users"), users);
        schema.tables.insert(name("orders"), orders);
        let labels = vec!["new".to_owned(), "it's".to_owned()];
        let state = underpin_schema::EnumType {
            labels,
            comment: None,
        };
        schema.enums.insert(name("state"), state);
        schema.views.insert(name("v"), Default::default());
        schema
    }

    fn to_sqlite(all: bool, tables: &[&str]) -> Wanted {
        let schema = shop();
        let from = Side::new(Engine::POSTGRES, &schema).unwrap();
        let tables = tables.iter().map(|table| name(table)).collect();
        wanted(from, &tables, all, Engine::SQLITE).unwrap()
    }

    #[test]
    fn tables_are_in_the_words_of_the_target() {
        let wanted = to_sqlite(true, &["orders", "users"]);
        let sql = (SchemaDialect::of(Engine::SQLITE).unwrap().dump)(&wanted.schema).unwrap();
        let expected = [
            "CREATE TABLE \"orders\" (\n    \"user_id\" INT4,\n    \"total\" NUMERIC(10,2),\n    \
             \"made\" TIMESTAMPTZ DEFAULT (replace(strftime('%Y-%m-%d %H:%M:%f', 'now'), '.000', '')),\n    \
             \"state\" TEXT,\n    \
             CHECK (\"state\" IN ('new', 'it''s')),\n    \
             CONSTRAINT \"total_check\" CHECK (\"total\" > (0)),\n    \
             FOREIGN KEY (\"user_id\") REFERENCES \"users\" (\"id\")\n)",
            "CREATE TABLE \"users\" (\n    \"id\" INTEGER PRIMARY KEY AUTOINCREMENT,\n    \
             \"email\" VARCHAR(20) DEFAULT 'a'\n)",
        ];
        assert_eq!(sql, expected);
        assert_eq!(
            wanted.left,
            [
                "public.orders.total: its default random()",
                "index orders_state of public.orders",
                "view public.v",
            ]
        );
    }

    #[test]
    fn a_key_to_a_table_that_is_not_copied_is_named() {
        let wanted = to_sqlite(false, &["orders"]);
        let orders = &wanted.schema.tables[&ObjectName::new("main", "orders")];
        assert!(orders.foreign_keys.is_empty());
        let left = "foreign key orders_user_id_fkey of public.orders: public.users is not copied";
        assert!(wanted.left.contains(&left.to_owned()), "{:?}", wanted.left);
        assert!(!wanted.left.contains(&"view public.v".to_owned()));
    }

    #[test]
    fn what_is_there_is_not_wanted_again() {
        let whole = shop();
        let bare = without_parts(&whole, true);
        assert!(bare.views.is_empty() && bare.tables[&name("orders")].foreign_keys.is_empty());
        let mut there = Schema::default();
        there.tables.insert(name("orders"), Table::default());
        let present = present(&whole, &there);
        assert_eq!(present.tables.len(), 1);
        assert!(present.tables[&name("orders")].indexes.is_empty());
        assert_eq!(super::present(&whole, &whole), whole);
    }
}
