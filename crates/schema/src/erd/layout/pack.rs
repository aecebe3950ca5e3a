//! The parts of a picture beside and below one another, and what no line joins in blocks.

use super::{Part, Point, Size, misproportion};

/// Between two parts.
const APART: i32 = 60;
/// Between two boxes of a block.
const BETWEEN: i32 = 26;

/// Everything in one: the parts by their size in shelves, and the blocks below or beside
/// them, as gives the smallest picture of good proportion.
pub(super) fn together(sizes: &[Size], parts: &[Part], blocks: &[Vec<usize>]) -> Part {
    let mut order: Vec<&Part> = parts.iter().collect();
    order.sort_by_key(|part| -part.height);
    let widest_part = parts.iter().map(|part| part.width).max().unwrap_or(0);
    let boxes = blocks.iter().flatten();
    let widest_box = boxes.map(|index| sizes[*index].width).max().unwrap_or(0);
    let mut best: Option<(i64, Part)> = None;
    for tenths in 10..=40 {
        let width = widest_part.max(widest_box) * tenths / 10;
        let shelves = shelved(&order, width);
        let below = below(sizes, &shelves, blocks, width);
        let beside = (1..=5).map(|count| beside(sizes, &shelves, blocks, count));
        for whole in beside.chain([below]) {
            let area = i64::from(whole.width) * i64::from(whole.height);
            let cost = area * misproportion(whole.width, whole.height) / 100;
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, whole));
            }
        }
    }
    best.map(|(_, whole)| whole).unwrap_or_default()
}

fn shelved(parts: &[&Part], width: i32) -> Part {
    let mut shelves = Part::default();
    let mut shelf = Shelf::default();
    for part in parts {
        let (x, y) = shelf.room(part, width);
        shelves.add(part, x, y);
    }
    shelves
}

/// The blocks in shelves below the parts.
fn below(sizes: &[Size], parts: &Part, blocks: &[Vec<usize>], width: i32) -> Part {
    let mut whole = parts.clone();
    let mut shelf = Shelf {
        y: after(parts.height),
        ..Shelf::default()
    };
    for block in blocks {
        let block = bricks(sizes, block, width);
        let (x, y) = shelf.room(&block, width);
        whole.add(&block, x, y);
    }
    whole
}

/// The blocks below one another to the right of the parts, each in so many columns.
fn beside(sizes: &[Size], parts: &Part, blocks: &[Vec<usize>], count: usize) -> Part {
    let mut whole = parts.clone();
    let (x, mut y) = (after(parts.width), 0);
    for block in blocks {
        let block = in_columns(sizes, block, count.min(block.len()));
        whole.add(&block, x, y);
        y += block.height + APART;
    }
    whole
}

/// Where something can begin after what is so large.
fn after(size: i32) -> i32 {
    if size == 0 { 0 } else { size + APART }
}

/// Where the next part goes: beside the last, or below all of them.
#[derive(Default)]
struct Shelf {
    x: i32,
    y: i32,
    height: i32,
}

impl Shelf {
    fn room(&mut self, part: &Part, width: i32) -> (i32, i32) {
        if self.x > 0 && self.x + part.width > width {
            self.y += self.height + APART;
            (self.x, self.height) = (0, 0);
        }
        let corner = (self.x, self.y);
        self.x += part.width + APART;
        self.height = self.height.max(part.height);
        corner
    }
}

/// Boxes in as many columns as there is room for, each where the column is shortest.
fn bricks(sizes: &[Size], boxes: &[usize], width: i32) -> Part {
    let narrowest = boxes.iter().map(|index| sizes[*index].width).min();
    let most = (width + BETWEEN) / (narrowest.unwrap_or(1) + BETWEEN);
    let mut count = (most.max(1) as usize).min(boxes.len());
    loop {
        let part = in_columns(sizes, boxes, count);
        if part.width <= width || count <= 1 {
            return part;
        }
        count -= 1;
    }
}

fn in_columns(sizes: &[Size], boxes: &[usize], count: usize) -> Part {
    let mut columns = vec![(0, 0); count.max(1)];
    let mut placed = Vec::new();
    for index in boxes {
        let shortest = (0..columns.len()).min_by_key(|column| (columns[*column].0, *column));
        let column = shortest.unwrap_or(0);
        let (bottom, widest) = &mut columns[column];
        placed.push((*index, column, *bottom));
        *bottom += sizes[*index].height + BETWEEN;
        *widest = sizes[*index].width.max(*widest);
    }
    let mut lefts = vec![0];
    for (_, widest) in &columns {
        lefts.push(lefts[lefts.len() - 1] + widest + BETWEEN);
    }
    let corner = |(index, column, y): (usize, usize, i32)| {
        let x = lefts[column];
        (index, Point { x, y })
    };
    let bottoms = columns.iter().map(|(bottom, _)| bottom - BETWEEN);
    Part {
        width: lefts[columns.len()] - BETWEEN,
        height: bottoms.max().unwrap_or(0),
        corners: placed.into_iter().map(corner).collect(),
        routes: Vec::new(),
    }
}

impl Part {
    fn add(&mut self, part: &Part, x: i32, y: i32) {
        self.width = self.width.max(x + part.width);
        self.height = self.height.max(y + part.height);
        let corners = part.corners.iter();
        self.corners
            .extend(corners.map(|(index, corner)| (*index, corner.moved(x, y))));
        for (index, route) in &part.routes {
            let moved = route.iter().map(|point| point.moved(x, y)).collect();
            self.routes.push((*index, moved));
        }
    }
}
