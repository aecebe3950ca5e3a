//! The planner again, as plainly as can be: sets of names, searched from the start for
//! every step. It shares nothing with the planner but the target and the direction.

use std::collections::{BTreeMap, BTreeSet};

use crate::host::Direction;
use crate::target::Target;

type Names = BTreeSet<String>;

/// The revisions, what they stand on, and the history.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    pub(super) parents: BTreeMap<String, Names>,
    pub(super) history: Vec<Past>,
}

/// One entry of the history; no name is there twice.
#[derive(Debug, Clone)]
pub(super) struct Past {
    pub(super) name: String,
    pub(super) changed: bool,
    pub(super) stopped: Option<Direction>,
}

/// Why there is no plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    Target,
    History,
    Heads,
    Unknown,
    Ambiguous,
    NotApplied,
    Strands,
    TooFew,
}

impl World {
    pub(super) fn up(&self, target: &Target) -> Result<Vec<String>, Refusal> {
        if matches!(target, Target::Base | Target::Back(_)) {
            return Err(Refusal::Target);
        }
        let half = self.half_way(Direction::Up)?;
        let order = self.pending(&half);
        let chosen: Vec<String> = match target {
            Target::Forward(n) => order.into_iter().take(n.get()).collect(),
            Target::Revision(text) => {
                let wanted = self.below(&self.named(text)?);
                order.into_iter().filter(|x| wanted.contains(x)).collect()
            }
            Target::Head if self.heads().len() > 1 => return Err(Refusal::Heads),
            _ => order,
        };
        match half.iter().all(|name| chosen.contains(name)) {
            true => Ok(chosen),
            false => Err(Refusal::History),
        }
    }

    pub(super) fn down(&self, target: &Target) -> Result<Vec<String>, Refusal> {
        let half = self.half_way_unless_up(target)?;
        let applied = self.applied();
        let wanted: Names = match target {
            Target::Back(n) if n.get() > applied.len() => return Err(Refusal::TooFew),
            Target::Back(n) => applied[applied.len() - n.get()..].iter().cloned().collect(),
            Target::Revision(text) => {
                let end = self.named(text)?;
                if !applied.contains(&end) {
                    return Err(Refusal::NotApplied);
                }
                let above = |x: &&String| **x != end && self.below(x).contains(&end);
                applied.iter().filter(above).cloned().collect()
            }
            _ => applied.iter().cloned().collect(),
        };
        for name in applied.iter().filter(|name| !wanted.contains(*name)) {
            if self.below(name).intersection(&wanted).next().is_some() {
                return Err(Refusal::Strands);
            }
        }
        if !half.iter().all(|name| wanted.contains(name)) {
            return Err(Refusal::History);
        }
        Ok(self.undone(wanted, &half))
    }

    fn half_way_unless_up(&self, target: &Target) -> Result<Names, Refusal> {
        match target {
            Target::Head | Target::Heads | Target::Forward(_) => Err(Refusal::Target),
            _ => self.half_way(Direction::Down),
        }
    }

    /// What stopped half-way in this direction, if nothing else is wrong.
    fn half_way(&self, direction: Direction) -> Result<Names, Refusal> {
        let mut names = Names::new();
        for past in &self.history {
            let other_way = past.stopped.is_some_and(|way| way != direction);
            if past.changed || other_way || !self.parents.contains_key(&past.name) {
                return Err(Refusal::History);
            }
            if past.stopped.is_some() {
                names.insert(past.name.clone());
            }
        }
        Ok(names)
    }

    fn applied(&self) -> Vec<String> {
        let there = |past: &&Past| past.stopped != Some(Direction::Up);
        let names = self.history.iter().filter(there);
        names.map(|past| past.name.clone()).collect()
    }

    /// All pending ones, the half-way ones and what they stand on first.
    fn pending(&self, half: &Names) -> Vec<String> {
        let applied = self.applied();
        let mut order: Vec<String> = Vec::new();
        while let Some(next) = self.parents.keys().find(|name| {
            !order.contains(name) && self.parents[*name].iter().all(|p| order.contains(p))
        }) {
            order.push(next.clone());
        }
        order.retain(|name| !applied.contains(name));
        let first = |name: &String| half.iter().any(|h| self.below(h).contains(name));
        order.sort_by_key(|name| !first(name));
        order
    }

    /// The wanted ones, each when nothing that is left stands on it; the half-way ones and
    /// what stands on them first, else the last applied.
    fn undone(&self, mut left: Names, half: &Names) -> Vec<String> {
        let applied = self.applied();
        let mut order = Vec::new();
        while !left.is_empty() {
            let free = |name: &&String| {
                let stands = |other: &String| other != *name && self.below(other).contains(*name);
                !left.iter().any(stands)
            };
            let urgent = |name: &String| !self.below(name).is_disjoint(half);
            let turn = |name: &String| applied.iter().position(|a| a == name);
            let next = left
                .iter()
                .filter(free)
                .max_by_key(|name| (urgent(name), turn(name)))
                .unwrap()
                .clone();
            left.remove(&next);
            order.push(next);
        }
        order
    }

    /// The name and all that it stands on.
    pub(super) fn below(&self, name: &str) -> Names {
        let mut found = Names::from([name.to_owned()]);
        loop {
            let known = found.iter().filter_map(|name| self.parents.get(name));
            let more: Names = known.flatten().cloned().collect();
            if more.is_subset(&found) {
                return found;
            }
            found.extend(more);
        }
    }

    pub(super) fn heads(&self) -> Names {
        let all: Names = self.parents.keys().cloned().collect();
        let inner: Names = self.parents.values().flatten().cloned().collect();
        all.difference(&inner).cloned().collect()
    }

    pub(super) fn named(&self, text: &str) -> Result<String, Refusal> {
        if self.parents.contains_key(text) {
            return Ok(text.to_owned());
        }
        let fit: Vec<&String> = self
            .parents
            .keys()
            .filter(|name| name.starts_with(text))
            .collect();
        match fit.len() {
            0 => Err(Refusal::Unknown),
            1 => Ok(fit[0].clone()),
            _ => Err(Refusal::Ambiguous),
        }
    }
}
