//! From revisions in any order to a graph, or to what is wrong with them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::{Edge, Edges, Graph, GraphError, Link};
use crate::graph::resolve::nearest;
use crate::revision::{BranchLabel, Origin, Revision, RevisionId};

/// The words that are targets, so that nothing can be called so.
const RESERVED: [&str; 3] = ["head", "heads", "base"];

pub(super) fn build(mut revisions: Vec<Revision>) -> Result<Graph, GraphError> {
    revisions.sort_by_cached_key(|revision| (revision.id.clone(), name(&revision.origin)));
    check_ids(&revisions)?;
    let (repeatables, revisions): (Vec<Revision>, Vec<Revision>) = revisions
        .into_iter()
        .partition(|revision| revision.repeatable);
    let repeatables = repeatable(repeatables)?;
    check_labels(&revisions)?;
    let parents = places(&revisions, Edge::Parent)?;
    let dependencies = places(&revisions, Edge::Dependency)?;
    let both: Vec<Vec<usize>> = parents
        .iter()
        .zip(&dependencies)
        .map(|(parents, others)| sorted([parents.as_slice(), others].concat()))
        .collect();
    let order = order(&both).map_err(|cycle| circle(&revisions, &parents, &cycle))?;

    let mut place_of = vec![0; order.len()];
    for (place, &sorted) in order.iter().enumerate() {
        place_of[sorted] = place;
    }
    let line = edges(&parents, &order, &place_of);
    let order = edges(&both, &order, &place_of);
    let mut placed: Vec<(usize, Revision)> = place_of.into_iter().zip(revisions).collect();
    placed.sort_by_key(|(place, _)| *place);
    let revisions: Vec<Revision> = placed.into_iter().map(|(_, revision)| revision).collect();
    let ids = revisions.iter().map(|revision| revision.id.clone());
    let labels = revisions.iter().zip(0..).flat_map(|(revision, place)| {
        let labels = revision.branch_labels.iter().cloned();
        labels.map(move |label| (label, place))
    });
    Ok(Graph {
        places: ids.zip(0..).collect(),
        labels: labels.collect(),
        revisions,
        line,
        order,
        repeatables,
    })
}

/// The repeatable revisions, each after those that it depends on, the lowest id first.
fn repeatable(revisions: Vec<Revision>) -> Result<Vec<Revision>, GraphError> {
    let below = places(&revisions, Edge::Dependency)?;
    let order = order(&below).map_err(|cycle| circle(&revisions, &below, &cycle))?;
    let mut place_of = vec![0; order.len()];
    for (place, &sorted) in order.iter().enumerate() {
        place_of[sorted] = place;
    }
    let mut placed: Vec<(usize, Revision)> = place_of.into_iter().zip(revisions).collect();
    placed.sort_by_key(|(place, _)| *place);
    Ok(placed.into_iter().map(|(_, revision)| revision).collect())
}

