//! What each part of a schema needs, part by part.

use std::collections::HashMap;

use super::Needs;
use crate::postgres::plan::node::{Node, NodeRef};
use crate::sql_token::Mentions;
use crate::{ColumnRef, DefinedKind, ForeignKey, Index, ObjectName, Schema, Table, Type, plain};

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

/// The possible meanings of a qualified name.
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
    use DefinedKind as Kind;
    let unnamed = [
        Kind::Rule,
        Kind::Statistics,
        Kind::Operator,
        Kind::EventTrigger,
        Kind::Cast,
    ];
    for name in schema
        .defined
        .keys()
        .filter(|name| !unnamed.contains(&name.kind))
    {
        object(&mut names, &name.name, Node::Defined(name));
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

pub(super) struct Builder<'s> {
    pub(super) schema: &'s Schema,
    names: Names<'s>,
    pub(super) partitions: Partitions<'s>,
    pub(super) needs: Needs<'s>,
}

impl<'s> Builder<'s> {
    pub(super) fn type_nodes(&self, of: &Type) -> Vec<NodeRef<'s>> {
        let Some(namespace) = &of.namespace else {
            return Vec::new();
        };
        let found = self.names.get(&(namespace.as_str(), of.name.as_str()));
        let is_type = |node: &&NodeRef<'_>| match node {
            Node::Sequence(_) | Node::Function(_) => false,
            Node::Defined(name) => name.kind.is_type(),
            _ => true,
        };
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
    pub(super) fn columns(&self, table: &'s ObjectName, mentions: &Mentions) -> Vec<NodeRef<'s>> {
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
    pub(super) fn in_text(&self, text: &str) -> Vec<NodeRef<'s>> {
        let mentions = Mentions::of(text);
        let mut nodes = self.named(&mentions);
        nodes.extend(self.operators(text));
        let tables: Vec<NodeRef<'s>> = nodes.clone();
        for node in tables {
            if let Node::Table(name) = node {
                nodes.extend(self.columns(name, &mentions));
            }
        }
        nodes
    }

    /// The operators of the schema in a text.
    fn operators(&self, text: &str) -> Vec<NodeRef<'s>> {
        if !text.contains("OPERATOR(") {
            return Vec::new();
        }
        let operators = self.schema.defined.keys();
        let operators = operators.filter(|name| {
            let of = &name.name;
            name.kind == DefinedKind::Operator
                && text.contains(&format!("OPERATOR({}.{})", plain(&of.namespace), of.name))
        });
        operators.map(Node::Defined).collect()
    }

    /// The collation, where it is the schema's own.
    pub(super) fn collation(&self, of: &Option<ObjectName>) -> Vec<NodeRef<'s>> {
        let named = of.as_ref().and_then(|of| {
            let key = (of.namespace.as_str(), of.name.as_str());
            self.names.get(&key)
        });
        let is_collation = |node: &&NodeRef<'_>| matches!(node, Node::Defined(name) if name.kind == DefinedKind::Collation);
        let named = named.into_iter().flatten();
        named.filter(is_collation).copied().collect()
    }

    /// What a text of a table names: columns of it can stand alone.
    pub(super) fn in_table(&self, table: &'s ObjectName, text: &str) -> Vec<NodeRef<'s>> {
        let mut nodes = self.in_text(text);
        nodes.extend(self.columns(table, &Mentions::of(text)));
        nodes
    }

    fn types(&mut self) {
        let schema = self.schema;
        for (name, domain) in &schema.domains {
            let mut base = self.type_nodes(&domain.base);
            base.extend(self.collation(&domain.collation));
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
        for (name, defined) in &schema.defined {
            let mut needs: Vec<NodeRef<'s>> =
                defined.depends_on.iter().map(NodeRef::from).collect();
            // They stand on the columns that they name.
            if defined.on.is_some() {
                let text = defined.definition.first().map_or("", |text| text.as_str());
                needs.extend(self.parts_of(&needs, text, &Mentions::of(text)));
            }
            self.needs.add(Node::Defined(name), needs);
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
