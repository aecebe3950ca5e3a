//! What else has to go for a while: whatever needs what goes, or does not bear that it changes.

use std::collections::{BTreeMap, BTreeSet};

use super::intent::{Intent, only_adds};
use super::node::Node;
use super::scene::{Scene, exists, inherited_from};
use crate::{Change, ColumnRef, DefinedKind, KeyTarget, ObjectName, Refusal};

/// Why something is disturbed.
#[derive(Debug, Clone)]
enum Event {
    Gone(Node),
    Retyped(Node),
    OtherPersistence(Node),
}

pub(super) fn close(intent: &mut Intent, scene: &Scene<'_>) {
    let dependents = scene.needs_before.reversed();
    let mut closure = Closure {
        renames: part_renames(intent),
        gone_tables: gone_tables(intent, scene),
        blocked: BTreeMap::new(),
        events: Vec::new(),
        intent,
        scene,
    };
    closure.begin();
    while let Some(event) = closure.events.pop() {
        let (Event::Gone(node) | Event::Retyped(node) | Event::OtherPersistence(node)) = &event;
        for dependent in dependents.of(node) {
            closure.meet(&event, &dependent.cloned());
        }
    }
    closure.refuse();
    tidy(intent, scene);
}

struct Closure<'c, 's> {
    intent: &'c mut Intent,
    scene: &'c Scene<'s>,
    events: Vec<Event>,
    /// The name of a constraint or index after its rename.
    renames: BTreeMap<Node, Node>,
    /// For each table that goes, those that it reaches by foreign keys among them.
    gone_tables: BTreeMap<ObjectName, BTreeSet<ObjectName>>,
    /// The types that columns keep from going.
    blocked: BTreeMap<Node, Vec<ColumnRef>>,
}

impl Closure<'_, '_> {
    fn begin(&mut self) {
        let drops: Vec<Node> = self.intent.drops.iter().cloned().collect();
        for node in drops {
            self.gone(node);
        }
        let alters: Vec<Change> = self.intent.alters.values().flatten().cloned().collect();
        for change in alters {
            match change {
                Change::SetColumnType { table, column, .. } => {
                    if self.splits_by(&table, &column) {
                        let table = table.clone();
                        self.intent.refusals.push(Refusal::PartitionKey { table });
                    }
                    for table in self.with_descendants(&table) {
                        self.events
                            .push(Event::Retyped(Node::Column(table, column.clone())));
                    }
                }
                Change::SetTablePersistence { table, .. } => {
                    self.events
                        .push(Event::OtherPersistence(Node::Persistence(table)));
                }
                _ => {}
            }
        }
    }

    fn with_descendants(&self, table: &ObjectName) -> Vec<ObjectName> {
        let mut tables = self.scene.descendants(table);
        tables.push(table.clone());
        tables
    }

    /// Whether the table, or a partition of it, is split by the column.
    fn splits_by(&self, table: &ObjectName, column: &str) -> bool {
        let tables = self.with_descendants(table);
        let keys = tables.iter().filter_map(|table| {
            let table = self.scene.was.tables.get(table)?;
            Some(table.partition_by.as_ref()?.keys.iter())
        });
        let mut keys = keys.flatten();
        keys.any(|key| match &key.target {
            KeyTarget::Column(name) => name == column,
            KeyTarget::Expression(text) => {
                let mentions = crate::sql_token::Mentions::of(text.as_str());
                mentions.names.contains(column)
            }
        })
    }

    fn gone(&mut self, node: Node) {
        if let Node::Column(table, column) = &node {
            for table in self.scene.descendants(table) {
                self.events
                    .push(Event::Gone(Node::Column(table, column.clone())));
            }
        }
        self.events.push(Event::Gone(node));
    }

