//! The parts of a picture beside and below one another, and what no line joins in blocks.

use super::{ASPECT, Part, Point, Size};

/// Between two parts.
const APART: i32 = 60;
/// Between two boxes of a block.
const BETWEEN: i32 = 26;

/// Everything in one: the parts by their size in shelves, then the blocks.
pub(super) fn together(sizes: &[Size], parts: &[Part], blocks: &[Vec<usize>]) -> Part {
    let mut order: Vec<usize> = (0..parts.len()).collect();
    let area = |part: &Part| i64::from(part.width) * i64::from(part.height);
    order.sort_by_key(|index| (-i64::from(parts[*index].height), *index));
    let widest_part = parts.iter().map(|part| part.width).max().unwrap_or(0);
    let widest_box = blocks
        .iter()
        .flatten()
        .map(|index| sizes[*index].width)
        .max();
    let least = widest_part.max(widest_box.unwrap_or(0));
    let mut best: Option<(i64, Part)> = None;
    for tenths in 10..=40 {
        let width = least * tenths / 10;
        let whole = shelved(sizes, parts, &order, blocks, width);
        let aspect = i64::from(whole.width) * 100 / i64::from(whole.height.max(1));
        let off = (aspect * 100 / ASPECT).max(ASPECT * 100 / aspect.max(1));
        let cost = area(&whole) / 100 * off;
        if best.as_ref().is_none_or(|(least, _)| cost < *least) {
            best = Some((cost, whole));
        }
    }
    best.map(|(_, whole)| whole).unwrap_or_default()
}

fn shelved(
    sizes: &[Size],
    parts: &[Part],
    order: &[usize],
    blocks: &[Vec<usize>],
    width: i32,
) -> Part {
    let mut whole = Part::default();
    let mut shelf = Shelf::default();
    for index in order {
        let part = &parts[*index];
        let (x, y) = shelf.room(part, width);
        whole.add(part, x, y);
    }
    let mut shelf = Shelf {
        y: if parts.is_empty() {
            0
        } else {
            whole.height + APART
        },
        ..Shelf::default()
    };
    for block in blocks {
        let block = bricks(sizes, block, width);
        let (x, y) = shelf.room(&block, width);
        whole.add(&block, x, y);
    }
    whole
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

/// Boxes in columns of the same width, each where there is most room.
fn bricks(sizes: &[Size], boxes: &[usize], width: i32) -> Part {
    let widest = boxes
        .iter()
        .map(|index| sizes[*index].width)
        .max()
        .unwrap_or(1);
    let count = ((width + BETWEEN) / (widest + BETWEEN)).max(1) as usize;
    let mut bottoms = vec![0; count.min(boxes.len()).max(1)];
    let mut part = Part::default();
    for index in boxes {
        let lowest = (0..bottoms.len()).min_by_key(|column| (bottoms[*column], *column));
        let column = lowest.unwrap_or(0);
        let corner = Point {
            x: column as i32 * (widest + BETWEEN),
            y: bottoms[column],
        };
        bottoms[column] += sizes[*index].height + BETWEEN;
        part.width = part.width.max(corner.x + sizes[*index].width);
        part.height = part.height.max(corner.y + sizes[*index].height);
        part.corners.push((*index, corner));
    }
    part
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
