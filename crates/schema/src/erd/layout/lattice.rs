//! The columns with what stands in them, boxes and lines that pass, and the channels
//! between them with the lines' strands.

use std::collections::BTreeMap;

use super::{Graph, Size};

#[derive(Debug, Clone)]
pub(super) struct Lattice<'g> {
    pub(super) graph: &'g Graph,
    /// The boxes, by their number in the graph, and after them what passes.
    pub(super) items: Vec<Item>,
    /// The items of each column, from the top.
    pub(super) columns: Vec<Vec<usize>>,
    /// The strands in each channel: one before each column, and one after the last.
    pub(super) channels: Vec<Vec<Strand>>,
    /// The items that each item is drawn to.
    pub(super) ties: Vec<Vec<Tie>>,
}

#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) column: usize,
    pub(super) height: i32,
    pub(super) is_box: bool,
    /// Its top.
    pub(super) y: i32,
}

/// The part of a net that is in one channel: it joins all of its pins.
#[derive(Debug, Clone)]
pub(super) struct Strand {
    pub(super) net: usize,
    /// Pins at what stands left of the channel.
    pub(super) left: Vec<Pin>,
    pub(super) right: Vec<Pin>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Pin {
    pub(super) item: usize,
    /// How far it is from the top of the item.
    pub(super) at: i32,
    pub(super) role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Parent,
    Passing,
    /// With the number of the link.
    Child(usize),
}

/// Two pins that a strand joins, seen from one of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tie {
    pub(super) channel: usize,
    pub(super) at: i32,
    pub(super) other: usize,
    pub(super) other_at: i32,
    pub(super) weight: i64,
}

impl<'g> Lattice<'g> {
    pub(super) fn of(graph: &'g Graph, column_of: Vec<usize>) -> Self {
        let count = column_of.iter().max().map_or(0, |last| last + 1);
        let item = |(size, column): (&Size, &usize)| Item {
            column: *column,
            height: size.height,
            is_box: true,
            y: 0,
        };
        let mut lattice = Lattice {
            graph,
            items: graph.sizes.iter().zip(&column_of).map(item).collect(),
            columns: vec![Vec::new(); count],
            channels: vec![Vec::new(); count + 1],
            ties: Vec::new(),
        };
        for net in 0..graph.nets.len() {
            lattice.thread(net);
        }
        for (index, item) in lattice.items.iter().enumerate() {
            lattice.columns[item.column].push(index);
        }
        lattice.tie();
        lattice
    }

    /// Leads a net through the channels, with an item for each column that it passes.
    fn thread(&mut self, number: usize) {
        let net = &self.graph.nets[number];
        let home = self.items[net.parent].column;
        let last = self.columns.len() - 1;
        // A line to the same column goes out where the picture does not grow by it.
        let beside = if home == last && last > 0 {
            home
        } else {
            home + 1
        };
        let mut strands: BTreeMap<usize, Strand> = BTreeMap::new();
        let mut strand = |channel: usize, is_left: bool, pin: Pin| {
            let strand = strands.entry(channel).or_insert_with(|| Strand {
                net: number,
                left: Vec::new(),
                right: Vec::new(),
            });
            match is_left {
                true => strand.left.push(pin),
                false => strand.right.push(pin),
            }
        };
        let (mut leftmost, mut rightmost) = (home, home);
        for child in &net.children {
            let column = self.items[child.index].column;
            (leftmost, rightmost) = (leftmost.min(column), rightmost.max(column));
            let pin = Pin {
                item: child.index,
                at: child.at,
                role: Role::Child(child.link),
            };
            match column.cmp(&home) {
                std::cmp::Ordering::Less => strand(column + 1, true, pin),
                std::cmp::Ordering::Equal => strand(beside, beside == home + 1, pin),
                std::cmp::Ordering::Greater => strand(column, false, pin),
            }
        }
        let parent = Pin {
            item: net.parent,
            at: net.at,
            role: Role::Parent,
        };
        let is_beside = (net.children.iter()).any(|one| self.items[one.index].column == home);
        if rightmost > home || is_beside && beside == home + 1 {
            strand(home + 1, true, parent);
        }
        if leftmost < home || is_beside && beside == home {
            strand(home, false, parent);
        }
        for column in (leftmost + 1..home).chain(home + 1..rightmost) {
            let pin = Pin {
                item: self.items.len(),
                at: 0,
                role: Role::Passing,
            };
            self.items.push(Item {
                column,
                height: 0,
                is_box: false,
                y: 0,
            });
            strand(column, false, pin);
            strand(column + 1, true, pin);
        }
        for (channel, strand) in strands {
            self.channels[channel].push(strand);
        }
    }

