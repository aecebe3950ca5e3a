use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::node::Node;
use crate::sql_token::Mentions;
use crate::{
    ColumnRef, ForeignKey, Index, IndexKey, KeyTarget, ObjectName, ObjectRef, Schema, Table, Type,
};

/// What each part of a schema needs to be there.
#[derive(Debug, Default)]
pub(super) struct Needs {
    needs: BTreeMap<Node, BTreeSet<Node>>,
}

impl Needs {
    /// Those of a schema.
    pub(super) fn of(schema: &Schema) -> Self {
        let mut builder = Builder {
            schema,
            names: names(schema),
            partitions: partitions(schema),
            needs: BTreeMap::new(),
        };
        builder.types();
        builder.functions();
        for (name, table) in &schema.tables {
            builder.table(name, table);
        }
        builder.views();
        Needs {
            needs: builder.needs,
        }
    }

    /// Each, and what it needs.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Node, &BTreeSet<Node>)> {
        self.needs.iter()
    }

    /// What this needs.
    pub(super) fn of_node(&self, node: &Node) -> impl Iterator<Item = &Node> {
        self.needs.get(node).into_iter().flatten()
    }

    /// Who needs each.
    pub(super) fn reversed(&self) -> BTreeMap<&Node, Vec<&Node>> {
        let mut reversed: BTreeMap<&Node, Vec<&Node>> = BTreeMap::new();
        for (node, needs) in &self.needs {
            for needed in needs {
                reversed.entry(needed).or_default().push(node);
            }
        }
        reversed
    }
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
type Names<'s> = HashMap<(&'s str, &'s str), Vec<Node>>;

fn names(schema: &Schema) -> Names<'_> {
    let mut names: Names<'_> = HashMap::new();
    fn object<'s>(names: &mut Names<'s>, name: &'s ObjectName, node: Node) {
        let key = (name.namespace.as_str(), name.name.as_str());
        names.entry(key).or_default().push(node);
    }
    for name in schema.enums.keys() {
        object(&mut names, name, Node::Enum(name.clone()));
    }
    for name in schema.domains.keys() {
        object(&mut names, name, Node::Domain(name.clone()));
    }
    for name in schema.sequences.keys() {
        object(&mut names, name, Node::Sequence(name.clone()));
    }
    for name in schema.tables.keys() {
        object(&mut names, name, Node::Table(name.clone()));
    }
    for name in schema.views.keys() {
        object(&mut names, name, Node::View(name.clone()));
    }
    for name in schema.materialized_views.keys() {
        object(&mut names, name, Node::MaterializedView(name.clone()));
    }
    for name in schema.functions.keys() {
        let key = (name.namespace.as_str(), name.name.as_str());
        names
            .entry(key)
            .or_default()
            .push(Node::Function(name.clone()));
    }
    names
}

struct Builder<'s> {
    schema: &'s Schema,
    names: Names<'s>,
    partitions: Partitions<'s>,
    needs: BTreeMap<Node, BTreeSet<Node>>,
}

impl<'s> Builder<'s> {
    fn add(&mut self, node: Node, needs: impl IntoIterator<Item = Node>) {
        let needs: Vec<Node> = needs.into_iter().filter(|other| *other != node).collect();
        self.needs.entry(node).or_default().extend(needs);
    }

    fn type_nodes(&self, of: &Type) -> Vec<Node> {
        let Some(namespace) = &of.namespace else {
            return Vec::new();
        };
        let found = self.names.get(&(namespace.as_str(), of.name.as_str()));
        let is_type = |node: &&Node| !matches!(node, Node::Sequence(_) | Node::Function(_));
        found
            .into_iter()
            .flatten()
            .filter(is_type)
            .cloned()
            .collect()
    }

    /// The objects that a text names.
    fn named(&self, mentions: &Mentions) -> Vec<Node> {
        let pairs = mentions.qualified.iter();
        let found = pairs.filter_map(|(first, second)| self.names.get(&(first.as_str(), second)));
        found.flatten().cloned().collect()
    }

