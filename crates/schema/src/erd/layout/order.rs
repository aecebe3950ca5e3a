//! In which order and at which height things stand in their columns: each near what lines
//! join it to, with few crossings.

use super::lattice::{Lattice, Tie};

/// Between two boxes, a box and a line, and two lines.
const BETWEEN_BOXES: i32 = 30;
const BESIDE_BOX: i32 = 16;
const BETWEEN_LINES: i32 = 12;
/// The cost of a crossing, in pixels of a line.
const CROSSING: i64 = 60;
/// A bend of a line that is so small looks like a mistake.
const JOG: u32 = 12;
const SWEEPS: usize = 10;
/// How many pairs of lines are compared at most, so that large schemas end too.
const BUDGET: i64 = 3_000_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Left,
    Right,
    Around,
}

pub(super) fn settle(lattice: &mut Lattice<'_>) {
    for column in 0..lattice.columns.len() {
        place(lattice, column, Look::Around);
    }
    let mut best = (cost(lattice), lattice.columns.clone());
    for sweep in 0..SWEEPS {
        let (forward, backward) = match sweep < SWEEPS / 2 {
            true => (Look::Left, Look::Right),
            false => (Look::Around, Look::Around),
        };
        for column in 0..lattice.columns.len() {
            sort(lattice, column, forward);
        }
        for column in (0..lattice.columns.len()).rev() {
            sort(lattice, column, backward);
        }
        let cost = cost(lattice);
        if cost < best.0 {
            best = (cost, lattice.columns.clone());
        }
    }
    lattice.columns = best.1;
    relax(lattice, 4);
    swap_neighbors(lattice);
    relax(lattice, 4);
    lattice.spread();
    relax(lattice, 4);
    straighten(lattice);
    let top = lattice.items.iter().map(|item| item.y).min().unwrap_or(0);
    for item in &mut lattice.items {
        item.y -= top;
    }
}

fn relax(lattice: &mut Lattice<'_>, times: usize) {
    for _ in 0..times {
        for column in 0..lattice.columns.len() {
            place(lattice, column, Look::Around);
        }
        for column in (0..lattice.columns.len()).rev() {
            place(lattice, column, Look::Around);
        }
    }
}

/// Where the ties of an item would have its top, with their weight; none: anywhere.
fn goal(lattice: &Lattice<'_>, item: usize, look: Look) -> Option<(i64, i64)> {
    let channel = lattice.items[item].column;
    let mut found = (0, 0);
    for tie in &lattice.ties[item] {
        let seen = match look {
            Look::Left => tie.channel == channel,
            Look::Right => tie.channel == channel + 1,
            Look::Around => true,
        };
        if seen && tie.other != item {
            let there = i64::from(lattice.items[tie.other].y + tie.other_at - tie.at);
            found = (found.0 + there * tie.weight, found.1 + tie.weight);
        }
    }
    (found.1 > 0).then(|| (found.0.div_euclid(found.1), found.1))
}

fn sort(lattice: &mut Lattice<'_>, column: usize, look: Look) {
    let middle = |item: &usize| {
        let half = lattice.items[*item].height / 2;
        let top = goal(lattice, *item, look).map(|(top, _)| top);
        (
            top.unwrap_or(i64::from(lattice.items[*item].y)) + i64::from(half),
            *item,
        )
    };
    let mut items = lattice.columns[column].clone();
    items.sort_by_cached_key(middle);
    lattice.columns[column] = items;
    place(lattice, column, look);
}

fn gap(lattice: &Lattice<'_>, above: usize, below: usize) -> i32 {
    match (lattice.items[above].is_box, lattice.items[below].is_box) {
        (true, true) => BETWEEN_BOXES,
        (false, false) => BETWEEN_LINES,
        _ => BESIDE_BOX,
    }
}

/// Brings the items of a column as near to their goals as their order allows: where they
/// are too near to one another, they stand as a stack at the mean of their goals.
fn place(lattice: &mut Lattice<'_>, column: usize, look: Look) {
    struct Stack {
        first: usize,
        sum: i64,
        weight: i64,
    }
    let items = lattice.columns[column].clone();
    let mut offsets = Vec::with_capacity(items.len());
    let mut stacks: Vec<Stack> = Vec::new();
    let mut offset = 0;
    for (index, item) in items.iter().enumerate() {
        if let Some(above) = index.checked_sub(1).map(|above| items[above]) {
            offset += lattice.items[above].height + gap(lattice, above, *item);
        }
        offsets.push(offset);
        let here = (i64::from(lattice.items[*item].y), 1);
        let (top, weight) = goal(lattice, *item, look).unwrap_or(here);
        stacks.push(Stack {
            first: index,
            sum: (top - i64::from(offset)) * weight,
            weight,
        });
        while let [.., above, below] = &stacks[..] {
            if above.sum * below.weight <= below.sum * above.weight {
                break;
            }
            let (sum, weight) = (below.sum, below.weight);
            stacks.pop();
            if let Some(stack) = stacks.last_mut() {
                stack.sum += sum;
                stack.weight += weight;
            }
        }
    }
    let mut stacks = stacks.iter().peekable();
    let mut top = 0;
    for (index, item) in items.iter().enumerate() {
        if let Some(stack) = stacks.next_if(|stack| stack.first == index) {
            top = stack.sum.div_euclid(stack.weight) as i32;
        }
        lattice.items[*item].y = top + offsets[index];
    }
}

