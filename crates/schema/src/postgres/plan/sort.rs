use std::collections::{BTreeMap, BTreeSet};

use super::node::Node;

/// The nodes in an order in which each comes after those that it waits for; where that leaves
/// a choice, and where some wait for one another, in their own order.
pub(super) fn sorted(mut waits: BTreeMap<Node, BTreeSet<Node>>, backwards: bool) -> Vec<Node> {
    let known: BTreeSet<Node> = waits.keys().cloned().collect();
    let mut waited_for: BTreeMap<Node, Vec<Node>> = BTreeMap::new();
    for (node, waits) in &mut waits {
        waits.retain(|other| known.contains(other) && other != node);
        for other in waits.iter() {
            waited_for
                .entry(other.clone())
                .or_default()
                .push(node.clone());
        }
    }
    let free = waits.iter().filter(|(_, waits)| waits.is_empty());
    let mut ready: BTreeSet<Node> = free.map(|(node, _)| node.clone()).collect();
    let mut left = known;
    let mut out = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let next = match backwards {
            true => ready.pop_last().or_else(|| left.last().cloned()),
            false => ready.pop_first().or_else(|| left.first().cloned()),
        };
        let Some(next) = next else { break };
        left.remove(&next);
        for node in waited_for.remove(&next).unwrap_or_default() {
            if let Some(waits) = waits.get_mut(&node) {
                waits.remove(&next);
                if waits.is_empty() && left.contains(&node) {
                    ready.insert(node);
                }
            }
        }
        out.push(next);
    }
    out
}
