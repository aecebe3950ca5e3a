//! The statements for one node.

use underpin_core::{Result, quote};

use crate::postgres::ddl::comment::{Subject, set};
use crate::postgres::ddl::{
    self, check, column, defined, domain, enum_type, exclusion, extension, foreign_key, function,
    index, materialized_view, namespace, partition, policy, primary_key, sequence, setting, table,
    trigger, unique, view,
};
use crate::postgres::dump;
use crate::postgres::plan::access;
use crate::postgres::plan::needs::waits_for_partitions;
use crate::postgres::plan::node::Node;
use crate::postgres::plan::settings::usual_storage;
use crate::{
    AccessOn, Column, Index, ObjectName, ObjectRef, Schema, Setting, Table, TriggerState,
    ViewColumn,
};

/// A statement, and what it does in words.
#[derive(Debug, Clone)]
pub(in crate::postgres::plan) struct Piece {
    pub(in crate::postgres::plan) words: String,
    pub(in crate::postgres::plan) sql: String,
    /// Whether it is a comment on something.
    pub(in crate::postgres::plan) is_comment: bool,
}

/// What makes it, the node itself first. Empty where the schema has it not. A whole comes
/// without the parts that are nodes of their own: see [`whole`](super::whole).
pub(in crate::postgres::plan) fn pieces(
    schema: &Schema,
    node: &Node,
    bare: bool,
) -> Result<Vec<Piece>> {
    let mut out = Pieces {
        node,
        pieces: Vec::new(),
    };
    object(schema, node, bare, &mut out)?;
    Ok(out.pieces)
}

pub(in crate::postgres::plan) fn sql(pieces: Vec<Piece>) -> impl Iterator<Item = String> {
    pieces.into_iter().map(|piece| piece.sql)
}

struct Pieces<'n> {
    node: &'n Node,
    pieces: Vec<Piece>,
}

impl Pieces<'_> {
    fn create(&mut self, sql: String) {
        self.add(format!("Create {}", self.node), sql);
    }

    fn add(&mut self, words: String, sql: String) {
        self.pieces.push(Piece {
            words,
            sql,
            is_comment: false,
        });
    }

    /// The comment on the constraint by which a column refuses NULL.
    fn not_null(&mut self, of: &ObjectName, column: &Column) -> Result<()> {
        match &column.not_null_constraint {
            Some(constraint) => {
                let on = Subject::Constraint(of, &constraint.name);
                self.comment(on, &constraint.comment)
            }
            None => Ok(()),
        }
    }

    /// The options of a column, where it has some.
    fn options(&mut self, of: &ObjectName, column: &str, sql: Option<String>) {
        let column = crate::object_name::plain(column);
        let words = || format!("Set the options of {of}.{column}");
        self.pieces.extend(sql.map(|sql| Piece {
            words: words(),
            sql,
            is_comment: false,
        }));
    }

    /// Its owner and privileges, where they are not those that it comes with.
    fn access(&mut self, schema: &Schema, object: ObjectRef) -> Result<()> {
        let columns = access::columns_of(schema, &object);
        for on in [AccessOn::Object(object)].into_iter().chain(columns) {
            self.access_on(schema, &on)?;
        }
        Ok(())
    }

    /// The privileges on the sequence of an identity column, which belongs to the table's owner.
    fn of_identity(&mut self, schema: &Schema, column: &Column) -> Result<()> {
        let identity = column.identity.as_ref();
        let Some(sequence) = identity.and_then(|identity| identity.sequence.clone()) else {
            return Ok(());
        };
        let on = AccessOn::Object(ObjectRef::Sequence(sequence));
        match schema.access.contains_key(&on) {
            true => self.access_on(schema, &on),
            false => Ok(()),
        }
    }

    fn access_on(&mut self, schema: &Schema, on: &AccessOn) -> Result<()> {
        for act in access::of_new(schema, on)? {
            for sql in act.sql {
                self.pieces.push(Piece {
                    words: act.words.clone(),
                    sql,
                    is_comment: true,
                });
            }
        }
        Ok(())
    }

    /// The settings that are lost with it.
    fn settings(&mut self, schema: &Schema) -> Result<()> {
        for (setting, value) in &schema.settings {
            if comes_with(schema, setting, value, self.node) {
                self.pieces.push(Piece {
                    words: format!("Set the {setting}"),
                    sql: setting::set(setting, Some(value))?,
                    is_comment: true,
                });
            }
        }
        Ok(())
    }

    fn comment(&mut self, on: Subject<'_>, comment: &Option<String>) -> Result<()> {
        if let Some(text) = comment {
            let words = format!("Comment on {}", self.node);
            self.pieces.push(Piece {
                words,
                sql: set(on, Some(text))?,
                is_comment: true,
            });
        }
        Ok(())
    }
}

