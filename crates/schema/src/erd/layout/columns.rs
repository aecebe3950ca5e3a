//! Which column each box stands in: those that lines join next to one another, and no
//! column much higher than the others. By threshold accepting: a change is kept where it
//! makes things worse by less than a threshold, which falls to nothing.

use super::Graph;
use super::random::Random;

/// Two boxes of one line in the same column: it has to go out and come back.
const SAME: i64 = 150;
/// For each column that a line passes.
const PASSED: i64 = 100;
/// A parent to the right of its child. People read from the left.
const BACKWARD: i64 = 12;
/// For each pixel of a column beyond its share.
const BEYOND: i64 = 2;
const THRESHOLD: i64 = 300;

struct Columns<'g> {
    graph: &'g Graph,
    /// For each box its partners, and whether they are its parents.
    partners: Vec<Vec<(usize, bool)>>,
    column_of: Vec<usize>,
    heights: Vec<i64>,
    share: i64,
}

/// The column of each box; no column is empty.
pub(super) fn assigned(graph: &Graph, count: usize, random: &mut Random) -> Vec<usize> {
    let boxes = graph.sizes.len();
    let mut columns = Columns::of(graph, count, random);
    let steps = (boxes * 600).max(3000);
    for step in 0..steps {
        // The last third goes downhill only.
        let left = (steps * 2 / 3).saturating_sub(step);
        let threshold = THRESHOLD * left as i64 / steps as i64;
        let one = random.below(boxes);
        if random.below(3) == 0 {
            columns.try_swap(one, random.below(boxes), threshold);
        } else {
            columns.try_move(one, random.below(count), threshold);
        }
    }
    let mut used: Vec<usize> = columns.column_of.clone();
    used.sort_unstable();
    used.dedup();
    let place = |column: &usize| used.partition_point(|one| one < column);
    columns.column_of.iter().map(place).collect()
}

impl<'g> Columns<'g> {
    fn of(graph: &'g Graph, count: usize, random: &mut Random) -> Self {
        let boxes = graph.sizes.len();
        let mut partners = vec![Vec::new(); boxes];
        for net in &graph.nets {
            for child in net
                .children
                .iter()
                .filter(|child| child.index != net.parent)
            {
                partners[child.index].push((net.parent, true));
                partners[net.parent].push((child.index, false));
            }
        }
        let mut columns = Columns {
            graph,
            partners,
            column_of: (0..boxes).map(|_| random.below(count)).collect(),
            heights: vec![0; count],
            share: 0,
        };
        for index in 0..boxes {
            let height = columns.height(index);
            columns.heights[columns.column_of[index]] += height;
            columns.share += height;
        }
        columns.share = columns.share * 105 / 100 / count as i64;
        columns
    }

    fn height(&self, index: usize) -> i64 {
        i64::from(self.graph.sizes[index].height) + 30
    }

    fn beyond(&self, column: usize) -> i64 {
        (self.heights[column] - self.share).max(0) * BEYOND
    }

    fn lines(&self, index: usize) -> i64 {
        let here = self.column_of[index];
        let cost = |(other, is_parent): &(usize, bool)| {
            let there = self.column_of[*other];
            let (child, parent) = if *is_parent {
                (here, there)
            } else {
                (there, here)
            };
            let backward = if parent > child { BACKWARD } else { 0 };
            backward
                + match here.abs_diff(there) {
                    0 => SAME,
                    distance => (distance as i64 - 1) * PASSED,
                }
        };
        self.partners[index].iter().map(cost).sum()
    }

    fn put(&mut self, index: usize, column: usize) {
        let height = self.height(index);
        self.heights[self.column_of[index]] -= height;
        self.heights[column] += height;
        self.column_of[index] = column;
    }

    fn try_move(&mut self, index: usize, to: usize, threshold: i64) {
        let from = self.column_of[index];
        if from == to {
            return;
        }
        let cost =
            |columns: &Self| columns.lines(index) + columns.beyond(from) + columns.beyond(to);
        let before = cost(self);
        self.put(index, to);
        if cost(self) - before > threshold {
            self.put(index, from);
        }
    }

    fn try_swap(&mut self, one: usize, other: usize, threshold: i64) {
        let (here, there) = (self.column_of[one], self.column_of[other]);
        if here == there {
            return;
        }
        let cost = |columns: &Self| {
            let lines = columns.lines(one) + columns.lines(other);
            lines + columns.beyond(here) + columns.beyond(there)
        };
        let before = cost(self);
        self.put(one, there);
        self.put(other, here);
        if cost(self) - before > threshold {
            self.put(one, here);
            self.put(other, there);
        }
    }
}
