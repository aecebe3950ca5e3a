//! What the parts of a table need.

use std::collections::BTreeSet;

use super::parts::{Builder, same_key, waits_for_partitions};
use crate::postgres::plan::node::{Node, NodeRef};
use crate::sql_token::Mentions;
use crate::{Expression, ForeignKey, Index, IndexKey, KeyTarget, ObjectName, Table};

impl<'s> Builder<'s> {
    pub(super) fn table(&mut self, name: &'s ObjectName, table: &'s Table) {
        let whole = Node::Table(name);
        let mut parents: Vec<NodeRef<'s>> = Vec::new();
        for parent in table.parents() {
            parents.push(Node::Table(parent));
            if let Some(above) = self.schema.tables.get(parent)
                && table.partition_of.is_none()
            {
                let column = |column: &'s crate::Column| {
                    [Node::Column, Node::Default].map(|of| of(parent, &column.name))
                };
                parents.extend(above.columns.iter().flat_map(column));
                let checks = above.checks.keys();
                parents.extend(checks.map(|check| Node::Check(parent, check)));
            }
        }
        self.needs.add(whole, parents.clone());
        if !table.inherits.is_empty() {
            let own = table.columns.iter();
            let own = own.map(|column| Node::Column(name, &column.name));
            let needs = parents.into_iter().chain([whole]).chain(own);
            let needs: Vec<NodeRef<'s>> = needs.collect();
            self.needs.add(Node::Inheritance(name), needs);
        }
        for node in [Node::Persistence, Node::TableOptions, Node::RowSecurity] {
            self.needs.add(node(name), [whole]);
        }
        self.table_columns(name, table);
        self.constraints(name, table);
        for (index_name, index) in &table.indexes {
            let mut needs = self.of_index(name, index);
            needs.push(whole);
            needs.extend(self.below_index(name, index_name));
            if waits_for_partitions(table, index) {
                let below = self.partitions(name);
                needs.extend(below.map(|(child, _)| Node::Attachment(child)));
            }
            self.needs.add(Node::Index(name, index_name), needs);
        }
        for (trigger_name, trigger) in table.triggers.iter() {
            let mut needs = self.columns(name, &Mentions::of(trigger.definition.as_str()));
            needs.push(whole);
            needs.extend(trigger.function.iter().map(Node::Function));
            self.needs.add(Node::Trigger(name, trigger_name), needs);
        }
        for (policy_name, policy) in &table.policies {
            let mut needs = vec![whole];
            for text in [&policy.using, &policy.check].into_iter().flatten() {
                needs.extend(self.in_table(name, text.as_str()));
            }
            self.needs.add(Node::Policy(name, policy_name), needs);
        }
        self.attachment(name, table);
    }

    fn table_columns(&mut self, name: &'s ObjectName, table: &'s Table) {
        for column in &table.columns {
            let part = |of: fn(&'s ObjectName, &'s String) -> NodeRef<'s>| of(name, &column.name);
            let mut needs = self.type_nodes(&column.data_type);
            needs.extend(self.collation(&column.collation));
            needs.push(Node::Table(name));
            if let Some(generated) = &column.generated {
                needs.extend(self.in_table(name, generated.expression.as_str()));
            }
            self.needs.add(part(Node::Column), needs);
            for node in [Node::ColumnOptions, Node::NotNull] {
                self.needs.add(part(node), [part(Node::Column)]);
            }
            let needs = [part(Node::Column), part(Node::NotNull)];
            self.needs.add(part(Node::Identity), needs);
            let mut needs = vec![part(Node::Column)];
            if let Some(default) = &column.default {
                needs.extend(self.in_text(default.as_str()));
            }
            self.needs.add(part(Node::Default), needs);
        }
    }

    fn constraints(&mut self, name: &'s ObjectName, table: &'s Table) {
        let whole = || Node::Table(name);
        let columns = |columns: &'s [String]| {
            let nodes = columns
                .iter()
                .flat_map(|column| [Node::Column, Node::NotNull].map(|of| of(name, column)));
            nodes.collect::<Vec<NodeRef<'s>>>()
        };
        let mut keys: Vec<(&String, Vec<NodeRef<'s>>)> = Vec::new();
        if let Some(key) = &table.primary_key {
            keys.push((&key.name, columns(&key.columns)));
            keys.push((&key.name, columns(&key.include)));
        }
        for (key, unique) in &table.uniques {
            keys.push((key, columns(&unique.columns)));
            keys.push((key, columns(&unique.include)));
        }
        for (key, exclusion) in &table.exclusions {
            let elements = exclusion.elements.iter().map(|element| &element.key);
            let (include, predicate) = (&exclusion.include, &exclusion.predicate);
            keys.push((key, self.over(name, elements, include, predicate)));
        }
        for (key, mut needs) in keys {
            needs.push(whole());
            needs.extend(self.below_key(name, key));
            self.needs.add(Node::Key(name, key), needs);
        }
        for (check_name, check) in &table.checks {
            let mut needs = self.in_table(name, check.expression.as_str());
            needs.push(whole());
            self.needs.add(Node::Check(name, check_name), needs);
        }
        for (key_name, key) in &table.foreign_keys {
            let needs = self.of_foreign_key(name, key);
            self.needs.add(Node::ForeignKey(name, key_name), needs);
        }
    }

    fn of_foreign_key(&self, name: &'s ObjectName, key: &'s ForeignKey) -> Vec<NodeRef<'s>> {
        let columns = |table: &'s ObjectName, columns: &'s [String]| {
            let nodes = columns.iter();
            let nodes = nodes.map(|column| Node::Column(table, column));
            nodes.collect::<Vec<NodeRef<'s>>>()
        };
        let target = &key.references;
        let mut needs = columns(name, &key.columns);
        needs.extend(columns(target, &key.referenced_columns));
        for table in [name, target] {
            needs.push(Node::Table(table));
            needs.push(Node::Persistence(table));
        }
        let mut parts: Vec<&ObjectName> = vec![target];
        while let Some(part) = parts.pop() {
            let below = self.partitions(part).map(|(name, _)| name);
            parts.extend(below.clone());
            needs.extend(below.map(Node::Table));
        }
        if let Some(of) = self.schema.tables.get(target) {
            needs.extend(keys_over(target, of, &key.referenced_columns));
        }
        // A foreign key of the table that is split takes up those of the partitions.
        for (child, of) in self.partitions(name) {
            let same = of.foreign_keys.iter();
            let same = same.filter(|(_, other)| other.inherited && same_key(key, other));
            needs.extend(same.map(|(name, _)| Node::ForeignKey(child, name)));
        }
        needs
    }

    pub(super) fn of_index(&self, table: &'s ObjectName, index: &'s Index) -> Vec<NodeRef<'s>> {
        self.over(table, index.keys.iter(), &index.include, &index.predicate)
    }

    fn over(
        &self,
        table: &'s ObjectName,
        keys: impl Iterator<Item = &'s IndexKey>,
        include: &'s [String],
        predicate: &'s Option<Expression>,
    ) -> Vec<NodeRef<'s>> {
        let mut needs = Vec::new();
        for key in keys {
            needs.extend(self.collation(&key.collation));
            match &key.target {
                KeyTarget::Column(name) => needs.push(Node::Column(table, name)),
                KeyTarget::Expression(text) => needs.extend(self.in_table(table, text.as_str())),
            }
        }
        needs.extend(include.iter().map(|name| Node::Column(table, name)));
        if let Some(predicate) = predicate {
            needs.extend(self.in_table(table, predicate.as_str()));
        }
        needs
    }

    /// The indexes of partitions that an index takes up.
    fn below_index(&self, table: &'s ObjectName, name: &str) -> Vec<NodeRef<'s>> {
        let parent = Some(table.sibling(name));
        let mut nodes = Vec::new();
        for (child, of) in self.partitions(table) {
            let indexes = of
                .indexes
                .iter()
                .filter(|(_, index)| index.parent == parent);
            nodes.extend(indexes.map(|(name, _)| Node::Index(child, name)));
        }
        nodes
    }

    /// The constraints of partitions that a constraint takes up.
    fn below_key(&self, table: &'s ObjectName, name: &str) -> Vec<NodeRef<'s>> {
        let parent = Some(table.sibling(name));
        let mut nodes = Vec::new();
        for (child, of) in self.partitions(table) {
            let key = of.primary_key.iter().filter(|key| key.parent == parent);
            let uniques = of.uniques.iter().filter(|(_, one)| one.parent == parent);
            let exclusions = of.exclusions.iter().filter(|(_, one)| one.parent == parent);
            let names = key
                .map(|key| &key.name)
                .chain(uniques.map(|(name, _)| name));
            let names = names.chain(exclusions.map(|(name, _)| name));
            nodes.extend(names.map(|name| Node::Key(child, name)));
        }
        nodes
    }

    fn partitions(
        &self,
        table: &ObjectName,
    ) -> impl Iterator<Item = (&'s ObjectName, &'s Table)> + Clone {
        self.partitions.get(table).into_iter().flatten().copied()
    }

    /// A table is attached when all is there that its parent asks for.
    fn attachment(&mut self, name: &'s ObjectName, table: &'s Table) {
        let Some(of) = &table.partition_of else {
            return;
        };
        let mut needs = vec![Node::Attachment(&of.parent)];
        for table in [name, &of.parent] {
            needs.push(Node::Table(table));
            let Some(of) = self.schema.tables.get(table) else {
                continue;
            };
            let each = |nodes: [fn(&'s ObjectName, &'s String) -> NodeRef<'s>; 2],
                        name: &'s String| {
                nodes.map(|node| node(table, name))
            };
            for column in &of.columns {
                needs.extend(each([Node::Column, Node::NotNull], &column.name));
            }
            let keys = of.primary_key.iter().map(|key| &key.name);
            for key in keys.chain(of.uniques.keys()).chain(of.exclusions.keys()) {
                needs.push(Node::Key(table, key));
            }
            let checks = of.checks.keys();
            needs.extend(checks.map(|check| Node::Check(table, check)));
            let indexes = of.indexes.iter();
            let indexes = indexes.filter(|(_, index)| !waits_for_partitions(of, index));
            needs.extend(indexes.map(|(index, _)| Node::Index(table, index)));
        }
        let inherited = table.foreign_keys.iter().filter(|(_, key)| key.inherited);
        needs.extend(inherited.map(|(key, _)| Node::ForeignKey(name, key)));
        self.needs.add(Node::Attachment(name), needs);
    }
}

/// The keys and unique indexes over exactly these columns, in any order.
fn keys_over<'s>(name: &'s ObjectName, table: &'s Table, columns: &[String]) -> Vec<NodeRef<'s>> {
    let wanted: BTreeSet<&String> = columns.iter().collect();
    let over = |columns: &[String]| columns.iter().collect::<BTreeSet<_>>() == wanted;
    let mut nodes = Vec::new();
    let keys = table.primary_key.iter();
    let keys = keys.map(|key| (&key.name, &key.columns));
    let uniques = table.uniques.iter().map(|(name, one)| (name, &one.columns));
    let keys = keys.chain(uniques).filter(|(_, columns)| over(columns));
    nodes.extend(keys.map(|(key, _)| Node::Key(name, key)));
    for (index_name, index) in table.indexes.iter().filter(|(_, index)| index.unique) {
        let columns = index.keys.iter().map(|key| match &key.target {
            KeyTarget::Column(name) => name.clone(),
            KeyTarget::Expression(_) => String::new(),
        });
        if over(&columns.collect::<Vec<_>>()) {
            nodes.push(Node::Index(name, index_name));
        }
    }
    nodes
}