/// Whether a setting is gone when a node is dropped, and comes with it.
fn comes_with(schema: &Schema, setting: &Setting, value: &str, node: &Node) -> bool {
    let of = setting.relation();
    let index = setting.index(value);
    match node {
        Node::Table(name) if name == of => index.is_none_or(|index| {
            let table = schema.tables.get(name);
            table.is_some_and(|table| {
                let key = table.primary_key.as_ref();
                table.uniques.contains_key(index)
                    || table.exclusions.contains_key(index)
                    || key.is_some_and(|key| key.name == index)
            })
        }),
        Node::MaterializedView(name) => name == of && index.is_none(),
        Node::Column(table, name) => table == of && setting.column() == Some(name),
        Node::Index(table, name) | Node::Key(table, name) => {
            table == of && index == Some(name.as_str())
        }
        _ => false,
    }
}

/// The value, or the word for the usual one where only its type says it.
pub(in crate::postgres::plan) fn usual_or<'v>(
    schema: &Schema,
    setting: &Setting,
    value: Option<&'v str>,
) -> Option<&'v str> {
    match (setting, value) {
        (Setting::Storage(of, name), None) => {
            let column = schema.tables.get(of).and_then(|table| table.column(name));
            let in_view = || {
                let view = schema.materialized_views.get(of)?;
                view.columns.iter().find(|column| column.name == *name)
            };
            let of_table = column.map(|column| &column.data_type);
            let data_type = of_table.or_else(|| in_view().map(|column| &column.data_type));
            data_type.map(|data_type| usual_storage(schema, data_type))
        }
        (_, value) => value,
    }
}