    /// Lets something go for a while.
    fn disturb(&mut self, node: &Node) {
        if !self.intent.drops.insert(node.clone()) {
            return;
        }
        self.gone(node.clone());
        let new = self.renames.get(node).cloned();
        let above = inherited_from(self.scene.was, node);
        let comes_along = matches!(node, Node::Column(..) | Node::Check(..) | Node::Trigger(..));
        let of_kept = node
            .owner()
            .is_some_and(|table| !self.scene.to.tables.contains_key(table));
        let by_itself = above.is_some() && (comes_along || of_kept);
        let given_up = above.is_some_and(|above| {
            self.intent.asked.contains(&above) && !self.intent.makes.contains(&above)
        });
        let new = new.unwrap_or_else(|| node.clone());
        let stays = exists(self.scene.goal, &new) || !self.intent.alters.contains_key(node);
        if stays && !by_itself && !given_up {
            self.intent.makes.insert(new);
        }
    }

    fn meet(&mut self, event: &Event, dependent: &Node) {
        if self.intent.drops.contains(dependent) {
            return;
        }
        let bears = match event {
            Event::Gone(node) => self.goes_along(node, dependent),
            Event::Retyped(_) => self.bears_retyping(dependent),
            Event::OtherPersistence(_) => !matches!(dependent, Node::ForeignKey(..)),
        };
        if bears {
            return;
        }
        // What is inherited goes with what it is inherited from.
        if let Some(above) = self.attached_to(dependent) {
            self.meet(event, &above);
            if self.intent.drops.contains(&above) {
                self.disturb(dependent);
            }
            return;
        }
        let (Event::Gone(node) | Event::Retyped(node) | Event::OtherPersistence(node)) = event;
        match dependent {
            Node::Column(table, column) => {
                let of = self.scene.was.tables.get(table);
                let of = of.and_then(|table| table.column(column));
                if of.is_some_and(|column| column.generated.is_some()) {
                    self.disturb(dependent);
                } else if self.is_retyped(dependent) {
                    self.intent.late.insert(node.clone());
                } else if !self.intent.drops.contains(&Node::Table(table.clone())) {
                    let (table, column) = (table.clone(), column.clone());
                    let blocked = self.blocked.entry(node.clone()).or_default();
                    blocked.push(ColumnRef { table, column });
                }
            }
            Node::Table(_) => {
                if let Some(object) = node.object() {
                    let by = dependent.to_string();
                    self.intent.refusals.push(Refusal::InUse { object, by });
                }
            }
            other => self.disturb(other),
        }
    }

    /// The part of the parent that a part belongs to, and will until that goes.
    fn attached_to(&self, node: &Node) -> Option<Node> {
        let above = inherited_from(self.scene.was, node)?;
        let table = node.owner()?.clone();
        let detached = self.intent.asked.contains(&Node::Attachment(table));
        (!detached).then_some(above)
    }

    /// Whether it is harmless that a dropped object is needed: its dependent goes along, or is handled
    /// separately.
    fn goes_along(&self, gone: &Node, dependent: &Node) -> bool {
        let whole = dependent.wholes().contains(gone);
        match (gone, dependent) {
            (Node::View(_) | Node::MaterializedView(_), Node::Trigger(..) | Node::Index(..)) => {
                false
            }
            (_, Node::Owner(sequence)) => {
                let sequence = Node::Sequence(sequence.clone());
                *gone == sequence || self.intent.drops.contains(&sequence)
            }
            _ if whole => true,
            (Node::Sequence(sequence), Node::Default(table, _)) => self.owns(table, sequence),
            (Node::Column(..), Node::Default(..) | Node::Identity(..) | Node::NotNull(..)) => true,
            (Node::Table(table), Node::ForeignKey(from, _)) => {
                // Both go, and nothing leads back: the one that points goes first.
                let reached = self.gone_tables.get(table);
                self.gone_tables.contains_key(from)
                    && reached.is_some_and(|reached| !reached.contains(from))
            }
            (_, Node::ForeignKey(from, _)) if self.gone_tables.contains_key(from) => {
                let points_at = gone.owner();
                points_at.is_some_and(|table| self.gone_tables.contains_key(table))
            }
            (Node::Table(_), Node::Table(child)) => {
                let moved = [Node::Attachment, Node::Inheritance].map(|of| of(child.clone()));
                let asked = &self.intent.asked;
                asked.contains(dependent) || moved.iter().any(|node| asked.contains(node))
            }
            (_, Node::Table(_)) => true,
            (
                _,
                Node::Attachment(_)
                | Node::Inheritance(_)
                | Node::Persistence(_)
                | Node::TableOptions(_)
                | Node::RowSecurity(_)
                | Node::ColumnOptions(..)
                | Node::NotNull(..)
                | Node::Identity(..),
            ) => true,
            // An order in which they are made, not a need.
            (Node::Key(..), Node::Key(..)) | (Node::Index(..), Node::Index(..)) => true,
            (Node::ForeignKey(..), Node::ForeignKey(..)) => true,
            _ => false,
        }
    }

