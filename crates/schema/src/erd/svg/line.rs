//! The lines of foreign keys, with what stands at their ends.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::escaped;
use crate::erd::layout::{Layout, Link, Point};
use crate::erd::measure;
use crate::erd::picture::{End, Picture};

/// The radius of a corner.
const CORNER: i32 = 7;

pub(super) fn all(
    picture: &Picture,
    links: &[Link],
    layout: &Layout,
    colors: &BTreeMap<usize, usize>,
    out: &mut String,
) {
    let mut ended = BTreeSet::new();
    for (reference, (link, route)) in picture
        .references
        .iter()
        .zip(links.iter().zip(&layout.routes))
    {
        let color = colors.get(&link.parent).copied().unwrap_or(0);
        let [start, second, ..] = route[..] else {
            continue;
        };
        let [.., before, end] = route[..] else {
            continue;
        };
        let tooltip = escaped(&reference.tooltip);
        let path = path(route);
        let _ = write!(
            out,
            "<g class=\"line c{color}\"><title>{tooltip}</title><path d=\"{path}\"/>"
        );
        let outward = if second.x > start.x { 1 } else { -1 };
        out.push_str(&child_end(start, outward, reference.many));
        out.push_str(&joint(layout, start, &reference.child));
        // Lines that join have one end between them.
        if ended.insert((link.net, end.x, end.y)) {
            let outward = if before.x > end.x { 1 } else { -1 };
            out.push_str(&parent_end(end, outward, reference.optional));
            out.push_str(&joint(layout, end, &reference.parent));
        }
        out.push_str("</g>\n");
    }
}

/// A line with round corners.
fn path(route: &[Point]) -> String {
    let mut path = format!("M{} {}", route[0].x, route[0].y);
    for corner in route.windows(3) {
        let [from, here, to] = [corner[0], corner[1], corner[2]];
        let length = |other: Point| (other.x - here.x).abs() + (other.y - here.y).abs();
        let radius = CORNER.min(length(from) / 2).min(length(to) / 2);
        let near = |other: Point| {
            let (x, y) = ((other.x - here.x).signum(), (other.y - here.y).signum());
            (here.x + x * radius, here.y + y * radius)
        };
        let ((x, y), (next_x, next_y)) = (near(from), near(to));
        let _ = write!(path, "L{x} {y}Q{} {} {next_x} {next_y}", here.x, here.y);
    }
    let last = route[route.len() - 1];
    let _ = write!(path, "L{} {}", last.x, last.y);
    path
}

/// A crow's foot where there may be many, a bar where there is one at most; and a ring, since
/// no key says that there must be one.
fn child_end(Point { x, y }: Point, outward: i32, many: bool) -> String {
    let (tip, ring) = (x + 11 * outward, x + 15 * outward);
    let foot = match many {
        true => format!("M{x} {}L{tip} {y}L{x} {}", y - 5, y + 5),
        false => format!("M{} {}v8", x + 7 * outward, y - 4),
    };
    format!("<path d=\"{foot}\"/><circle class=\"ring\" cx=\"{ring}\" cy=\"{y}\" r=\"3\"/>")
}

/// Two bars where there is exactly one, a bar and a ring where there may be none.
fn parent_end(Point { x, y }: Point, outward: i32, optional: bool) -> String {
    let (first, second) = (x + 6 * outward, x + 10 * outward);
    let (top, ring) = (y - 4, x + 12 * outward);
    match optional {
        true => format!(
            "<path d=\"M{first} {top}v8\"/>\
             <circle class=\"ring\" cx=\"{ring}\" cy=\"{y}\" r=\"3\"/>"
        ),
        false => format!("<path d=\"M{first} {top}v8M{second} {top}v8\"/>"),
    }
}

/// Along the edge of a box, from the first to the last of several rows that end in one line.
fn joint(layout: &Layout, at: Point, end: &End) -> String {
    if end.rows.len() < 2 {
        return String::new();
    }
    let top = layout.corners[end.entity].y;
    let mut path = String::new();
    let middles = end.rows.iter().map(|row| top + measure::row_middle(*row));
    let (least, most) = (middles.clone().min(), middles.clone().max());
    if let (Some(least), Some(most)) = (least, most) {
        let _ = write!(path, "M{} {least}V{most}", at.x);
    }
    for middle in middles {
        let _ = write!(path, "M{} {middle}h4", at.x - 2);
    }
    format!("<path class=\"joint\" d=\"{path}\"/>")
}