    /// Notes for each item what it is joined to.
    fn tie(&mut self) {
        self.ties = vec![Vec::new(); self.items.len()];
        for (channel, strands) in self.channels.iter().enumerate() {
            for strand in strands {
                let (root, leaves) = strand.tree(self, channel);
                for leaf in leaves {
                    let passing = [root, leaf].map(|pin| i64::from(pin.role == Role::Passing));
                    let weight = 1 << (passing[0] + passing[1]);
                    for (pin, other) in [(root, leaf), (leaf, root)] {
                        self.ties[pin.item].push(Tie {
                            channel,
                            at: pin.at,
                            other: other.item,
                            other_at: other.at,
                            weight,
                        });
                    }
                }
            }
        }
    }

    pub(super) fn pin_y(&self, pin: &Pin) -> i32 {
        self.items[pin.item].y + pin.at
    }

    /// Moves ends that would lie on one another apart, in the order of where they lead.
    pub(super) fn spread(&mut self) {
        type Place = (usize, i32, bool);
        type Met = (i32, usize, usize, usize);
        let mut ends: BTreeMap<Place, Vec<Met>> = BTreeMap::new();
        for (channel, strands) in self.channels.iter().enumerate() {
            for (number, strand) in strands.iter().enumerate() {
                for (is_left, pins) in [(true, &strand.left), (false, &strand.right)] {
                    for (index, pin) in pins.iter().enumerate() {
                        if pin.role == Role::Passing {
                            continue;
                        }
                        let goal = strand.goal(self, pin, channel);
                        let place = (pin.item, pin.at, is_left);
                        let met = (goal, channel, number, index);
                        ends.entry(place).or_default().push(met);
                    }
                }
            }
        }
        for ((_, _, is_left), mut met) in ends {
            met.sort_unstable();
            let last = met.len() as i32 - 1;
            let room = [0, 8, 12][(last as usize).min(2)];
            for (place, (_, channel, number, index)) in met.into_iter().enumerate() {
                let strand = &mut self.channels[channel][number];
                let pins = if is_left {
                    &mut strand.left
                } else {
                    &mut strand.right
                };
                if last > 0 {
                    pins[index].at += room * place as i32 / last - room / 2;
                }
            }
        }
        self.tie();
    }
}

impl Strand {
    /// The pin on the parent's side, and those that it leads to.
    fn tree(&self, lattice: &Lattice<'_>, channel: usize) -> (Pin, Vec<Pin>) {
        let home = lattice.items[lattice.graph.nets[self.net].parent].column;
        let (near, far) = match channel > home {
            true => (&self.left, &self.right),
            false => (&self.right, &self.left),
        };
        let is_child = |pin: &&Pin| matches!(pin.role, Role::Child(_));
        let root = near.iter().find(|pin| !is_child(pin));
        let root = *root.expect("a strand begins at its parent or at what passes a column");
        let beside = near.iter().filter(is_child);
        (root, far.iter().chain(beside).copied().collect())
    }

    /// The height at which the others of its pins are, on average.
    fn goal(&self, lattice: &Lattice<'_>, pin: &Pin, channel: usize) -> i32 {
        let (root, leaves) = self.tree(lattice, channel);
        if root.item != pin.item || root.role != pin.role {
            return lattice.pin_y(&root);
        }
        let sum: i32 = leaves.iter().map(|leaf| lattice.pin_y(leaf)).sum();
        sum / (leaves.len() as i32).max(1)
    }
}