    /// Whether a table that goes, or a column of it, takes a sequence with it.
    fn owns(&self, table: &ObjectName, sequence: &ObjectName) -> bool {
        let sequence = self.scene.was.sequences.get(sequence);
        let owner = sequence.and_then(|sequence| sequence.owned_by.as_ref());
        owner.is_some_and(|owner| owner.table == *table && owner_goes(owner, &self.intent.drops))
    }

    /// Whether the server looks after it when the type of a column changes.
    fn bears_retyping(&self, dependent: &Node) -> bool {
        let table = dependent.owner();
        let table = table.and_then(|table| self.scene.was.tables.get(table));
        match dependent {
            Node::Key(_, name) => table.is_some_and(|table| !table.exclusions.contains_key(name)),
            Node::Index(_, name) => {
                let index = table.and_then(|table| table.indexes.get(name));
                index.is_some_and(|index| {
                    let plain = |key: &crate::IndexKey| {
                        matches!(key.target, KeyTarget::Column(_)) && key.operator_class.is_none()
                    };
                    index.predicate.is_none() && index.keys.iter().all(plain)
                })
            }
            Node::Default(table, column) => {
                let of = self.scene.was.tables.get(table);
                let column = of.and_then(|table| table.column(column));
                column.is_none_or(|column| column.default.is_none())
            }
            Node::Column(table, column) => {
                let of = self.scene.was.tables.get(table);
                let column = of.and_then(|table| table.column(column));
                column.is_none_or(|column| column.generated.is_none())
            }
            Node::Defined(name) => name.kind != DefinedKind::Rule,
            Node::Check(..)
            | Node::ForeignKey(..)
            | Node::View(_)
            | Node::MaterializedView(_)
            | Node::Function(_)
            | Node::Trigger(..)
            | Node::Policy(..) => false,
            _ => true,
        }
    }

    fn is_retyped(&self, column: &Node) -> bool {
        let mut at = column.clone();
        loop {
            let alters = self.intent.alters.get(&at).into_iter().flatten();
            let mut alters = alters.filter(|one| matches!(one, Change::SetColumnType { .. }));
            if alters.next().is_some() {
                return true;
            }
            match inherited_from(self.scene.was, &at) {
                Some(above) => at = above,
                None => return false,
            }
        }
    }

    fn refuse(&mut self) {
        for (node, columns) in std::mem::take(&mut self.blocked) {
            let sides = match &node {
                Node::Enum(name) => {
                    let was = self.scene.was.enums.get(name);
                    was.zip(self.scene.goal.enums.get(name))
                        .map(|sides| (name, sides))
                }
                _ => None,
            };
            let refusal = match sides {
                Some((name, (from, to))) if !only_adds(from, to) => {
                    let taken = from.labels.iter();
                    let taken = taken.filter(|label| !to.labels.contains(label));
                    let labels: Vec<String> = taken.cloned().collect();
                    let name = name.clone();
                    match labels.is_empty() {
                        true => Refusal::LabelOrder { name },
                        false => Refusal::LabelTakenAway { name, labels },
                    }
                }
                _ => match node.object() {
                    Some(object) => Refusal::TypeInUse { object, columns },
                    None => continue,
                },
            };
            self.intent.refusals.push(refusal);
        }
    }
}

/// Whether a column goes, by itself or with its table.
pub(super) fn owner_goes(owner: &ColumnRef, drops: &BTreeSet<Node>) -> bool {
    let ColumnRef { table, column } = owner;
    drops.contains(&Node::Table(table.clone()))
        || drops.contains(&Node::Column(table.clone(), column.clone()))
}