/// What is below whom, from places among the sorted ids to places in the graph.
fn edges(below: &[Vec<usize>], order: &[usize], place_of: &[usize]) -> Edges {
    let mut edges = Edges {
        below: vec![Vec::new(); order.len()],
        above: vec![Vec::new(); order.len()],
    };
    for (place, &sorted) in order.iter().enumerate() {
        edges.below[place] = below[sorted].iter().map(|&p| place_of[p]).collect();
        for &lower in &edges.below[place] {
            edges.above[lower].push(place);
        }
    }
    edges
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

/// That a label means one revision, and nothing else.
fn check_labels(revisions: &[Revision]) -> Result<(), GraphError> {
    let mut seen: HashMap<&BranchLabel, &Revision> = HashMap::new();
    for revision in revisions {
        for label in &revision.branch_labels {
            let taken = |other: Option<&Revision>| GraphError::BranchTaken {
                label: label.clone(),
                id: revision.id.clone(),
                origin: revision.origin.clone(),
                by: other.map(|other| (other.id.clone(), other.origin.clone())),
            };
            if RESERVED.contains(&label.as_str()) {
                return Err(taken(None));
            }
            let named = revisions.binary_search_by(|r| r.id.as_str().cmp(label.as_str()));
            let other = seen.insert(label, revision);
            if let Some(other) = named.ok().map(|place| &revisions[place]).or(other) {
                return Err(taken(Some(other)));
            }
        }
    }
    Ok(())
}

/// For each of the revisions, which are sorted by id, the places of its parents, or of what
/// it depends on.
fn places(revisions: &[Revision], by: Edge) -> Result<Vec<Vec<usize>>, GraphError> {
    let place = |id: &RevisionId| revisions.binary_search_by(|revision| revision.id.cmp(id));
    let mut all = Vec::with_capacity(revisions.len());
    for revision in revisions {
        let ids = match by {
            Edge::Parent => &revision.parents,
            Edge::Dependency => &revision.depends_on,
        };
        let places = ids.iter().map(|id| {
            place(id).map_err(|_| {
                let others = revisions.iter().filter(|other| other.id != revision.id);
                GraphError::MissingParent {
                    id: revision.id.clone(),
                    origin: revision.origin.clone(),
                    parent: id.clone(),
                    by,
                    nearest: nearest(id.as_str(), others).map(super::labelled),
                }
            })
        });
        all.push(sorted(places.collect::<Result<_, _>>()?));
    }
    Ok(all)
}

fn sorted(mut places: Vec<usize>) -> Vec<usize> {
    places.sort_unstable();
    places.dedup();
    places
}

/// What is below before what is above, the lowest place first where there is a choice; or
/// the places of a cycle, each standing on the one after it.
fn order(below: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut above = vec![Vec::new(); below.len()];
    let mut waits_for: Vec<usize> = below.iter().map(Vec::len).collect();
    for (place, own) in below.iter().enumerate() {
        own.iter().for_each(|&p| above[p].push(place));
    }
    let free = (0..below.len()).filter(|&place| waits_for[place] == 0);
    let mut free: BinaryHeap<Reverse<usize>> = free.map(Reverse).collect();
    let mut order = Vec::with_capacity(below.len());
    while let Some(Reverse(place)) = free.pop() {
        order.push(place);
        for &upper in &above[place] {
            waits_for[upper] -= 1;
            if waits_for[upper] == 0 {
                free.push(Reverse(upper));
            }
        }
    }
    match order.len() == below.len() {
        true => Ok(order),
        false => Err(cycle(below, &waits_for)),
    }
}

/// Each revision that still waits stands on one that still waits; so a walk along those
/// comes back to where it was.
fn cycle(below: &[Vec<usize>], waits_for: &[usize]) -> Vec<usize> {
    let waits = |place: &usize| waits_for[*place] > 0;
    let mut walk: Vec<usize> = Vec::new();
    let mut next = (0..below.len()).find(waits);
    while let Some(place) = next {
        if let Some(start) = walk.iter().position(|&seen| seen == place) {
            walk.drain(..start);
            break;
        }
        walk.push(place);
        next = below[place].iter().copied().find(waits);
    }
    let lowest = (0..walk.len()).min_by_key(|&i| walk[i]).unwrap_or(0);
    walk.rotate_left(lowest);
    walk
}

fn circle(revisions: &[Revision], parents: &[Vec<usize>], cycle: &[usize]) -> GraphError {
    let after = cycle.iter().cycle().skip(1);
    let link = |(&place, next): (&usize, &usize)| Link {
        id: revisions[place].id.clone(),
        origin: revisions[place].origin.clone(),
        by: match parents[place].contains(next) {
            true => Edge::Parent,
            false => Edge::Dependency,
        },
    };
    GraphError::CycleDetected {
        cycle: cycle.iter().zip(after).map(link).collect(),
    }
}