    /// The columns of a table that a text names.
    fn columns(&self, table: &ObjectName, mentions: &Mentions) -> Vec<Node> {
        let Some(of) = self.schema.tables.get(table) else {
            return Vec::new();
        };
        let named = of
            .columns
            .iter()
            .filter(|column| mentions.whole_row || mentions.names.contains(&column.name));
        named
            .map(|column| Node::Column(table.clone(), column.name.clone()))
            .collect()
    }

    /// What a text names, the columns of the tables among it too.
    fn in_text(&self, text: &str) -> Vec<Node> {
        let mentions = Mentions::of(text);
        let mut nodes = self.named(&mentions);
        let tables: Vec<Node> = nodes.clone();
        for node in tables {
            if let Node::Table(name) = node {
                nodes.extend(self.columns(&name, &mentions));
            }
        }
        nodes
    }

    /// What a text of a table names: columns of it can stand alone.
    fn in_table(&self, table: &ObjectName, text: &str) -> Vec<Node> {
        let mut nodes = self.in_text(text);
        nodes.extend(self.columns(table, &Mentions::of(text)));
        nodes
    }

    fn types(&mut self) {
        let schema = self.schema;
        for (name, domain) in &schema.domains {
            let base = self.type_nodes(&domain.base);
            self.add(Node::Domain(name.clone()), base);
            let whole = || Node::Domain(name.clone());
            if let Some(default) = &domain.default {
                let mut needs = self.in_text(default.as_str());
                needs.push(whole());
                self.add(Node::DomainDefault(name.clone()), needs);
            }
            for (check_name, check) in &domain.checks {
                let mut needs = self.in_text(check.expression.as_str());
                needs.push(whole());
                self.add(Node::DomainCheck(name.clone(), check_name.clone()), needs);
            }
        }
        for (name, sequence) in &schema.sequences {
            if let Some(ColumnRef { table, column }) = &sequence.owned_by {
                let needs = [
                    Node::Sequence(name.clone()),
                    Node::Column(table.clone(), column.clone()),
                    Node::Persistence(table.clone()),
                ];
                self.add(Node::Owner(name.clone()), needs);
            }
        }
    }

    fn functions(&mut self) {
        let schema = self.schema;
        for (name, function) in &schema.functions {
            let mut needs: Vec<Node> = function.depends_on.iter().map(Node::from).collect();
            let text = function.definition.as_str();
            // The server looks into the body of such a function only.
            if text.contains("BEGIN ATOMIC") || text.contains("\nRETURN ") {
                let mentions = Mentions::of(text);
                needs.extend(self.parts_of(&function.depends_on, text, &mentions));
            }
            self.add(Node::Function(name.clone()), needs);
        }
    }

    /// The columns that a query names of the tables that it is over, and their keys where rows
    /// of one key are grouped or in conflict.
    fn parts_of(
        &self,
        objects: &BTreeSet<ObjectRef>,
        text: &str,
        mentions: &Mentions,
    ) -> Vec<Node> {
        let keyed = text.contains("GROUP BY") || text.contains("ON CONFLICT");
        let mut nodes = Vec::new();
        for object in objects {
            let ObjectRef::Table(table) = object else {
                continue;
            };
            nodes.extend(self.columns(table, mentions));
            if let Some(of) = self.schema.tables.get(table).filter(|_| keyed) {
                let keys = of.primary_key.iter().map(|key| &key.name);
                let keys = keys.chain(of.uniques.keys());
                nodes.extend(keys.map(|key| Node::Key(table.clone(), key.clone())));
            }
        }
        nodes
    }

