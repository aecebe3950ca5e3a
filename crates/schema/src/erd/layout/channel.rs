//! The tracks of a channel: at which of several parallel places each strand runs up and
//! down, with few crossings and no line on another.

/// The heights of a strand's pins on both sides.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) left: Vec<i32>,
    pub(super) right: Vec<i32>,
}

/// Lines nearer than this would look like one.
const APART: i32 = 5;
const OVERLAP: i64 = 1000;

impl Run {
    fn top(&self) -> i32 {
        self.pins().min().unwrap_or(0)
    }

    fn bottom(&self) -> i32 {
        self.pins().max().unwrap_or(0)
    }

    fn pins(&self) -> impl Iterator<Item = i32> {
        self.left.iter().chain(&self.right).copied()
    }

    /// Whether it goes straight on, and needs no track.
    fn is_straight(&self) -> bool {
        self.top() == self.bottom() && !self.left.is_empty() && !self.right.is_empty()
    }

    /// The cost of placing this one left of the other.
    fn left_of(&self, other: &Run) -> i64 {
        let within = |y: &&i32, run: &Run| (run.top()..=run.bottom()).contains(*y);
        let crossing = self.right.iter().filter(|y| within(y, other)).count()
            + other.left.iter().filter(|y| within(y, self)).count();
        let near = |y: &i32, other: &i32| (y - other).abs() < APART;
        let overlapping = (self.right.iter())
            .filter(|y| other.left.iter().any(|one| near(y, one)))
            .count();
        crossing as i64 + overlapping as i64 * OVERLAP
    }
}

/// The track of each run from the left, and how many there are. A straight run has none that
/// means anything.
pub(super) fn tracks(runs: &[Run]) -> (Vec<usize>, usize) {
    let order = ordered(runs);
    let mut track = vec![0; runs.len()];
    let mut count = 0;
    for (place, index) in order.iter().enumerate() {
        let run = &runs[*index];
        let before = order[..place].iter().filter(|other| {
            let other = &runs[**other];
            let meets =
                run.top() <= other.bottom() + 2 * APART && other.top() <= run.bottom() + 2 * APART;
            meets || run.left_of(other) >= OVERLAP
        });
        track[*index] = before.map(|other| track[*other] + 1).max().unwrap_or(0);
        count = count.max(track[*index] + 1);
    }
    (track, count)
}

/// The runs that are not straight, from the left: each where it costs least among the
/// others, until none is better elsewhere.
fn ordered(runs: &[Run]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..runs.len())
        .filter(|index| !runs[*index].is_straight())
        .collect();
    order.sort_by_key(|index| (runs[*index].top() + runs[*index].bottom(), *index));
    let cost: Vec<Vec<i64>> = (runs.iter())
        .map(|run| runs.iter().map(|other| run.left_of(other)).collect())
        .collect();
    for _ in 0..8 {
        let mut changed = false;
        for from in 0..order.len() {
            let moved = order.remove(from);
            let mut here: i64 = order.iter().map(|other| cost[moved][*other]).sum();
            let mut costs = vec![here];
            for other in &order {
                here += cost[*other][moved] - cost[moved][*other];
                costs.push(here);
            }
            let least = (0..costs.len()).min_by_key(|place| (costs[*place], place.abs_diff(from)));
            let to = least.unwrap_or(from);
            changed |= to != from;
            order.insert(to, moved);
        }
        if !changed {
            break;
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(left: &[i32], right: &[i32]) -> Run {
        Run {
            left: left.to_vec(),
            right: right.to_vec(),
        }
    }

    #[test]
    fn runs_that_do_not_meet_share_a_track_and_a_straight_one_needs_none() {
        let runs = [run(&[0], &[40]), run(&[100], &[160]), run(&[200], &[200])];
        assert_eq!(tracks(&runs).1, 1);
        assert_eq!(tracks(&runs[2..]).1, 0);
    }

    #[test]
    fn no_line_lies_on_another() {
        // Both have a pin at 50: the one that comes from the left has to turn first.
        let runs = [run(&[0], &[50]), run(&[50], &[100])];
        let (track, count) = tracks(&runs);
        assert_eq!((track, count), (vec![1, 0], 2));
    }

    #[test]
    fn nested_runs_do_not_cross() {
        let runs = [run(&[0, 90], &[]), run(&[30, 60], &[])];
        assert_eq!(tracks(&runs).0, [1, 0]);
    }
}
