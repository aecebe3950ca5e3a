//! From heights and tracks to places on the picture, and what a picture costs its reader.

use super::channel::{Run, tracks};
use super::lattice::{Lattice, Pin, Role};
use super::{Part, Point, misproportion};

/// Between two lines that run beside one another.
const TRACK: i32 = 10;
/// From a box to the first line that runs along it: room for a line's end and its corner.
const MARGIN: i32 = 30;
/// The cost of a crossing, in pixels of a line.
const CROSSING: i64 = 90;

/// The lattice as places, and its cost.
pub(super) fn drawn(lattice: &Lattice<'_>) -> (i64, Part) {
    let count = lattice.columns.len();
    let mut channels = Vec::new();
    let mut lefts = Vec::new();
    let mut x = 0;
    for channel in 0..=count {
        let (track, used) = tracks(&runs(lattice, channel));
        let is_outer = channel == 0 || channel == count;
        let width = match (is_outer, used) {
            (true, 0) => 0,
            (false, 0) => 2 * MARGIN,
            (is_outer, used) => {
                (used as i32 - 1) * TRACK + MARGIN + if is_outer { 4 } else { MARGIN }
            }
        };
        let first = x + if channel == 0 { 4 } else { MARGIN };
        channels.push(
            track
                .iter()
                .map(|track| first + *track as i32 * TRACK)
                .collect(),
        );
        x += width;
        if channel < count {
            lefts.push(x);
            let boxes = lattice.columns[channel]
                .iter()
                .filter(|item| **item < lattice.graph.sizes.len());
            x += boxes
                .map(|item| lattice.graph.sizes[*item].width)
                .max()
                .unwrap_or(0);
        }
    }
    let place = |(index, item): (usize, &super::lattice::Item)| {
        let corner = Point {
            x: lefts[item.column],
            y: item.y,
        };
        (index, corner)
    };
    let boxes = lattice.items.iter().take(lattice.graph.sizes.len());
    let corners: Vec<(usize, Point)> = boxes.enumerate().map(place).collect();
    let routes = routes(lattice, &channels, &corners);
    let mut part = Part {
        width: x,
        height: 0,
        corners,
        routes,
    };
    close(&mut part, lattice);
    (cost(&part), part)
}

fn runs(lattice: &Lattice<'_>, channel: usize) -> Vec<Run> {
    let heights = |pins: &[Pin]| pins.iter().map(|pin| lattice.pin_y(pin)).collect();
    let strands = lattice.channels[channel].iter();
    let run = strands.map(|strand| Run {
        left: heights(&strand.left),
        right: heights(&strand.right),
    });
    run.collect()
}

/// The corners of each link's line, from its child to its parent.
fn routes(
    lattice: &Lattice<'_>,
    channels: &[Vec<i32>],
    corners: &[(usize, Point)],
) -> Vec<(usize, Vec<Point>)> {
    let mut routes = Vec::new();
    for (channel, strands) in lattice.channels.iter().enumerate() {
        for (number, strand) in strands.iter().enumerate() {
            for (is_left, pins) in [(true, &strand.left), (false, &strand.right)] {
                for pin in pins {
                    let Role::Child(link) = pin.role else {
                        continue;
                    };
                    let start = Point {
                        x: edge(lattice, corners, pin, is_left),
                        y: lattice.pin_y(pin),
                    };
                    let mut route = vec![start];
                    follow(lattice, channels, corners, (channel, number), &mut route);
                    routes.push((link, route));
                }
            }
        }
    }
    routes
}

/// The side of a box at which a line to it ends.
fn edge(lattice: &Lattice<'_>, corners: &[(usize, Point)], pin: &Pin, is_left: bool) -> i32 {
    let (_, corner) = corners[pin.item];
    let width = lattice.graph.sizes[pin.item].width;
    corner.x + if is_left { width } else { 0 }
}

/// Leads a line from the strand that it is on to its parent.
fn follow(
    lattice: &Lattice<'_>,
    channels: &[Vec<i32>],
    corners: &[(usize, Point)],
    (mut channel, mut number): (usize, usize),
    route: &mut Vec<Point>,
) {
    loop {
        let strand = &lattice.channels[channel][number];
        let home = lattice.items[lattice.graph.nets[strand.net].parent].column;
        let is_left = channel > home;
        let pins = if is_left { &strand.left } else { &strand.right };
        let root = pins.iter().find(|pin| !matches!(pin.role, Role::Child(_)));
        let Some(root) = root else { return };
        let x = channels[channel][number];
        let y = lattice.pin_y(root);
        let last = route[route.len() - 1];
        if last.y != y {
            route.push(Point { x, y: last.y });
            route.push(Point { x, y });
        }
        if root.role == Role::Parent {
            let x = edge(lattice, corners, root, is_left);
            route.push(Point { x, y });
            return;
        }
        channel = if is_left { channel - 1 } else { channel + 1 };
        let next = (lattice.channels[channel].iter()).position(|other| other.net == strand.net);
        let Some(next) = next else { return };
        number = next;
    }
}

/// Moves everything to the upper left corner and takes the measure of it.
fn close(part: &mut Part, lattice: &Lattice<'_>) {
    let points = || part.routes.iter().flat_map(|(_, route)| route);
    let tops = part.corners.iter().map(|(_, corner)| corner);
    let top = tops.chain(points()).map(|point| point.y).min().unwrap_or(0);
    let bottoms =
        (part.corners.iter()).map(|(index, corner)| corner.y + lattice.graph.sizes[*index].height);
    let bottom = bottoms
        .chain(points().map(|point| point.y))
        .max()
        .unwrap_or(0);
    part.height = bottom - top;
    for (_, corner) in &mut part.corners {
        *corner = corner.moved(0, -top);
    }
    for (_, route) in &mut part.routes {
        for point in route {
            *point = point.moved(0, -top);
        }
    }
}

/// The length of all lines, what they cross, and the size of the picture; more where the
/// picture is much wider or higher than a screen.
fn cost(part: &Part) -> i64 {
    let mut segments: Vec<(Point, Point)> = Vec::new();
    for (_, route) in &part.routes {
        for pair in route.windows(2) {
            let (one, other) = (pair[0], pair[1]);
            let ordered = (one.x, one.y) <= (other.x, other.y);
            segments.push(if ordered { (one, other) } else { (other, one) });
        }
    }
    segments.sort_by_key(|(one, other)| (one.x, one.y, other.x, other.y));
    segments.dedup();
    let (upright, level): (Vec<_>, Vec<_>) =
        segments.iter().partition(|(one, other)| one.x == other.x);
    let crossing = |(above, below): &(Point, Point)| {
        let crossed = level.iter().filter(|(left, right)| {
            left.x < above.x && above.x < right.x && above.y < left.y && left.y < below.y
        });
        crossed.count() as i64
    };
    let crossings: i64 = upright.iter().map(crossing).sum();
    let length: i64 = segments
        .iter()
        .map(|(one, other)| i64::from((other.x - one.x) + (other.y - one.y)))
        .sum();
    let cost = length + crossings * CROSSING + 4 * i64::from(part.width + part.height);
    cost * (100 + (misproportion(part.width, part.height) - 100) / 3) / 100
}
