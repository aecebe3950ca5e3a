//! What each part of a schema needs, part by part.

use std::collections::{BTreeSet, HashMap};

use super::Needs;
use crate::postgres::plan::node::{Node, NodeRef};
use crate::sql_token::Mentions;
use crate::{
    ColumnRef, Expression, ForeignKey, Index, IndexKey, KeyTarget, ObjectName, Schema, Table, Type,
};

pub(super) fn needs(schema: &Schema) -> Needs<'_> {
    let mut builder = Builder {
        schema,
        names: names(schema),
        partitions: partitions(schema),
        needs: Needs::default(),
    };
    builder.types();
    builder.functions();
    for (name, table) in &schema.tables {
        builder.table(name, table);
    }
    builder.views();
    builder.needs
}

/// The partitions of each table.
type Partitions<'s> = HashMap<&'s ObjectName, Vec<(&'s ObjectName, &'s Table)>>;

fn partitions(schema: &Schema) -> Partitions<'_> {
    let mut partitions: Partitions<'_> = HashMap::new();
    for (name, table) in &schema.tables {
        if let Some(of) = &table.partition_of {
            partitions
                .entry(&of.parent)
                .or_default()
                .push((name, table));
        }
    }
    partitions
}

/// What a qualified name may be.
type Names<'s> = HashMap<(&'s str, &'s str), Vec<NodeRef<'s>>>;

fn names(schema: &Schema) -> Names<'_> {
    let mut names: Names<'_> = HashMap::new();
    fn object<'s>(names: &mut Names<'s>, name: &'s ObjectName, node: NodeRef<'s>) {
        let key = (name.namespace.as_str(), name.name.as_str());
        names.entry(key).or_default().push(node);
    }
    for name in schema.enums.keys() {
        object(&mut names, name, Node::Enum(name));
    }
    for name in schema.domains.keys() {
        object(&mut names, name, Node::Domain(name));
    }
    for name in schema.sequences.keys() {
        object(&mut names, name, Node::Sequence(name));
    }
    for name in schema.tables.keys() {
        object(&mut names, name, Node::Table(name));
    }
    for name in schema.views.keys() {
        object(&mut names, name, Node::View(name));
    }
    for name in schema.materialized_views.keys() {
        object(&mut names, name, Node::MaterializedView(name));
    }
    for name in schema.functions.keys() {
        let key = (name.namespace.as_str(), name.name.as_str());
        names.entry(key).or_default().push(Node::Function(name));
    }
    names
}

struct Builder<'s> {
    schema: &'s Schema,
    names: Names<'s>,
    partitions: Partitions<'s>,
    needs: Needs<'s>,
}