/// A kind of part, by its table and its name.
type Kind = fn(ObjectName, String) -> Node;

/// The present and the future names of constraints and indexes.
fn part_renames(intent: &Intent) -> BTreeMap<Node, Node> {
    let mut renames = BTreeMap::new();
    for change in &intent.renames {
        let (kinds, table, from, to): (&[Kind], _, _, _) = match change {
            Change::RenameIndex { table, from, to } => (&[Node::Index], table, from, to),
            Change::RenameConstraint { table, from, to } => {
                (&[Node::Key, Node::Check, Node::ForeignKey], table, from, to)
            }
            _ => continue,
        };
        for kind in kinds {
            let old = kind(table.clone(), from.clone());
            renames.insert(old, kind(table.clone(), to.clone()));
        }
    }
    renames
}

/// The tables that go, each with those that it reaches by foreign keys among them.
fn gone_tables(intent: &Intent, scene: &Scene<'_>) -> BTreeMap<ObjectName, BTreeSet<ObjectName>> {
    let gone = intent.drops.iter().filter_map(|node| match node {
        Node::Table(name) => Some(name.clone()),
        _ => None,
    });
    let gone: BTreeSet<ObjectName> = gone.collect();
    let reached = gone.iter().map(|start| {
        let mut reached = BTreeSet::new();
        let mut next = vec![start];
        while let Some(name) = next.pop() {
            let table = scene.was.tables.get(name);
            for key in table
                .into_iter()
                .flat_map(|table| table.foreign_keys.values())
            {
                if gone.contains(&key.references)
                    && key.references != *name
                    && reached.insert(key.references.clone())
                {
                    next.push(&key.references);
                }
            }
        }
        (start.clone(), reached)
    });
    reached.collect()
}

/// Takes away what is done with something else.
fn tidy(intent: &mut Intent, scene: &Scene<'_>) {
    let domains = intent.drops.iter();
    let domains = domains.filter(|node| matches!(node, Node::Domain(_)));
    let domains: BTreeSet<Node> = domains.cloned().collect();
    intent.drops.retain(|node| {
        let wholes = node.wholes();
        !wholes.iter().any(|whole| domains.contains(whole))
    });
    let drops = &intent.drops;
    let renamed_away = |change: &Change| match change {
        Change::RenameIndex { table, from, .. } => {
            drops.contains(&Node::Index(table.clone(), from.clone()))
        }
        Change::RenameConstraint { table, from, .. } => {
            let kinds: [Kind; 3] = [Node::Key, Node::Check, Node::ForeignKey];
            let nodes = kinds.map(|kind| kind(table.clone(), from.clone()));
            nodes.iter().any(|node| drops.contains(node))
        }
        _ => false,
    };
    intent.renames.retain(|change| !renamed_away(change));
    let column_made = |node: &Node| {
        let column = node.column();
        column.is_some_and(|column| intent.makes.contains(&column) || drops.contains(&column))
    };
    let domain_made = |node: &Node| match node {
        Node::DomainDefault(of) | Node::DomainNotNull(of) | Node::DomainCheck(of, _) => {
            intent.makes.contains(&Node::Domain(of.clone()))
        }
        _ => false,
    };
    let done = |node: &Node| column_made(node) || domain_made(node);
    intent
        .alters
        .retain(|node, _| !drops.contains(node) && !intent.makes.contains(node) && !done(node));
    // What stays though the target does not name it is recreated as it was, unless what it
    // belongs to goes for good.
    let lost = |node: &Node| {
        let wholes = node.wholes();
        let mut wholes = wholes.iter();
        wholes.any(|whole| drops.contains(whole) && !intent.makes.contains(whole))
    };
    let makes = intent.makes.iter().filter(|node| {
        let again = exists(scene.was, node) && !lost(node);
        (exists(scene.goal, node) || again) && !done(node)
    });
    let makes: BTreeSet<Node> = makes.cloned().collect();
    intent.makes = makes;
}
