//! Where boxes stand and how lines run. What is joined by lines is laid out in columns with
//! channels between them (as Sugiyama's method has it, but that a line may lead either way,
//! since columns of the height of a screen matter more than the direction). A line that
//! passes a column has a place of its own there, so that none crosses a box.
//!
//! Everything is in whole pixels and drawn from a fixed seed.

mod channel;
mod columns;
mod lattice;
mod order;
mod pack;
mod random;
mod route;

use lattice::Lattice;
use random::Random;

/// A box to be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) width: i32,
    pub(super) height: i32,
}

/// A line to be drawn, from a child's box to its parent's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) child: usize,
    /// The end there, from the top of the box.
    pub(super) child_at: i32,
    pub(super) parent: usize,
    pub(super) parent_at: i32,
    /// Lines of the same number have the same end at the parent, and may join.
    pub(super) net: usize,
}

/// Groups of boxes without lines between them: views, for example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Group(pub(super) u8);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) x: i32,
    pub(super) y: i32,
}

impl Point {
    fn moved(self, x: i32, y: i32) -> Point {
        Point {
            x: self.x + x,
            y: self.y + y,
        }
    }
}

/// Boxes by their upper left corner, lines by their corners, from the child to the parent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) corners: Vec<Point>,
    pub(super) routes: Vec<Vec<Point>>,
}

/// Some of the boxes, placed.
#[derive(Debug, Clone, Default)]
struct Part {
    width: i32,
    height: i32,
    corners: Vec<(usize, Point)>,
    routes: Vec<(usize, Vec<Point>)>,
}

/// The proportion of width to height that is aimed at, in hundredths.
const ASPECT: i64 = 155;

/// How far a size is from that proportion, in hundredths: 100 has it, 200 is twice as wide
/// or twice as high.
fn misproportion(width: i32, height: i32) -> i64 {
    let aspect = i64::from(width.max(1)) * 100 / i64::from(height.max(1));
    (aspect * 100 / ASPECT).max(ASPECT * 100 / aspect.max(1))
}

pub(super) fn arranged(sizes: &[Size], groups: &[Group], links: &[Link]) -> Layout {
    let (joined, single) = components(sizes.len(), links);
    let mut parts = Vec::new();
    for members in joined {
        parts.push(component(sizes, links, &members));
    }
    let mut blocks: Vec<(Group, Vec<usize>)> = Vec::new();
    let mut single = single;
    single.sort_by_key(|index| (groups[*index], *index));
    for index in single {
        match blocks.last_mut() {
            Some((group, members)) if *group == groups[index] => members.push(index),
            _ => blocks.push((groups[index], vec![index])),
        }
    }
    let blocks: Vec<Vec<usize>> = blocks.into_iter().map(|(_, members)| members).collect();
    let whole = pack::together(sizes, &parts, &blocks);
    let mut layout = Layout {
        width: whole.width,
        height: whole.height,
        corners: vec![Point { x: 0, y: 0 }; sizes.len()],
        routes: vec![Vec::new(); links.len()],
    };
    for (index, corner) in whole.corners {
        layout.corners[index] = corner;
    }
    for (index, route) in whole.routes {
        layout.routes[index] = route;
    }
    layout
}

/// What lines join, and what they do not. A line of a box to itself counts as one.
fn components(boxes: usize, links: &[Link]) -> (Vec<Vec<usize>>, Vec<usize>) {
    let mut root: Vec<usize> = (0..boxes).collect();
    fn find(root: &mut [usize], mut index: usize) -> usize {
        while root[index] != index {
            root[index] = root[root[index]];
            index = root[index];
        }
        index
    }
    let mut linked = vec![false; boxes];
    for link in links {
        linked[link.child] = true;
        linked[link.parent] = true;
        let (one, other) = (find(&mut root, link.child), find(&mut root, link.parent));
        root[one.max(other)] = one.min(other);
    }
    let mut members = vec![Vec::new(); boxes];
    for index in 0..boxes {
        members[find(&mut root, index)].push(index);
    }
    let (joined, single): (Vec<_>, Vec<_>) =
        (members.into_iter().filter(|members| !members.is_empty()))
            .partition(|members| linked[members[0]]);
    (joined, single.into_iter().flatten().collect())
}

/// The best of several tries at the boxes that lines join.
fn component(sizes: &[Size], links: &[Link], members: &[usize]) -> Part {
    let graph = Graph::of(sizes, links, members);
    let tries = (600 / members.len().max(1)).clamp(1, 12);
    let mut best: Option<(i64, Part)> = None;
    for count in graph.counts() {
        for seed in 0..tries {
            let mut random = Random::new((seed * 64 + count) as u64);
            let column_of = columns::assigned(&graph, count, &mut random);
            let mut lattice = Lattice::of(&graph, column_of);
            order::settle(&mut lattice);
            let (cost, part) = route::drawn(&lattice);
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, part));
            }
        }
    }
    let (_, mut part) = best.unwrap_or_default();
    for (index, _) in &mut part.corners {
        *index = members[*index];
    }
    for (index, _) in &mut part.routes {
        *index = graph.links[*index];
    }
    part
}

/// The boxes that lines join, numbered from 0.
#[derive(Debug, Clone)]
struct Graph {
    sizes: Vec<Size>,
    nets: Vec<Net>,
    /// The number of each link among all.
    links: Vec<usize>,
}

/// Lines that end at the same place.
#[derive(Debug, Clone)]
struct Net {
    parent: usize,
    at: i32,
    children: Vec<Child>,
}

#[derive(Debug, Clone, Copy)]
struct Child {
    index: usize,
    at: i32,
    /// Its number among the graph's links.
    link: usize,
}

impl Graph {
    fn of(sizes: &[Size], links: &[Link], members: &[usize]) -> Self {
        let mut graph = Graph {
            sizes: members.iter().map(|index| sizes[*index]).collect(),
            nets: Vec::new(),
            links: Vec::new(),
        };
        let mut numbers: Vec<(usize, usize)> = Vec::new();
        for (number, link) in links.iter().enumerate() {
            let Ok(index) = members.binary_search(&link.child) else {
                continue;
            };
            let Ok(parent) = members.binary_search(&link.parent) else {
                continue;
            };
            let child = Child {
                index,
                at: link.child_at,
                link: graph.links.len(),
            };
            graph.links.push(number);
            match numbers.iter().find(|(net, _)| *net == link.net) {
                Some((_, at)) => graph.nets[*at].children.push(child),
                None => {
                    numbers.push((link.net, graph.nets.len()));
                    graph.nets.push(Net {
                        parent,
                        at: link.parent_at,
                        children: vec![child],
                    });
                }
            }
        }
        graph
    }

    /// The numbers of columns that are worth a try: those around what gives the proportion.
    fn counts(&self) -> std::ops::RangeInclusive<usize> {
        let boxes = self.sizes.len();
        if boxes == 1 {
            return 1..=1;
        }
        let count = boxes as i64;
        let height: i64 = self
            .sizes
            .iter()
            .map(|size| i64::from(size.height) + 40)
            .sum();
        let width: i64 = (self.sizes.iter())
            .map(|size| i64::from(size.width) + 90)
            .sum::<i64>()
            / count;
        let middle = (height * ASPECT / 100 / width.max(1)).isqrt();
        let middle = (middle as usize).clamp(2, boxes);
        middle.saturating_sub(1).max(2)..=(middle + 1).min(boxes)
    }
}