    fn views(&mut self) {
        let schema = self.schema;
        let views = schema.views.iter();
        let views = views.map(|(name, of)| {
            let node = Node::View(name.clone());
            (node, &of.definition, &of.depends_on, &of.columns)
        });
        let kept = schema.materialized_views.iter().map(|(name, of)| {
            let node = Node::MaterializedView(name.clone());
            (node, &of.definition, &of.depends_on, &of.columns)
        });
        for (node, definition, depends_on, columns) in views.chain(kept) {
            let text = definition.as_str();
            let mentions = Mentions::of(text);
            let mut needs: Vec<Node> = depends_on.iter().map(Node::from).collect();
            needs.extend(self.named(&mentions));
            let tables = needs.iter().filter_map(Node::object).collect();
            needs.extend(self.parts_of(&tables, text, &mentions));
            for column in columns {
                needs.extend(self.type_nodes(&column.data_type));
            }
            self.add(node, needs);
        }
        for (name, view) in &schema.views {
            for (trigger_name, trigger) in &view.triggers {
                let mut needs = vec![Node::View(name.clone())];
                needs.extend(trigger.function.iter().cloned().map(Node::Function));
                self.add(Node::Trigger(name.clone(), trigger_name.clone()), needs);
            }
        }
        for (name, view) in &schema.materialized_views {
            for (index_name, index) in &view.indexes {
                let mut needs = self.of_index(name, index);
                needs.push(Node::MaterializedView(name.clone()));
                self.add(Node::Index(name.clone(), index_name.clone()), needs);
            }
        }
    }

    fn table(&mut self, name: &ObjectName, table: &Table) {
        let whole = Node::Table(name.clone());
        let mut parents: Vec<Node> = Vec::new();
        for parent in table.parents() {
            parents.push(Node::Table(parent.clone()));
            if let Some(above) = self.schema.tables.get(parent)
                && table.partition_of.is_none()
            {
                let column = |column: &crate::Column| {
                    [Node::Column, Node::Default].map(|of| of(parent.clone(), column.name.clone()))
                };
                parents.extend(above.columns.iter().flat_map(column));
                let checks = above.checks.keys();
                parents.extend(checks.map(|check| Node::Check(parent.clone(), check.clone())));
            }
        }
        self.add(whole.clone(), parents.clone());
        if !table.inherits.is_empty() {
            let own = table.columns.iter();
            let own = own.map(|column| Node::Column(name.clone(), column.name.clone()));
            let needs = parents.into_iter().chain([whole.clone()]).chain(own);
            let needs: Vec<Node> = needs.collect();
            self.add(Node::Inheritance(name.clone()), needs);
        }
        for node in [Node::Persistence, Node::TableOptions, Node::RowSecurity] {
            self.add(node(name.clone()), [whole.clone()]);
        }
        self.table_columns(name, table);
        self.constraints(name, table);
        for (index_name, index) in &table.indexes {
            let mut needs = self.of_index(name, index);
            needs.push(whole.clone());
            needs.extend(self.below_index(name, index_name));
            if waits_for_partitions(table, index) {
                let below = self.partitions(name);
                needs.extend(below.map(|(child, _)| Node::Attachment(child.clone())));
            }
            self.add(Node::Index(name.clone(), index_name.clone()), needs);
        }
        for (trigger_name, trigger) in table.triggers.iter() {
            let mut needs = self.columns(name, &Mentions::of(trigger.definition.as_str()));
            needs.push(whole.clone());
            needs.extend(trigger.function.iter().cloned().map(Node::Function));
            self.add(Node::Trigger(name.clone(), trigger_name.clone()), needs);
        }
        for (policy_name, policy) in &table.policies {
            let mut needs = vec![whole.clone()];
            for text in [&policy.using, &policy.check].into_iter().flatten() {
                needs.extend(self.in_table(name, text.as_str()));
            }
            self.add(Node::Policy(name.clone(), policy_name.clone()), needs);
        }
        self.attachment(name, table);
    }

    fn table_columns(&mut self, name: &ObjectName, table: &Table) {
        for column in &table.columns {
            let part = |of: fn(ObjectName, String) -> Node| of(name.clone(), column.name.clone());
            let mut needs = self.type_nodes(&column.data_type);
            needs.push(Node::Table(name.clone()));
            if let Some(generated) = &column.generated {
                needs.extend(self.in_table(name, generated.expression.as_str()));
            }
            self.add(part(Node::Column), needs);
            self.add(part(Node::NotNull), [part(Node::Column)]);
            let needs = [part(Node::Column), part(Node::NotNull)];
            self.add(part(Node::Identity), needs);
            let mut needs = vec![part(Node::Column)];
            if let Some(default) = &column.default {
                needs.extend(self.in_text(default.as_str()));
            }
            self.add(part(Node::Default), needs);
        }
    }