impl<'s> Builder<'s> {
    fn type_nodes(&self, of: &Type) -> Vec<NodeRef<'s>> {
        let Some(namespace) = &of.namespace else {
            return Vec::new();
        };
        let found = self.names.get(&(namespace.as_str(), of.name.as_str()));
        let is_type = |node: &&NodeRef<'_>| !matches!(node, Node::Sequence(_) | Node::Function(_));
        found
            .into_iter()
            .flatten()
            .filter(is_type)
            .copied()
            .collect()
    }

    /// The objects that a text names.
    fn named(&self, mentions: &Mentions) -> Vec<NodeRef<'s>> {
        let pairs = mentions.qualified.iter();
        let found = pairs.filter_map(|(first, second)| self.names.get(&(first.as_str(), second)));
        found.flatten().copied().collect()
    }

    /// The columns of a table that a text names.
    fn columns(&self, table: &'s ObjectName, mentions: &Mentions) -> Vec<NodeRef<'s>> {
        let Some(of) = self.schema.tables.get(table) else {
            return Vec::new();
        };
        let named = of
            .columns
            .iter()
            .filter(|column| mentions.whole_row || mentions.names.contains(&column.name));
        named
            .map(|column| Node::Column(table, &column.name))
            .collect()
    }

    /// What a text names, the columns of the tables among it too.
    fn in_text(&self, text: &str) -> Vec<NodeRef<'s>> {
        let mentions = Mentions::of(text);
        let mut nodes = self.named(&mentions);
        let tables: Vec<NodeRef<'s>> = nodes.clone();
        for node in tables {
            if let Node::Table(name) = node {
                nodes.extend(self.columns(name, &mentions));
            }
        }
        nodes
    }

    /// What a text of a table names: columns of it can stand alone.
    fn in_table(&self, table: &'s ObjectName, text: &str) -> Vec<NodeRef<'s>> {
        let mut nodes = self.in_text(text);
        nodes.extend(self.columns(table, &Mentions::of(text)));
        nodes
    }

    fn types(&mut self) {
        let schema = self.schema;
        for (name, domain) in &schema.domains {
            let base = self.type_nodes(&domain.base);
            self.needs.add(Node::Domain(name), base);
            let whole = || Node::Domain(name);
            if let Some(default) = &domain.default {
                let mut needs = self.in_text(default.as_str());
                needs.push(whole());
                self.needs.add(Node::DomainDefault(name), needs);
            }
            for (check_name, check) in &domain.checks {
                let mut needs = self.in_text(check.expression.as_str());
                needs.push(whole());
                self.needs.add(Node::DomainCheck(name, check_name), needs);
            }
        }
        for (name, sequence) in &schema.sequences {
            if let Some(ColumnRef { table, column }) = &sequence.owned_by {
                let needs = [
                    Node::Sequence(name),
                    Node::Column(table, column),
                    Node::Persistence(table),
                ];
                self.needs.add(Node::Owner(name), needs);
            }
        }
    }

    fn functions(&mut self) {
        let schema = self.schema;
        for (name, function) in &schema.functions {
            let mut needs: Vec<NodeRef<'s>> =
                function.depends_on.iter().map(NodeRef::from).collect();
            let text = function.definition.as_str();
            // The server looks into the body of such a function only.
            if text.contains("BEGIN ATOMIC") || text.contains("\nRETURN ") {
                let mentions = Mentions::of(text);
                needs.extend(self.parts_of(&needs, text, &mentions));
            }
            self.needs.add(Node::Function(name), needs);
        }
    }

    /// The columns that a query names of the tables that it is over, and their keys where rows
    /// of one key are grouped or in conflict.
    fn parts_of(
        &self,
        objects: &[NodeRef<'s>],
        text: &str,
        mentions: &Mentions,
    ) -> Vec<NodeRef<'s>> {
        let keyed = text.contains("GROUP BY") || text.contains("ON CONFLICT");
        let mut nodes = Vec::new();
        for object in objects {
            let Node::Table(table) = *object else {
                continue;
            };
            nodes.extend(self.columns(table, mentions));
            if let Some(of) = self.schema.tables.get(table).filter(|_| keyed) {
                let keys = of.primary_key.iter().map(|key| &key.name);
                let keys = keys.chain(of.uniques.keys());
                nodes.extend(keys.map(|key| Node::Key(table, key)));
            }
        }
        nodes
    }

    fn views(&mut self) {
        let schema = self.schema;
        let views = schema.views.iter();
        let views = views.map(|(name, of)| {
            let node = Node::View(name);
            (node, &of.definition, &of.depends_on, &of.columns)
        });
        let kept = schema.materialized_views.iter().map(|(name, of)| {
            let node = Node::MaterializedView(name);
            (node, &of.definition, &of.depends_on, &of.columns)
        });
        for (node, definition, depends_on, columns) in views.chain(kept) {
            let text = definition.as_str();
            let mentions = Mentions::of(text);
            let mut needs: Vec<NodeRef<'s>> = depends_on.iter().map(NodeRef::from).collect();
            needs.extend(self.named(&mentions));
            needs.extend(self.parts_of(&needs, text, &mentions));
            for column in columns {
                needs.extend(self.type_nodes(&column.data_type));
            }
            self.needs.add(node, needs);
        }
        for (name, view) in &schema.views {
            for (trigger_name, trigger) in &view.triggers {
                let mut needs = vec![Node::View(name)];
                needs.extend(trigger.function.iter().map(Node::Function));
                self.needs.add(Node::Trigger(name, trigger_name), needs);
            }
        }
        for (name, view) in &schema.materialized_views {
            for (index_name, index) in &view.indexes {
                let mut needs = self.of_index(name, index);
                needs.push(Node::MaterializedView(name));
                self.needs.add(Node::Index(name, index_name), needs);
            }
        }
    }

    fn table(&mut self, name: &'s ObjectName, table: &'s Table) {
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
            needs.push(Node::Table(name));
            if let Some(generated) = &column.generated {
                needs.extend(self.in_table(name, generated.expression.as_str()));
            }
            self.needs.add(part(Node::Column), needs);
            self.needs.add(part(Node::NotNull), [part(Node::Column)]);
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

    fn of_index(&self, table: &'s ObjectName, index: &'s Index) -> Vec<NodeRef<'s>> {
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

/// Whether it is the index of a partitioned table of which some partition has no part.
pub(in crate::postgres::plan) fn waits_for_partitions(table: &Table, index: &Index) -> bool {
    !index.valid && table.partition_by.is_some()
}

/// Whether a foreign key of a partition is what that of its parent is there.
pub(in crate::postgres::plan) fn same_key(above: &ForeignKey, below: &ForeignKey) -> bool {
    (&above.columns, &above.references, &above.referenced_columns)
        == (&below.columns, &below.references, &below.referenced_columns)
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
