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
    pub(super) depends_on: BTreeMap<String, Names>,
    pub(super) labels: BTreeMap<String, String>,
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
    TooFew,
    Branch,
    Elsewhere,
    TooFar,
    Ways,
    NoRevisions,
}

impl World {
    pub(super) fn up(&self, target: &Target) -> Result<Vec<String>, Refusal> {
        let (branch, goal) = apart(target);
        if matches!(goal, Target::Base | Target::Back(_)) {
            return Err(Refusal::Target);
        }
        let half = self.half_way(Direction::Up)?;
        let order = self.pending(&half);
        let ends = match goal {
            Target::Forward(n) => {
                let urgent: Names = half.iter().flat_map(|h| self.before(h)).collect();
                let own = self.on(branch, &order)?;
                self.steps(own, n.get(), &urgent, |later, sooner| {
                    self.before(later).contains(sooner)
                })?
            }
            _ => self.ends(branch, goal)?,
        };
        let wanted: Names = ends.iter().flat_map(|end| self.before(end)).collect();
        let chosen: Vec<String> = order.into_iter().filter(|x| wanted.contains(x)).collect();
        match half.iter().all(|name| chosen.contains(name)) {
            true => Ok(chosen),
            false => Err(Refusal::History),
        }
    }

    pub(super) fn down(&self, target: &Target) -> Result<Vec<String>, Refusal> {
        let (branch, goal) = apart(target);
        if matches!(goal, Target::Head | Target::Heads | Target::Forward(_)) {
            return Err(Refusal::Target);
        }
        let half = self.half_way(Direction::Down)?;
        let applied = self.applied();
        let roots: Vec<String> = match goal {
            Target::Base => {
                let below = match branch {
                    Some(branch) => self.descends_from(&self.branch(branch)?),
                    None => self.parents.keys().cloned().collect(),
                };
                let base = |name: &String| self.parents[name].is_empty();
                below.into_iter().filter(base).collect()
            }
            Target::Back(n) => {
                let order = self.undone(applied.iter().cloned().collect(), &half);
                let own = self.on(branch, &order)?;
                if n.get() > own.len() {
                    return Err(Refusal::TooFew);
                }
                let urgent = |name: &&String| !self.before(name).is_disjoint(&half);
                let urgent: Names = own.iter().filter(urgent).cloned().collect();
                self.steps(own, n.get(), &urgent, |later, sooner| {
                    self.before(sooner).contains(later)
                })?
            }
            _ => {
                let end = self.ends(branch, goal)?.remove(0);
                if !applied.contains(&end) {
                    return Err(Refusal::NotApplied);
                }
                let all: Vec<String> = self.parents.keys().cloned().collect();
                let mut own = self.on(branch, &all)?;
                own.retain(|name| self.parents[name].contains(&end));
                own
            }
        };
        let gone = |name: &&String| roots.iter().any(|root| self.before(name).contains(root));
        let wanted: Names = applied.iter().filter(gone).cloned().collect();
        if !half.iter().all(|name| wanted.contains(name)) {
            return Err(Refusal::History);
        }
        Ok(self.undone(wanted, &half))
    }

    /// The first so many, if at no turn one that leads elsewhere could have come instead.
    fn steps(
        &self,
        mut left: Vec<String>,
        count: usize,
        urgent: &Names,
        waits: impl Fn(&str, &str) -> bool,
    ) -> Result<Vec<String>, Refusal> {
        if count >= left.len() {
            return Ok(left);
        }
        let mut taken = Vec::new();
        while taken.len() < count {
            let next = left[0].clone();
            let free = |name: &&String| !left.iter().any(|o| o != *name && waits(name, o));
            let mut free = left.iter().filter(free);
            if !urgent.contains(&next) && free.any(|x| self.heads_of(x) != self.heads_of(&next)) {
                return Err(Refusal::Heads);
            }
            left.remove(0);
            taken.push(next);
        }
        Ok(taken)
    }