    fn constraints(&mut self, name: &ObjectName, table: &Table) {
        let whole = || Node::Table(name.clone());
        let columns = |columns: &[String]| {
            let nodes = columns.iter().flat_map(|column| {
                [Node::Column, Node::NotNull].map(|of| of(name.clone(), column.clone()))
            });
            nodes.collect::<Vec<Node>>()
        };
        let mut keys: Vec<(&String, Vec<Node>)> = Vec::new();
        if let Some(key) = &table.primary_key {
            keys.push((&key.name, columns(&key.columns)));
            keys.push((&key.name, columns(&key.include)));
        }
        for (key, unique) in &table.uniques {
            keys.push((key, columns(&unique.columns)));
            keys.push((key, columns(&unique.include)));
        }
        for (key, exclusion) in &table.exclusions {
            let elements: Vec<IndexKey> = exclusion
                .elements
                .iter()
                .map(|element| element.key.clone())
                .collect();
            let as_index = Index {
                keys: elements,
                include: exclusion.include.clone(),
                predicate: exclusion.predicate.clone(),
                ..Index::default()
            };
            keys.push((key, self.of_index(name, &as_index)));
        }
        for (key, mut needs) in keys {
            needs.push(whole());
            needs.extend(self.below_key(name, key));
            self.add(Node::Key(name.clone(), key.clone()), needs);
        }
        for (check_name, check) in &table.checks {
            let mut needs = self.in_table(name, check.expression.as_str());
            needs.push(whole());
            self.add(Node::Check(name.clone(), check_name.clone()), needs);
        }
        for (key_name, key) in &table.foreign_keys {
            let needs = self.of_foreign_key(name, key);
            self.add(Node::ForeignKey(name.clone(), key_name.clone()), needs);
        }
    }

    fn of_foreign_key(&self, name: &ObjectName, key: &ForeignKey) -> Vec<Node> {
        let columns = |table: &ObjectName, columns: &[String]| {
            let nodes = columns.iter();
            let nodes = nodes.map(|column| Node::Column(table.clone(), column.clone()));
            nodes.collect::<Vec<Node>>()
        };
        let target = &key.references;
        let mut needs = columns(name, &key.columns);
        needs.extend(columns(target, &key.referenced_columns));
        for table in [name, target] {
            needs.push(Node::Table(table.clone()));
            needs.push(Node::Persistence(table.clone()));
        }
        let mut parts: Vec<&ObjectName> = vec![target];
        while let Some(part) = parts.pop() {
            let below = self.partitions(part).map(|(name, _)| name);
            parts.extend(below.clone());
            needs.extend(below.cloned().map(Node::Table));
        }
        if let Some(of) = self.schema.tables.get(target) {
            needs.extend(keys_over(target, of, &key.referenced_columns));
        }
        // A foreign key of the table that is split takes up those of the partitions.
        for (child, of) in self.partitions(name) {
            let same = of.foreign_keys.iter();
            let same = same.filter(|(_, other)| other.inherited && same_key(key, other));
            needs.extend(same.map(|(name, _)| Node::ForeignKey(child.clone(), name.clone())));
        }
        needs
    }

    fn of_index(&self, table: &ObjectName, index: &Index) -> Vec<Node> {
        let mut needs = Vec::new();
        let column = |name: &String| Node::Column(table.clone(), name.clone());
        for key in &index.keys {
            match &key.target {
                KeyTarget::Column(name) => needs.push(column(name)),
                KeyTarget::Expression(text) => needs.extend(self.in_table(table, text.as_str())),
            }
        }
        needs.extend(index.include.iter().map(column));
        if let Some(predicate) = &index.predicate {
            needs.extend(self.in_table(table, predicate.as_str()));
        }
        needs
    }

