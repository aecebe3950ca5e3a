use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use underpin_core::Result;

use crate::revision::{Origin, Revision, RevisionId};

mod error;
#[cfg(test)]
mod tests;

pub use error::GraphError;
pub(crate) use error::labels;

/// The words that are targets, so that no revision can be called so.
const RESERVED: [&str; 3] = ["head", "heads", "base"];

/// All revisions and what stands on what. It has no cycle, no parent that is not there,
/// and no id twice; it may be empty, and may have several heads.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// Parents before children and, of those that could come next, the lowest id first.
    revisions: Vec<Revision>,
    places: HashMap<RevisionId, usize>,
    parents: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
}

impl Graph {
    /// The graph of these revisions, in whatever order they come. The source of its
    /// errors is a [`GraphError`].
    pub fn new(revisions: Vec<Revision>) -> Result<Self> {
        Ok(Self::build(revisions)?)
    }

    fn build(mut revisions: Vec<Revision>) -> Result<Self, GraphError> {
        revisions.sort_by_cached_key(|revision| (revision.id.clone(), name(&revision.origin)));
        check_ids(&revisions)?;
        let by_id = parents_by_place(&revisions)?;
        let order = order(&by_id).map_err(|cycle| circle(&revisions, &cycle))?;

        let mut place_of = vec![0; order.len()];
        for (place, &sorted) in order.iter().enumerate() {
            place_of[sorted] = place;
        }
        let mut parents = vec![Vec::new(); order.len()];
        let mut children = vec![Vec::new(); order.len()];
        for (place, &sorted) in order.iter().enumerate() {
            parents[place] = by_id[sorted].iter().map(|&p| place_of[p]).collect();
            for &parent in &parents[place] {
                children[parent].push(place);
            }
        }
        let mut sorted: Vec<(usize, Revision)> = place_of.into_iter().zip(revisions).collect();
        sorted.sort_by_key(|(place, _)| *place);
        let revisions: Vec<Revision> = sorted.into_iter().map(|(_, revision)| revision).collect();
        let ids = revisions.iter().map(|revision| revision.id.clone());
        Ok(Graph {
            places: ids.zip(0..).collect(),
            revisions,
            parents,
            children,
        })
    }

    /// How many revisions there are.
    pub fn len(&self) -> usize {
        self.revisions.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.revisions.is_empty()
    }

    /// All revisions, parents before children; of those that could come next, the one
    /// with the lowest id does.
    pub fn topological(&self) -> &[Revision] {
        &self.revisions
    }

    /// The revision with this id.
    pub fn get(&self, id: &RevisionId) -> Option<&Revision> {
        self.place(id).map(|place| &self.revisions[place])
    }

    /// The revisions that no other stands on.
    pub fn heads(&self) -> Vec<&Revision> {
        self.at((0..self.len()).filter(|&place| self.children[place].is_empty()))
    }

    /// The revisions that stand on no other.
    pub fn bases(&self) -> Vec<&Revision> {
        self.at((0..self.len()).filter(|&place| self.parents[place].is_empty()))
    }

    /// The one head; none where there are no revisions. Several are an error that lists them.
    pub fn head(&self) -> Result<Option<&Revision>> {
        let heads = self.heads();
        match heads[..] {
            [] => Ok(None),
            [head] => Ok(Some(head)),
            _ => Err(GraphError::MultipleHeads {
                heads: heads.into_iter().map(labelled).collect(),
            }
            .into()),
        }
    }

    /// The revisions that have this one as a parent.
    pub fn children(&self, id: &RevisionId) -> Vec<&Revision> {
        let places = self.place(id).map(|place| &self.children[place]);
        self.at(places.into_iter().flatten().copied())
    }

    /// All that the revision stands on, its parents and theirs, parents before children.
    pub fn ancestors(&self, id: &RevisionId) -> Vec<&Revision> {
        let Some(start) = self.place(id) else {
            return Vec::new();
        };
        let marked = self.with_ancestors([start]);
        self.at((0..start).filter(|&place| marked[place]))
    }

    /// All that stands on the revision, its children and theirs, parents before children.
    pub fn descendants(&self, id: &RevisionId) -> Vec<&Revision> {
        let Some(start) = self.place(id) else {
            return Vec::new();
        };
        let marked = self.with_descendants([start]);
        self.at((start + 1..self.len()).filter(|&place| marked[place]))
    }

    /// The revision with this id or, where there is none, the only one whose id begins so.
    pub fn resolve(&self, text: &str) -> Result<&Revision> {
        let exact = RevisionId::new(text).and_then(|id| self.get(&id));
        if let Some(revision) = exact {
            return Ok(revision);
        }
        let begins = |revision: &&Revision| revision.id.as_str().starts_with(text);
        let mut candidates: Vec<&Revision> = match text {
            "" => Vec::new(),
            _ => self.revisions.iter().filter(begins).collect(),
        };
        match candidates[..] {
            [revision] => Ok(revision),
            [] => Err(GraphError::UnknownRevision {
                text: text.to_owned(),
                nearest: nearest(text, &self.revisions).map(labelled),
            }
            .into()),
            _ => {
                candidates.sort_by(|a, b| a.id.cmp(&b.id));
                Err(GraphError::AmbiguousRevision {
                    text: text.to_owned(),
                    candidates: candidates.into_iter().map(labelled).collect(),
                }
                .into())
            }
        }
    }

    /// The place of a revision in [`topological`](Self::topological).
    pub(crate) fn place(&self, id: &RevisionId) -> Option<usize> {
        self.places.get(id).copied()
    }

    pub(crate) fn parents_at(&self, place: usize) -> &[usize] {
        &self.parents[place]
    }

