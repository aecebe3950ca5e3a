use std::collections::{BTreeSet, HashMap};

use foldhash::fast::RandomState;

use super::node::{Node, NodeRef};
use crate::Schema;

mod parts;
mod table;

pub(super) use parts::{same_key, waits_for_partitions};

/// The parts that each part of a schema needs.
#[derive(Debug, Default)]
pub(super) struct Needs<'s> {
    nodes: Vec<NodeRef<'s>>,
    /// Most of a plan's time goes into looking these up, so their hash is a fast one.
    places: HashMap<NodeRef<'s>, usize, RandomState>,
    /// For each node, the places of those that it needs.
    needs: Vec<BTreeSet<usize>>,
}

impl<'s> Needs<'s> {
    /// Those of a schema.
    pub(super) fn of(schema: &'s Schema) -> Self {
        parts::needs(schema)
    }

    fn add(&mut self, node: NodeRef<'s>, needs: impl IntoIterator<Item = NodeRef<'s>>) {
        let place = self.place(node);
        for needed in needs {
            let needed = self.place(needed);
            if needed != place {
                self.needs[place].insert(needed);
            }
        }
    }

    fn place(&mut self, node: NodeRef<'s>) -> usize {
        *self.places.entry(node).or_insert_with(|| {
            self.nodes.push(node);
            self.needs.push(BTreeSet::new());
            self.nodes.len() - 1
        })
    }

    /// The parts that this needs.
    pub(super) fn of_node(&self, node: &Node) -> impl Iterator<Item = NodeRef<'s>> {
        let place = self.places.get(&node.by_ref()).copied();
        let needs = place.into_iter().flat_map(|place| &self.needs[place]);
        needs.map(|place| self.nodes[*place])
    }

    /// The dependencies among the parts of something: a part that is created or
    /// dropped with another one has that for its carrier.
    pub(super) fn carried<'c>(
        &self,
        carrier: impl Fn(NodeRef<'s>) -> Option<NodeRef<'c>>,
    ) -> Vec<(NodeRef<'c>, NodeRef<'c>)>
    where
        's: 'c,
    {
        let carriers: Vec<_> = self.nodes.iter().map(|node| carrier(*node)).collect();
        let mut pairs = Vec::new();
        for (place, needs) in self.needs.iter().enumerate() {
            let (part, Some(node)) = (self.nodes[place], carriers[place]) else {
                continue;
            };
            for needed in needs {
                // Among tables that are all new or all go, it is attaching that joins such parts.
                if node != part && part.takes_up(&self.nodes[*needed]) {
                    continue;
                }
                if let Some(needed) = carriers[*needed].filter(|needed| *needed != node) {
                    pairs.push((node, needed));
                }
            }
        }
        pairs
    }

    /// The dependents of each.
    pub(super) fn reversed(&self) -> Dependents<'_, 's> {
        let mut of_each = vec![Vec::new(); self.nodes.len()];
        for (place, needs) in self.needs.iter().enumerate() {
            for needed in needs {
                of_each[*needed].push(place);
            }
        }
        Dependents {
            needs: self,
            of_each,
        }
    }
}

/// The dependents of each part of a schema.
pub(super) struct Dependents<'n, 's> {
    needs: &'n Needs<'s>,
    of_each: Vec<Vec<usize>>,
}

impl<'s> Dependents<'_, 's> {
    /// The dependents of this, in the order of nodes.
    pub(super) fn of(&self, node: &Node) -> BTreeSet<NodeRef<'s>> {
        let place = self.needs.places.get(&node.by_ref());
        let places = place.into_iter().flat_map(|place| &self.of_each[*place]);
        places.map(|place| self.needs.nodes[*place]).collect()
    }
}