fn object(schema: &Schema, node: &Node, bare: bool, out: &mut Pieces<'_>) -> Result<()> {
    match node {
        Node::Namespace(name) => {
            if let Some(of) = schema.namespaces.get(name) {
                out.create(namespace::create(name)?);
                out.comment(Subject::Namespace(name), &of.comment)?;
                out.access(schema, ObjectRef::Namespace(name.clone()))?;
            }
        }
        Node::Extension(name) => {
            if let Some(of) = schema.extensions.get(name) {
                out.create(extension::create(name, of)?);
                out.comment(Subject::Extension(name), &of.comment)?;
            }
        }
        Node::Enum(name) => {
            if let Some(of) = schema.enums.get(name) {
                out.create(enum_type::create(name, of)?);
                out.comment(Subject::Enum(name), &of.comment)?;
                out.access(schema, ObjectRef::Enum(name.clone()))?;
            }
        }
        Node::Sequence(name) => {
            if let Some(of) = schema.sequences.get(name) {
                out.create(sequence::create(name, of)?);
                out.comment(Subject::Sequence(name), &of.comment)?;
                out.access(schema, ObjectRef::Sequence(name.clone()))?;
            }
        }
        Node::Owner(name) => {
            if let Some(owner) = schema
                .sequences
                .get(name)
                .and_then(|of| of.owned_by.as_ref())
            {
                let words = format!(
                    "Let {}.{} own sequence {name}",
                    owner.table,
                    crate::object_name::plain(&owner.column)
                );
                out.add(words, sequence::own(name, Some(owner))?);
            }
        }
        Node::Function(name) => {
            if let Some(of) = schema.functions.get(name) {
                out.create(function::create(of));
                out.comment(Subject::Function(name, of.kind), &of.comment)?;
                out.access(schema, ObjectRef::Function(name.clone()))?;
            }
        }
        Node::View(name) => {
            if let Some(of) = schema.views.get(name) {
                out.create(view::create(name, of)?);
                out.comment(Subject::View(name), &of.comment)?;
                view_columns(name, &of.columns, out)?;
                out.access(schema, ObjectRef::View(name.clone()))?;
            }
        }
        Node::Defined(name) => {
            if let Some(of) = schema.defined.get(name) {
                let mut statements = defined::create(of).into_iter();
                out.pieces.extend(statements.next().map(|sql| Piece {
                    words: format!("Create {name}"),
                    sql,
                    is_comment: false,
                }));
                for sql in statements {
                    out.add(format!("Complete {name}"), sql);
                }
                out.comment(Subject::Defined(name), &of.comment)?;
                out.access(schema, ObjectRef::Defined(name.clone()))?;
            }
        }
        Node::MaterializedView(name) => {
            if let Some(of) = schema.materialized_views.get(name) {
                out.create(materialized_view::create(name, of)?);
                out.comment(Subject::MaterializedView(name), &of.comment)?;
                for column in &of.columns {
                    let sql = materialized_view::set_options(name, column)?;
                    out.options(name, &column.name, sql);
                }
                view_columns(name, &of.columns, out)?;
                out.settings(schema)?;
                out.access(schema, ObjectRef::MaterializedView(name.clone()))?;
            }
        }
        Node::Domain(_)
        | Node::DomainDefault(_)
        | Node::DomainNotNull(_)
        | Node::DomainCheck(..) => of_domain(schema, node, out)?,
        Node::Index(..) | Node::Trigger(..) => beside(schema, node, out)?,
        other => of_table(schema, other, bare, out)?,
    }
    Ok(())
}

fn view_columns(name: &ObjectName, columns: &[ViewColumn], out: &mut Pieces<'_>) -> Result<()> {
    for column in columns {
        if column.default.is_some() {
            let words = format!(
                "Set the default of {name}.{}",
                crate::object_name::plain(&column.name)
            );
            out.add(words, view::set_default(name, column)?);
        }
        out.comment(Subject::Column(name, &column.name), &column.comment)?;
    }
    Ok(())
}

fn of_domain(schema: &Schema, node: &Node, out: &mut Pieces<'_>) -> Result<()> {
    let Some((name, of)) = node
        .owner()
        .or(match node {
            Node::Domain(name) => Some(name),
            _ => None,
        })
        .and_then(|name| Some((name, schema.domains.get(name)?)))
    else {
        return Ok(());
    };
    match node {
        Node::DomainDefault(_) => {
            if let Some(default) = &of.default {
                let sql = format!("ALTER DOMAIN {} SET DEFAULT {default}", name.quoted()?);
                out.add(format!("Set the default of domain {name}"), sql);
            }
        }
        Node::DomainCheck(_, check_name) => {
            if let Some(check) = of.checks.get(check_name) {
                out.create(domain::add_check(name, check_name, check)?);
                out.comment(Subject::DomainCheck(name, check_name), &check.comment)?;
            }
        }
        _ => {
            out.create(domain::create(name, of)?);
            for (check_name, check) in of.checks.iter().filter(|(_, check)| check.not_valid) {
                let words = format!(
                    "Create check {} of {name}",
                    crate::object_name::plain(check_name)
                );
                out.add(words, domain::add_check(name, check_name, check)?);
            }
            out.comment(Subject::Domain(name), &of.comment)?;
            for (check_name, check) in &of.checks {
                out.comment(Subject::DomainCheck(name, check_name), &check.comment)?;
            }
            out.access(schema, ObjectRef::Domain(name.clone()))?;
        }
    }
    Ok(())
}

