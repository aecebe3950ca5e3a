//! The next so many revisions, where there is no doubt which those are.

use super::order::half_way;
use crate::graph::{Graph, GraphError};
use crate::history::History;
use crate::host::Direction;
use crate::target::Target;

/// A walk over the revisions of a branch, or of all, one by one.
pub(super) struct Walk<'a> {
    graph: &'a Graph,
    target: &'a Target,
    direction: Direction,
    /// What the walk may touch, by place.
    lineage: Vec<bool>,
    /// What stopped halfway, and what has to go with it first: there is no choice in that.
    urgent: Vec<bool>,
    heads: Vec<Vec<usize>>,
}

impl<'a> Walk<'a> {
    pub(super) fn up(
        graph: &'a Graph,
        history: &History,
        target: &'a Target,
        lineage: Vec<bool>,
    ) -> Self {
        Walk::new(graph, history, target, lineage, Direction::Up)
    }

    pub(super) fn down(
        graph: &'a Graph,
        history: &History,
        target: &'a Target,
        lineage: Vec<bool>,
    ) -> Self {
        Walk::new(graph, history, target, lineage, Direction::Down)
    }

    fn new(
        graph: &'a Graph,
        history: &History,
        target: &'a Target,
        lineage: Vec<bool>,
        direction: Direction,
    ) -> Self {
        Walk {
            urgent: half_way(graph, history, direction),
            heads: graph.heads_of(),
            graph,
            target,
            direction,
            lineage,
        }
    }

    /// Marks, by place, what one of those that are left has to come before, directly or not.
    fn waiting(&self, left: &[bool]) -> Vec<bool> {
        let order = self.graph.order();
        let mut waits = vec![false; left.len()];
        let mut look = |place: usize, before: &[usize]| {
            waits[place] = before.iter().any(|&other| left[other] || waits[other]);
        };
        match self.direction {
            Direction::Up => (0..left.len()).for_each(|p| look(p, order.below(p))),
            Direction::Down => (0..left.len()).rev().for_each(|p| look(p, order.above(p))),
        }
        waits
    }
}

/// The first so many of these, which are in order, that the walk may touch; all where there
/// are fewer. Refused where another could as well come instead of one of them, and leads to
/// other heads: that is for a person to choose.
pub(super) fn first(
    walk: &Walk<'_>,
    places: &[usize],
    count: usize,
) -> Result<Vec<usize>, GraphError> {
    let places: Vec<usize> = places
        .iter()
        .copied()
        .filter(|&p| walk.lineage[p])
        .collect();
    if count >= places.len() || walk.graph.heads().len() < 2 {
        return Ok(places.into_iter().take(count).collect());
    }
    let mut left = vec![false; walk.graph.len()];
    places.iter().for_each(|&place| left[place] = true);
    for (taken, &next) in places[..count].iter().enumerate() {
        if !walk.urgent[next] {
            let waits = walk.waiting(&left);
            let others = places[taken..]
                .iter()
                .copied()
                .filter(|&other| !waits[other]);
            let mut rivals = others.filter(|&other| walk.heads[other] != walk.heads[next]);
            if let Some(rival) = rivals.next() {
                return Err(several(walk, next, std::iter::once(rival).chain(rivals)));
            }
        }
        left[next] = false;
    }
    Ok(places[..count].to_vec())
}

/// Up, the heads that these lead to; down, these themselves.
fn several(walk: &Walk<'_>, next: usize, rivals: impl Iterator<Item = usize>) -> GraphError {
    let all = std::iter::once(next).chain(rivals);
    let mut named: Vec<usize> = match walk.direction {
        Direction::Up => all.flat_map(|place| walk.heads[place].clone()).collect(),
        Direction::Down => all.collect(),
    };
    named.sort_unstable();
    named.dedup();
    let revisions = walk.graph.topological();
    let named = named.into_iter().map(|place| &revisions[place]);
    GraphError::several_heads(walk.target, named.collect())
}