    pub(crate) fn children_at(&self, place: usize) -> &[usize] {
        &self.children[place]
    }

    /// Marks, by place, these revisions and all that they stand on.
    pub(crate) fn with_ancestors(&self, starts: impl IntoIterator<Item = usize>) -> Vec<bool> {
        let mut marked = vec![false; self.len()];
        starts.into_iter().for_each(|place| marked[place] = true);
        for place in (0..self.len()).rev() {
            if marked[place] {
                self.parents[place].iter().for_each(|&p| marked[p] = true);
            }
        }
        marked
    }

    /// Marks, by place, these revisions and all that stands on them.
    pub(crate) fn with_descendants(&self, starts: impl IntoIterator<Item = usize>) -> Vec<bool> {
        let mut marked = vec![false; self.len()];
        starts.into_iter().for_each(|place| marked[place] = true);
        for place in 0..self.len() {
            marked[place] |= self.parents[place].iter().any(|&parent| marked[parent]);
        }
        marked
    }

    fn at(&self, places: impl Iterator<Item = usize>) -> Vec<&Revision> {
        places.map(|place| &self.revisions[place]).collect()
    }
}

/// A revision as errors list it: its id and its message.
pub(crate) fn labelled(revision: &Revision) -> (RevisionId, String) {
    (revision.id.clone(), revision.message.clone())
}

fn name(origin: &Origin) -> Option<String> {
    match origin {
        Origin::File(name) => Some(name.clone()),
        Origin::Code => None,
    }
}

/// The revisions are sorted by id here.
fn check_ids(revisions: &[Revision]) -> Result<(), GraphError> {
    for pair in revisions.windows(2) {
        if pair[0].id == pair[1].id {
            return Err(GraphError::DuplicateId {
                id: pair[0].id.clone(),
                origins: [pair[0].origin.clone(), pair[1].origin.clone()],
            });
        }
    }
    match revisions.iter().find(|r| RESERVED.contains(&r.id.as_str())) {
        Some(revision) => Err(GraphError::ReservedId {
            id: revision.id.clone(),
            origin: revision.origin.clone(),
        }),
        None => Ok(()),
    }
}

/// For each of the revisions, which are sorted by id, the places of its parents.
fn parents_by_place(revisions: &[Revision]) -> Result<Vec<Vec<usize>>, GraphError> {
    let place = |id: &RevisionId| revisions.binary_search_by(|revision| revision.id.cmp(id));
    let mut all = Vec::with_capacity(revisions.len());
    for revision in revisions {
        let mut places = Vec::with_capacity(revision.parents.len());
        for parent in &revision.parents {
            places.push(place(parent).map_err(|_| {
                let others = revisions.iter().filter(|other| other.id != revision.id);
                GraphError::MissingParent {
                    id: revision.id.clone(),
                    origin: revision.origin.clone(),
                    parent: parent.clone(),
                    nearest: nearest(parent.as_str(), others).map(labelled),
                }
            })?);
        }
        places.sort_unstable();
        places.dedup();
        all.push(places);
    }
    Ok(all)
}

/// Parents before children, the lowest place first where there is a choice; or the places
/// of a cycle, each a parent of the one before it.
fn order(parents: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut children = vec![Vec::new(); parents.len()];
    let mut waits_for: Vec<usize> = parents.iter().map(Vec::len).collect();
    for (place, own) in parents.iter().enumerate() {
        own.iter().for_each(|&p| children[p].push(place));
    }
    let free = (0..parents.len()).filter(|&place| waits_for[place] == 0);
    let mut free: BinaryHeap<Reverse<usize>> = free.map(Reverse).collect();
    let mut order = Vec::with_capacity(parents.len());
    while let Some(Reverse(place)) = free.pop() {
        order.push(place);
        for &child in &children[place] {
            waits_for[child] -= 1;
            if waits_for[child] == 0 {
                free.push(Reverse(child));
            }
        }
    }
    match order.len() == parents.len() {
        true => Ok(order),
        false => Err(cycle(parents, &waits_for)),
    }
}

/// Each revision that still waits has a parent that still waits; so a walk along those
/// comes back to where it was.
fn cycle(parents: &[Vec<usize>], waits_for: &[usize]) -> Vec<usize> {
    let waits = |place: &usize| waits_for[*place] > 0;
    let mut walk: Vec<usize> = Vec::new();
    let mut next = (0..parents.len()).find(waits);
    while let Some(place) = next {
        if let Some(start) = walk.iter().position(|&seen| seen == place) {
            walk.drain(..start);
            break;
        }
        walk.push(place);
        next = parents[place].iter().copied().find(waits);
    }
    let lowest = (0..walk.len()).min_by_key(|&i| walk[i]).unwrap_or(0);
    walk.rotate_left(lowest);
    walk
}

fn circle(revisions: &[Revision], cycle: &[usize]) -> GraphError {
    let member = |&place: &usize| {
        let revision = &revisions[place];
        (revision.id.clone(), revision.origin.clone())
    };
    GraphError::CycleDetected {
        cycle: cycle.iter().map(member).collect(),
    }
}

/// The revision whose id looks most like the text, which may be only a beginning.
fn nearest<'a>(
    text: &str,
    revisions: impl IntoIterator<Item = &'a Revision>,
) -> Option<&'a Revision> {
    let length = text.chars().count();
    revisions.into_iter().min_by_key(|revision| {
        let id = revision.id.as_str();
        let beginning = &id[..id.len().min(length.max(1))];
        let distance = strsim::osa_distance(text, beginning);
        (distance, strsim::osa_distance(text, id), &revision.id)
    })
}