/// What a table shares with views.
fn beside(schema: &Schema, node: &Node, out: &mut Pieces<'_>) -> Result<()> {
    match node {
        Node::Index(of, name) => {
            let table = schema.tables.get(of);
            let view = schema.materialized_views.get(of);
            let indexes = table.map(|table| &table.indexes);
            let indexes = indexes.or(view.map(|view| &view.indexes));
            if let Some(one) = indexes.and_then(|indexes| indexes.get(name)) {
                of_index(schema, of, (name, one), out)?;
            }
        }
        Node::Trigger(of, name) => {
            let triggers = schema.tables.get(of).map(|table| &table.triggers);
            let triggers = triggers.or(schema.views.get(of).map(|view| &view.triggers));
            if let Some(one) = triggers.and_then(|triggers| triggers.get(name)) {
                out.create(trigger::create(one));
                if one.state != TriggerState::Enabled {
                    let words = format!("Change when {} fires", out.node);
                    out.add(words, trigger::set_state(of, name, one.state)?);
                }
                out.comment(Subject::Trigger(of, name), &one.comment)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn of_index(
    schema: &Schema,
    of: &ObjectName,
    (name, one): (&String, &Index),
    out: &mut Pieces<'_>,
) -> Result<()> {
    let table = schema.tables.get(of);
    let waits = table.is_some_and(|table| waits_for_partitions(table, one));
    let build = match waits {
        true => index::Build::Only,
        false => index::Build::Locking,
    };
    out.create(index::create(of, name, one, build)?);
    out.comment(Subject::Index(&of.sibling(name)), &one.comment)?;
    out.settings(schema)?;
    if waits {
        let parent = of.sibling(name);
        for (child, table) in &schema.tables {
            let below = table.indexes.iter();
            let below = below.filter(|(_, index)| index.parent.as_ref() == Some(&parent));
            for (below, _) in below {
                let words = format!("Attach index {below} of {child}");
                out.add(words, index::attach(&parent, &child.sibling(below))?);
            }
        }
    }
    Ok(())
}

fn of_table(schema: &Schema, node: &Node, bare: bool, out: &mut Pieces<'_>) -> Result<()> {
    let name = match node {
        Node::Table(name) => name,
        other => match other.owner() {
            Some(name) => name,
            None => return Ok(()),
        },
    };
    let Some(of) = schema.tables.get(name) else {
        return Ok(());
    };
    match node {
        Node::Table(_) => core(schema, name, of, bare, out)?,
        Node::Column(_, column_name) => {
            if let Some(one) = of.column(column_name) {
                let words = format!("Add {node}");
                out.add(words, column::add(name, one)?);
                let constraint = one.not_null_constraint.as_ref();
                if let Some(constraint) = constraint.filter(|of| of.not_valid && !of.inherited) {
                    let words = format!("Let {node} refuse NULL in new rows");
                    out.add(words, column::add_not_null(name, column_name, constraint)?);
                }
                out.options(name, column_name, column::set_options(name, one)?);
                out.comment(Subject::Column(name, column_name), &one.comment)?;
                out.not_null(name, one)?;
                out.settings(schema)?;
                let object = ObjectRef::Table(name.clone());
                out.access_on(schema, &AccessOn::Column(object, column_name.clone()))?;
                out.of_identity(schema, one)?;
            }
        }
        Node::Default(_, column_name) => {
            if let Some(one) = of.column(column_name).filter(|one| one.default.is_some()) {
                let words = format!("Set the {node}");
                out.add(words, column::set_default(name, one)?);
            }
        }
        Node::Identity(_, column_name) => {
            let column = of.column(column_name);
            if let Some(identity) = column.and_then(|column| column.identity.as_ref()) {
                let sql = format!(
                    "ALTER TABLE {} ALTER COLUMN {} ADD {}",
                    name.quoted()?,
                    quote::identifier(column_name)?,
                    column::identity(identity)?
                );
                out.add(format!("Create the {node}"), sql);
                if let Some(column) = column {
                    out.of_identity(schema, column)?;
                }
            }
        }
        Node::Policy(_, part) => {
            if let Some(one) = of.policies.get(part) {
                out.create(policy::create(name, part, one)?);
                out.comment(Subject::Policy(name, part), &one.comment)?;
            }
        }
        Node::Attachment(_) => {
            if let Some(parent) = &of.partition_of {
                let words = format!("Attach partition {name} to {}", parent.parent);
                out.add(words, partition::attach(name, parent)?);
            }
        }
        Node::Inheritance(_) => {
            for parent in &of.inherits {
                let (table, above) = (name.quoted()?, parent.quoted()?);
                let words = format!("Let {name} inherit from {parent}");
                out.add(words, format!("ALTER TABLE {table} INHERIT {above}"));
            }
        }
        other => constraint(schema, (name, of), other, out)?,
    }
    Ok(())
}

fn constraint(
    schema: &Schema,
    (name, of): (&ObjectName, &Table),
    node: &Node,
    out: &mut Pieces<'_>,
) -> Result<()> {
    let (part, clause, comment) = match node {
        Node::Check(_, part) => match of.checks.get(part) {
            Some(one) => (part, check::clause(part, one)?, &one.comment),
            None => return Ok(()),
        },
        Node::ForeignKey(_, part) => match of.foreign_keys.get(part) {
            Some(one) => (part, foreign_key::clause(part, one)?, &one.comment),
            None => return Ok(()),
        },
        Node::Key(_, part) => {
            let primary = of.primary_key.as_ref().filter(|key| key.name == *part);
            if let Some(key) = primary {
                (part, primary_key::clause(key)?, &key.comment)
            } else if let Some(one) = of.uniques.get(part) {
                (part, unique::clause(part, one)?, &one.comment)
            } else if let Some(one) = of.exclusions.get(part) {
                (part, exclusion::clause(part, one)?, &one.comment)
            } else {
                return Ok(());
            }
        }
        _ => return Ok(()),
    };
    out.create(ddl::add_constraint(name, &clause)?);
    out.comment(Subject::Constraint(name, part), comment)?;
    out.settings(schema)
}

/// `CREATE TABLE`, what it cannot say, and comments.
fn core(
    schema: &Schema,
    name: &ObjectName,
    of: &Table,
    bare: bool,
    out: &mut Pieces<'_>,
) -> Result<()> {
    out.create(match bare {
        true => table::create_bare(name, of)?,
        false => table::create(name, of)?,
    });
    let mut more = table::repeated(name, of)?;
    dump::checks_not_valid(name, of, &mut more)?;
    dump::inherited_columns(schema, name, of, &mut more)?;
    for sql in more {
        out.add(format!("Complete {}", ObjectRef::Table(name.clone())), sql);
    }
    for column in &of.columns {
        out.options(name, &column.name, column::set_options(name, column)?);
    }
    out.comment(Subject::Table(name), &of.comment)?;
    for column in &of.columns {
        out.comment(Subject::Column(name, &column.name), &column.comment)?;
    }
    let primary_key = of.primary_key.iter().map(|key| (&key.name, &key.comment));
    let uniques = of.uniques.iter().map(|(name, of)| (name, &of.comment));
    let exclusions = of.exclusions.iter().map(|(name, of)| (name, &of.comment));
    let inline = of.checks.iter().filter(|(_, of)| !bare || of.not_valid);
    let checks = inline.map(|(name, of)| (name, &of.comment));
    for (part, comment) in primary_key.chain(uniques).chain(exclusions).chain(checks) {
        out.comment(Subject::Constraint(name, part), comment)?;
    }
    for column in &of.columns {
        out.not_null(name, column)?;
    }
    out.settings(schema)?;
    out.access(schema, ObjectRef::Table(name.clone()))?;
    for column in &of.columns {
        out.of_identity(schema, column)?;
    }
    Ok(())
}
