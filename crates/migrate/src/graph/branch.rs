//! Branches: what a label names, and where the graph parts.

use super::Graph;
use crate::revision::{BranchLabel, Revision, RevisionId};

/// A line of the graph that has a name of its own, or parts from another.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Branch {
    /// The labels of its first revision.
    pub labels: Vec<BranchLabel>,
    /// Its first revision.
    pub first: RevisionId,
    /// The parents of that one; none where the branch begins at a base.
    pub from: Vec<RevisionId>,
    /// The heads that it leads to.
    pub heads: Vec<RevisionId>,
}

impl Graph {
    /// The branches, in the order of the graph. One begins at each child of a revision that
    /// has several, at each base where there are several, and at each label.
    pub fn branches(&self) -> Vec<Branch> {
        let several_bases = self.bases().len() > 1;
        let parted = |place: usize| {
            let below = self.line.below(place);
            let forks = below.iter().any(|&p| self.line.above(p).len() > 1);
            forks || (below.is_empty() && several_bases)
        };
        let begins =
            |place: &usize| parted(*place) || !self.revisions[*place].branch_labels.is_empty();
        let id = |place: usize| self.revisions[place].id.clone();
        let heads = self.heads_of();
        let branch = |place: usize| Branch {
            labels: self.revisions[place].branch_labels.clone(),
            first: id(place),
            from: self.line.below(place).iter().copied().map(id).collect(),
            heads: heads[place].iter().copied().map(id).collect(),
        };
        (0..self.len()).filter(begins).map(branch).collect()
    }

    /// The labels of the branches that the revision is on, in the order of the alphabet: a
    /// label's own revision, all that descends from it, and what leads to it from the last
    /// parting or merge.
    pub fn branch_labels(&self, id: &RevisionId) -> Vec<&BranchLabel> {
        let Some(place) = self.place(id).filter(|_| !self.labels.is_empty()) else {
            return Vec::new();
        };
        let below = self.line.with_below([place]);
        let ahead = self.sole_successors(place);
        let mut labels: Vec<&BranchLabel> = Vec::new();
        for (label, &at) in &self.labels {
            if below[at] || ahead.contains(&at) {
                labels.push(label);
            }
        }
        labels.sort();
        labels
    }

    /// The heads to which no label leads alone.
    pub(crate) fn unnamed_heads(&self) -> Vec<&Revision> {
        let all = self.heads_of();
        let named: Vec<usize> = self
            .labels
            .values()
            .filter_map(|&place| match all[place][..] {
                [head] => Some(head),
                _ => None,
            })
            .collect();
        let head = |place: &usize| self.line.above(*place).is_empty() && !named.contains(place);
        self.at((0..self.len()).filter(head))
    }

    /// Itself and what follows while there is one way to go and one way back.
    fn sole_successors(&self, start: usize) -> Vec<usize> {
        let plain =
            |place: usize| self.line.above(place).len() < 2 && self.line.below(place).len() < 2;
        let mut ahead = vec![start];
        let mut at = start;
        while plain(at)
            && let &[next] = self.line.above(at)
            && self.line.below(next).len() < 2
        {
            ahead.push(next);
            at = next;
        }
        ahead
    }

    /// Marks, by place, the revision, what it descends from and what descends from it.
    pub(crate) fn lineage(&self, place: usize) -> Vec<bool> {
        let below = self.line.with_below([place]);
        let above = self.line.with_above([place]);
        below.iter().zip(above).map(|(&b, a)| a || b).collect()
    }

    /// For each place, the places of the heads that it leads to.
    pub(crate) fn heads_of(&self) -> Vec<Vec<usize>> {
        let mut heads: Vec<Vec<usize>> = vec![Vec::new(); self.len()];
        for place in (0..self.len()).rev() {
            let above = self.line.above(place);
            let mut own: Vec<usize> = match above {
                [] => vec![place],
                _ => above.iter().flat_map(|&p| heads[p].clone()).collect(),
            };
            own.sort_unstable();
            own.dedup();
            heads[place] = own;
        }
        heads
    }

    pub(super) fn known_labels(&self) -> Vec<BranchLabel> {
        let mut labels: Vec<BranchLabel> = self.labels.keys().cloned().collect();
        labels.sort();
        labels
    }
}