    /// The indexes of partitions that an index takes up.
    fn below_index(&self, table: &ObjectName, name: &str) -> Vec<Node> {
        let parent = Some(table.sibling(name));
        let mut nodes = Vec::new();
        for (child, of) in self.partitions(table) {
            let indexes = of
                .indexes
                .iter()
                .filter(|(_, index)| index.parent == parent);
            nodes.extend(indexes.map(|(name, _)| Node::Index(child.clone(), name.clone())));
        }
        nodes
    }

    /// The constraints of partitions that a constraint takes up.
    fn below_key(&self, table: &ObjectName, name: &str) -> Vec<Node> {
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
            nodes.extend(names.map(|name| Node::Key(child.clone(), name.clone())));
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
    fn attachment(&mut self, name: &ObjectName, table: &Table) {
        let Some(of) = &table.partition_of else {
            return;
        };
        let mut needs = vec![Node::Attachment(of.parent.clone())];
        for table in [name, &of.parent] {
            needs.push(Node::Table(table.clone()));
            let Some(of) = self.schema.tables.get(table) else {
                continue;
            };
            let each = |nodes: [fn(ObjectName, String) -> Node; 2], name: &String| {
                nodes.map(|node| node(table.clone(), name.clone()))
            };
            for column in &of.columns {
                needs.extend(each([Node::Column, Node::NotNull], &column.name));
            }
            let keys = of.primary_key.iter().map(|key| &key.name);
            for key in keys.chain(of.uniques.keys()).chain(of.exclusions.keys()) {
                needs.push(Node::Key(table.clone(), key.clone()));
            }
            let checks = of.checks.keys();
            needs.extend(checks.map(|check| Node::Check(table.clone(), check.clone())));
            let indexes = of.indexes.iter();
            let indexes = indexes.filter(|(_, index)| !waits_for_partitions(of, index));
            needs.extend(indexes.map(|(index, _)| Node::Index(table.clone(), index.clone())));
        }
        let inherited = table.foreign_keys.iter().filter(|(_, key)| key.inherited);
        needs.extend(inherited.map(|(key, _)| Node::ForeignKey(name.clone(), key.clone())));
        self.add(Node::Attachment(name.clone()), needs);
    }
}

/// Whether it is the index of a partitioned table of which some partition has no part.
pub(super) fn waits_for_partitions(table: &Table, index: &Index) -> bool {
    !index.valid && table.partition_by.is_some()
}

/// Whether a foreign key of a partition is what that of its parent is there.
pub(super) fn same_key(above: &ForeignKey, below: &ForeignKey) -> bool {
    (&above.columns, &above.references, &above.referenced_columns)
        == (&below.columns, &below.references, &below.referenced_columns)
}

/// The keys and unique indexes over exactly these columns, in any order.
fn keys_over(name: &ObjectName, table: &Table, columns: &[String]) -> Vec<Node> {
    let wanted: BTreeSet<&String> = columns.iter().collect();
    let over = |columns: &[String]| columns.iter().collect::<BTreeSet<_>>() == wanted;
    let mut nodes = Vec::new();
    let keys = table.primary_key.iter();
    let keys = keys.map(|key| (&key.name, &key.columns));
    let uniques = table.uniques.iter().map(|(name, one)| (name, &one.columns));
    let keys = keys.chain(uniques).filter(|(_, columns)| over(columns));
    nodes.extend(keys.map(|(key, _)| Node::Key(name.clone(), key.clone())));
    for (index_name, index) in table.indexes.iter().filter(|(_, index)| index.unique) {
        let columns = index.keys.iter().map(|key| match &key.target {
            KeyTarget::Column(name) => name.clone(),
            KeyTarget::Expression(_) => String::new(),
        });
        if over(&columns.collect::<Vec<_>>()) {
            nodes.push(Node::Index(name.clone(), index_name.clone()));
        }
    }
    nodes
}
