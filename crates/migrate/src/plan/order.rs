use std::collections::{BinaryHeap, HashMap};

use crate::graph::Graph;
use crate::history::{Applied, History, State};
use crate::host::Direction;

/// The places of all that is pending, in the order of its application: that of the graph,
/// but what stopped halfway up is first, after what it stands on.
pub(super) fn ascending(graph: &Graph, history: &History) -> Vec<usize> {
    let urgent = half_way(graph, history, Direction::Up);
    let revisions = graph.topological();
    let pending = (0..graph.len()).filter(|&place| !history.is_applied(&revisions[place].id));
    let (first, rest): (Vec<usize>, Vec<usize>) = pending.partition(|&place| urgent[place]);
    [first, rest].concat()
}

/// These places in the order of their undoing: what stands on another before it, and else
/// the last applied first, but before all what stopped halfway down. `wanted` is in the
/// order of application.
pub(super) fn descending(graph: &Graph, history: &History, wanted: &[usize]) -> Vec<usize> {
    let urgent = half_way(graph, history, Direction::Down);
    let turns: HashMap<usize, usize> = wanted.iter().copied().zip(0..).collect();
    // What is not wanted goes as soon as it can: nothing waits for it, only through it.
    let key = |place: usize| match turns.get(&place) {
        None => (2, place, place),
        Some(&turn) if urgent[place] => (1, turn, place),
        Some(&turn) => (0, turn, place),
    };
    let mut waits_for: Vec<usize> = (0..graph.len())
        .map(|place| graph.order().above(place).len())
        .collect();
    let free = (0..graph.len()).filter(|&place| waits_for[place] == 0);
    let mut free: BinaryHeap<(u8, usize, usize)> = free.map(key).collect();
    let mut order = Vec::with_capacity(wanted.len());
    while let Some((_, _, place)) = free.pop() {
        if turns.contains_key(&place) {
            order.push(place);
        }
        for &parent in graph.order().below(place) {
            waits_for[parent] -= 1;
            if waits_for[parent] == 0 {
                free.push(key(parent));
            }
        }
    }
    order
}

/// Marks, by place, what stopped halfway in this direction, and what has to go before it.
pub(super) fn half_way(graph: &Graph, history: &History, way: Direction) -> Vec<bool> {
    let stopped = stopped(graph, history, way);
    match way {
        Direction::Up => graph.order().with_below(stopped),
        Direction::Down => graph.order().with_above(stopped),
    }
}

fn stopped(graph: &Graph, history: &History, way: Direction) -> Vec<usize> {
    let half = |entry: &&Applied| match entry.state {
        State::Partial { direction, .. } => direction == way,
        State::Done => false,
    };
    let entries = history.entries().iter().filter(half);
    entries.filter_map(|entry| graph.place(&entry.id)).collect()
}