    /// What the target names, a database apart.
    pub(super) fn ends(&self, branch: Option<&str>, goal: &Target) -> Result<Vec<String>, Refusal> {
        let heads = self.heads().into_iter().collect::<Vec<_>>();
        let heads = self.on(branch, &heads)?;
        let start = |from: &str| match from {
            "head" if heads.len() > 1 => Err(Refusal::Heads),
            "head" => heads.first().cloned().ok_or(Refusal::NoRevisions),
            _ => {
                let name = self.named(from)?;
                let own = self.on(branch, std::slice::from_ref(&name))?;
                own.into_iter().next().ok_or(Refusal::Elsewhere)
            }
        };
        Ok(match goal {
            Target::Head if heads.len() > 1 => return Err(Refusal::Heads),
            Target::Head | Target::Heads => heads,
            Target::Revision(text) => vec![start(text)?],
            Target::Above { from, steps } => {
                let mut at = match from.as_str() {
                    "base" => None,
                    _ => Some(start(from)?),
                };
                for _ in 0..steps.get() {
                    let above = self.parents.iter().filter(|(_, parents)| match &at {
                        Some(at) => parents.contains(at),
                        None => parents.is_empty(),
                    });
                    let above: Vec<String> = above.map(|(name, _)| name.clone()).collect();
                    at = Some(only(self.on(branch, &above)?)?);
                }
                at.into_iter().collect()
            }
            Target::Below { from, steps } => {
                let mut at = start(from)?;
                for _ in 0..steps.get() {
                    let below: Vec<String> = self.parents[&at].iter().cloned().collect();
                    at = only(self.on(branch, &below)?)?;
                }
                vec![at]
            }
            _ => panic!("{goal} depends on a database"),
        })
    }

    /// Those of the names that are on the branch.
    pub(super) fn on(
        &self,
        branch: Option<&str>,
        names: &[String],
    ) -> Result<Vec<String>, Refusal> {
        let Some(branch) = branch else {
            return Ok(names.to_vec());
        };
        let own = self.branch(branch)?;
        let own = |name: &&String| {
            self.descends_from(name).contains(&own) || self.descends_from(&own).contains(*name)
        };
        Ok(names.iter().filter(own).cloned().collect())
    }

    fn branch(&self, text: &str) -> Result<String, Refusal> {
        self.named(text).map_err(|refusal| match refusal {
            Refusal::Unknown => Refusal::Branch,
            other => other,
        })
    }

    fn heads_of(&self, name: &str) -> Names {
        let mut heads = self.heads();
        heads.retain(|head| self.descends_from(head).contains(name));
        heads
    }

    /// What stopped halfway in this direction, if nothing else is wrong.
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
            let below = self.parents[*name].union(&self.depends_on[*name]);
            !order.contains(name) && below.into_iter().all(|p| order.contains(p))
        }) {
            order.push(next.clone());
        }
        order.retain(|name| !applied.contains(name));
        let first = |name: &String| half.iter().any(|h| self.before(h).contains(name));
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
                let stands = |other: &String| other != *name && self.before(other).contains(*name);
                !left.iter().any(stands)
            };
            let urgent = |name: &String| !self.before(name).is_disjoint(half);
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

    /// The name and all that has to be applied before it.
    pub(super) fn before(&self, name: &str) -> Names {
        self.closed(name, |name| {
            let all = [self.parents.get(name), self.depends_on.get(name)];
            all.into_iter().flatten().flatten().cloned().collect()
        })
    }

    /// The name and its parents and theirs.
    fn descends_from(&self, name: &str) -> Names {
        self.closed(name, |name| {
            self.parents.get(name).cloned().unwrap_or_default()
        })
    }

    fn closed(&self, name: &str, below: impl Fn(&str) -> Names) -> Names {
        let mut found = Names::from([name.to_owned()]);
        loop {
            let more: Names = found.iter().flat_map(|name| below(name)).collect();
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
        if let Some(name) = self.labels.get(text) {
            return Ok(name.clone());
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

fn apart(target: &Target) -> (Option<&str>, &Target) {
    match target {
        Target::On { branch, goal } => (Some(branch), goal),
        goal => (None, goal),
    }
}

fn only(mut names: Vec<String>) -> Result<String, Refusal> {
    match names.len() {
        0 => Err(Refusal::TooFar),
        1 => Ok(names.remove(0)),
        _ => Err(Refusal::Ways),
    }
}