/// Moves a line that passes a column by a little where it then goes straight on, and has
/// room enough.
fn straighten(lattice: &mut Lattice<'_>) {
    for column in 0..lattice.columns.len() {
        for (place, item) in lattice.columns[column].iter().enumerate() {
            if lattice.items[*item].is_box {
                continue;
            }
            let above = place
                .checked_sub(1)
                .map(|above| lattice.columns[column][above]);
            let below = lattice.columns[column].get(place + 1);
            let least = above.map_or(i32::MIN, |above| {
                let room = gap(lattice, above, *item) / 2;
                lattice.items[above].y + lattice.items[above].height + room
            });
            let most = below.map_or(i32::MAX, |below| {
                lattice.items[*below].y - gap(lattice, *item, *below) / 2
            });
            let y = lattice.items[*item].y;
            let goals = (lattice.ties[*item].iter())
                .map(|tie| lattice.items[tie.other].y + tie.other_at)
                .filter(|goal| (least..=most).contains(goal) && goal.abs_diff(y) <= JOG);
            if let Some(goal) = goals.min_by_key(|goal| (goal.abs_diff(y), *goal)) {
                lattice.items[*item].y = goal;
            }
        }
    }
}

/// Changes neighbors where that makes lines shorter or crossings fewer.
fn swap_neighbors(lattice: &mut Lattice<'_>) {
    let mut budget = BUDGET;
    loop {
        let mut changed = false;
        for column in 0..lattice.columns.len() {
            for index in 1..lattice.columns[column].len() {
                let ties =
                    (lattice.channels[column].len() + lattice.channels[column + 1].len()) as i64;
                budget -= 2 * ties * ties;
                if budget < 0 {
                    return;
                }
                let local = |lattice: &Lattice<'_>| {
                    channel_cost(lattice, column) + channel_cost(lattice, column + 1)
                };
                let before = local(lattice);
                swap(lattice, column, index);
                if local(lattice) < before {
                    changed = true;
                } else {
                    swap(lattice, column, index);
                }
            }
        }
        if !changed {
            return;
        }
    }
}

/// Changes an item with the one above it. Doing it twice undoes it.
fn swap(lattice: &mut Lattice<'_>, column: usize, index: usize) {
    let (above, below) = (
        lattice.columns[column][index - 1],
        lattice.columns[column][index],
    );
    let top = lattice.items[above].y;
    let bottom = lattice.items[below].y + lattice.items[below].height;
    lattice.items[below].y = top;
    lattice.items[above].y = bottom - lattice.items[above].height;
    lattice.columns[column].swap(index - 1, index);
}

fn cost(lattice: &Lattice<'_>) -> i64 {
    (0..lattice.channels.len())
        .map(|channel| channel_cost(lattice, channel))
        .sum()
}

/// The length of the lines in a channel and their crossings, as if they were straight.
fn channel_cost(lattice: &Lattice<'_>, channel: usize) -> i64 {
    let mut lines: Vec<(i32, i32)> = Vec::new();
    let mut cost = 0;
    let mut see = |item: usize, tie: &Tie, is_left: bool| {
        let here = lattice.items[item].y + tie.at;
        let there = lattice.items[tie.other].y + tie.other_at;
        let is_beside = lattice.items[item].column == lattice.items[tie.other].column;
        if is_beside {
            cost += i64::from((here - there).abs());
        } else if is_left {
            cost += i64::from((here - there).abs());
            lines.push((here, there));
        }
    };
    let columns = [channel.checked_sub(1), Some(channel)];
    for (is_left, column) in [true, false].into_iter().zip(columns) {
        let items = column.and_then(|column| lattice.columns.get(column));
        for item in items.into_iter().flatten() {
            let ties = lattice.ties[*item].iter();
            for tie in ties.filter(|tie| tie.channel == channel) {
                see(*item, tie, is_left);
            }
        }
    }
    let mut crossings = 0;
    for (index, (left, right)) in lines.iter().enumerate() {
        for (other_left, other_right) in &lines[..index] {
            let apart = i64::from(left - other_left) * i64::from(right - other_right);
            crossings += i64::from(apart < 0);
        }
    }
    cost + crossings * CROSSING
}
