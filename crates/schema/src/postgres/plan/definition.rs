//! The statements that make something as a schema has it.

mod piece;

use std::collections::BTreeSet;

use underpin_core::Result;

pub(super) use self::piece::{Piece, pieces, sql, usual_or};
use super::node::Node;
use super::scene::inherited_from;
use crate::postgres::ddl::table;
use crate::{ObjectName, ObjectRef, Schema, Table};

/// Its statements with those of all its parts, but for some: what dropping it took away.
pub(super) fn whole(schema: &Schema, node: &Node, except: &BTreeSet<Node>) -> Result<Vec<String>> {
    let Node::Table(name) = node else {
        let mut statements: Vec<String> = sql(pieces(schema, node, false)?).collect();
        for part in parts_of(schema, node) {
            if !except.contains(&part) {
                statements.extend(sql(pieces(schema, &part, false)?));
            }
        }
        return Ok(statements);
    };
    let Some(table) = schema.tables.get(name) else {
        return Ok(Vec::new());
    };
    whole_table(schema, name, table, except)
}

fn parts_of(schema: &Schema, node: &Node) -> Vec<Node> {
    match node {
        Node::Sequence(name) => vec![Node::Owner(name.clone())],
        Node::View(name) => {
            let triggers = schema.views.get(name).into_iter();
            let triggers = triggers.flat_map(|view| view.triggers.keys());
            triggers
                .map(|trigger| Node::Trigger(name.clone(), trigger.clone()))
                .collect()
        }
        Node::MaterializedView(name) => {
            let indexes = schema.materialized_views.get(name).into_iter();
            let indexes = indexes.flat_map(|view| view.indexes.keys());
            indexes
                .map(|index| Node::Index(name.clone(), index.clone()))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The table without the parts that went before it, and then its indexes and all else.
fn whole_table(
    schema: &Schema,
    name: &ObjectName,
    table: &Table,
    except: &BTreeSet<Node>,
) -> Result<Vec<String>> {
    let rest = without(schema, name, table, except);
    let mut one = Schema::default();
    let owned = owned_sequences(schema, name, None).into_iter();
    let owned = owned.filter(|sequence| !except.contains(&Node::Owner(sequence.clone())));
    let owned: Vec<ObjectName> = owned.collect();
    let mut statements = Vec::new();
    for sequence in &owned {
        statements.extend(sql(pieces(
            schema,
            &Node::Sequence(sequence.clone()),
            false,
        )?));
    }
    for parent in rest.parents() {
        if let Some(parent_table) = schema.tables.get(parent) {
            one.tables.insert(parent.clone(), parent_table.clone());
        }
    }
    one.tables.insert(name.clone(), rest.clone());
    beside(schema, name, &mut one);
    statements.extend(sql(pieces(&one, &Node::Table(name.clone()), false)?));
    for sequence in owned {
        statements.extend(sql(pieces(schema, &Node::Owner(sequence), false)?));
    }
    let part =
        |kind: fn(ObjectName, String) -> Node, part: &String| kind(name.clone(), part.clone());
    let mut parts: Vec<Node> = Vec::new();
    parts.extend(rest.indexes.keys().map(|of| part(Node::Index, of)));
    let keys = rest
        .foreign_keys
        .keys()
        .map(|of| part(Node::ForeignKey, of));
    let (along, own): (Vec<Node>, Vec<Node>) =
        keys.partition(|key| inherited_from(&one, key).is_some());
    parts.extend(
        along
            .into_iter()
            .filter(|key| inherited_from(&one, key) != named_alike(&one, key)),
    );
    if rest.partition_of.is_some() {
        parts.push(Node::Attachment(name.clone()));
    }
    parts.extend(own);
    let triggers = rest.triggers.iter().filter(|(_, of)| !of.inherited);
    parts.extend(triggers.map(|(of, _)| part(Node::Trigger, of)));
    parts.extend(rest.policies.keys().map(|of| part(Node::Policy, of)));
    for part in &parts {
        statements.extend(sql(pieces(&one, part, false)?));
    }
    statements.extend(table::row_security(
        name,
        Default::default(),
        rest.row_security,
    )?);
    Ok(statements)
}

/// What a schema says of a table beside it.
pub(super) fn beside(schema: &Schema, name: &ObjectName, one: &mut Schema) {
    let settings = schema.settings.iter();
    let settings = settings.filter(|(setting, _)| setting.relation() == name);
    one.settings = settings
        .map(|(setting, value)| (setting.clone(), value.clone()))
        .collect();
    let object = ObjectRef::Table(name.clone());
    let access = schema.access.iter();
    let identities = schema.tables.get(name).into_iter();
    let identities = identities.flat_map(|table| &table.columns);
    let identities = identities.filter_map(|column| column.identity.as_ref()?.sequence.as_ref());
    let identities: Vec<&ObjectName> = identities.collect();
    let access = access.filter(|(on, _)| match on.object() {
        None => true,
        Some(ObjectRef::Sequence(name)) => identities.contains(&name),
        Some(of) => *of == object,
    });
    one.access = access.map(|(on, of)| (on.clone(), of.clone())).collect();
    one.domains.clone_from(&schema.domains);
}

/// The foreign key of the parent that has the same name.
pub(super) fn named_alike(schema: &Schema, node: &Node) -> Option<Node> {
    let Node::ForeignKey(table, name) = node else {
        return None;
    };
    let parent = schema.tables.get(table)?.parents().next()?;
    let above = schema.tables.get(parent)?;
    let same = above.foreign_keys.contains_key(name);
    same.then(|| Node::ForeignKey(parent.clone(), name.clone()))
}

/// The table as it is once those parts are gone, and what went with them.
fn without(schema: &Schema, name: &ObjectName, table: &Table, except: &BTreeSet<Node>) -> Table {
    let gone = |kind: fn(ObjectName, String) -> Node, part: &String| {
        let node = kind(name.clone(), part.clone());
        // What went with that of the parent comes back with it.
        let above = inherited_from(schema, &node);
        except.contains(&node) || above.is_some_and(|above| except.contains(&above))
    };
    let mut rest = table.clone();
    rest.columns
        .retain(|column| !gone(Node::Column, &column.name));
    for column in &mut rest.columns {
        if gone(Node::Default, &column.name) {
            column.default = None;
        }
        if gone(Node::Identity, &column.name) {
            column.identity = None;
        }
    }
    rest.primary_key = rest.primary_key.filter(|key| !gone(Node::Key, &key.name));
    rest.uniques.retain(|part, _| !gone(Node::Key, part));
    rest.exclusions.retain(|part, _| !gone(Node::Key, part));
    rest.checks.retain(|part, _| !gone(Node::Check, part));
    rest.foreign_keys
        .retain(|part, _| !gone(Node::ForeignKey, part));
    rest.indexes.retain(|part, _| !gone(Node::Index, part));
    rest.triggers.retain(|part, _| !gone(Node::Trigger, part));
    rest.policies.retain(|part, _| !gone(Node::Policy, part));
    rest
}

/// The sequences that a table owns, or one column of it.
pub(super) fn owned_sequences(
    schema: &Schema,
    table: &ObjectName,
    column: Option<&str>,
) -> Vec<ObjectName> {
    let owned = schema.sequences.iter().filter(|(_, sequence)| {
        let owner = sequence.owned_by.as_ref();
        owner.is_some_and(|owner| {
            owner.table == *table && column.is_none_or(|column| owner.column == column)
        })
    });
    owned.map(|(name, _)| name.clone()).collect()
}
