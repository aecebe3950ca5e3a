//! Which lock each statement takes, as PostgreSQL's documentation has it.

use super::node::Node;
use crate::{Column, Lock, LockMode, ObjectName, Schema, Work};

/// The lock by which something is made that was not there.
pub(super) fn making(node: &Node, schema: &Schema) -> Lock {
    let table = schema
        .tables
        .get(node.owner().unwrap_or(&ObjectName::default()));
    match node {
        Node::Column(of, name) => {
            let column = table.and_then(|table| table.column(name));
            let work = column.map_or(Work::Catalog, work_of_column);
            Lock::of(LockMode::AccessExclusive, of, work)
        }
        Node::Check(of, name) => {
            let check = table.and_then(|table| table.checks.get(name));
            let work = match check.is_some_and(|check| check.not_valid) {
                true => Work::Catalog,
                false => Work::Scan,
            };
            Lock::of(LockMode::AccessExclusive, of, work)
        }
        Node::Key(of, _) => Lock::of(LockMode::AccessExclusive, of, Work::Scan),
        Node::Index(of, _) => Lock::of(LockMode::Share, of, Work::Scan),
        Node::ForeignKey(of, name) => {
            let key = table.and_then(|table| table.foreign_keys.get(name));
            let work = match key.is_some_and(|key| key.not_valid) {
                true => Work::Catalog,
                false => Work::Scan,
            };
            let mut lock = Lock::of(LockMode::ShareRowExclusive, of, work);
            if let Some(key) = key.filter(|key| key.references != *of) {
                lock.on.push(key.references.to_string());
            }
            lock
        }
        Node::Trigger(of, _) => Lock::of(LockMode::ShareRowExclusive, of, Work::Catalog),
        Node::Attachment(of) => Lock::of(LockMode::AccessExclusive, of, Work::Scan),
        Node::Default(of, _)
        | Node::Identity(of, _)
        | Node::Policy(of, _)
        | Node::Inheritance(of) => Lock::of(LockMode::AccessExclusive, of, Work::Catalog),
        Node::DomainCheck(of, _) => {
            Lock::of(LockMode::Share, format!("tables with {of}"), Work::Scan)
        }
        _ => Lock::none(),
    }
}

/// A default that is a constant, or none at all, needs no row to be written.
fn work_of_column(column: &Column) -> Work {
    let constant = column.default.as_ref().is_none_or(|default| {
        let text = default.as_str();
        !text.contains('(') || text.starts_with('\'')
    });
    match constant && column.generated.is_none() && column.identity.is_none() {
        true => Work::Catalog,
        false => Work::Rewrite,
    }
}

/// The lock by which something is dropped.
pub(super) fn dropping(node: &Node, schema: &Schema) -> Lock {
    let exclusive =
        |on: &dyn ToString| Lock::of(LockMode::AccessExclusive, on.to_string(), Work::Catalog);
    match node {
        Node::Table(of) => {
            let mut lock = exclusive(of);
            let table = schema.tables.get(of);
            let keys = table
                .into_iter()
                .flat_map(|table| table.foreign_keys.values());
            for key in keys {
                let name = key.references.to_string();
                if !lock.on.contains(&name) {
                    lock.on.push(name);
                }
            }
            lock
        }
        Node::ForeignKey(of, name) => {
            let mut lock = exclusive(of);
            let key = schema.tables.get(of);
            let key = key.and_then(|table| table.foreign_keys.get(name));
            if let Some(key) = key.filter(|key| key.references != *of) {
                lock.on.push(key.references.to_string());
            }
            lock
        }
        Node::Attachment(of) => {
            let mut lock = exclusive(of);
            let parent = schema.tables.get(of);
            let parent = parent.and_then(|table| table.partition_of.as_ref());
            lock.on
                .extend(parent.map(|parent| parent.parent.to_string()));
            lock
        }
        Node::View(of) | Node::MaterializedView(of) | Node::Sequence(of) => exclusive(of),
        Node::Column(of, _)
        | Node::Default(of, _)
        | Node::Identity(of, _)
        | Node::Check(of, _)
        | Node::Key(of, _)
        | Node::Index(of, _)
        | Node::Trigger(of, _)
        | Node::Policy(of, _)
        | Node::Inheritance(of) => exclusive(of),
        _ => Lock::none(),
    }
}
