use underpin_core::Result;

use super::PlanError;
use super::order::{ascending, descending};
use crate::graph::{Graph, GraphError, labelled};
use crate::history::History;
use crate::host::Direction;
use crate::revision::Revision;
use crate::target::Target;
use crate::validate::command;

/// The revisions that `up heads` would apply, in the order in which it would; one that
/// stopped half-way up is among them.
pub fn pending<'g>(graph: &'g Graph, history: &History) -> Vec<&'g Revision> {
    let places = ascending(graph, history).into_iter();
    places.map(|place| &graph.topological()[place]).collect()
}

/// Refuses a target that lies in the other direction.
pub(super) fn suits(direction: Direction, target: &Target) -> Result<(), PlanError> {
    let other_way = match direction {
        Direction::Up => matches!(target, Target::Base | Target::Back(_)),
        Direction::Down => matches!(target, Target::Head | Target::Heads | Target::Forward(_)),
    };
    match other_way {
        true => Err(wrong_target(command(direction), target)),
        false => Ok(()),
    }
}

pub(crate) fn wrong_target(command: &'static str, target: &Target) -> PlanError {
    PlanError::WrongTarget {
        command,
        target: target.clone(),
    }
}

/// The places of what is to be applied, in order.
pub(super) fn up(graph: &Graph, history: &History, target: &Target) -> Result<Vec<usize>> {
    let mut places = ascending(graph, history);
    let end = match target {
        Target::Heads => None,
        Target::Head => graph.head()?,
        Target::Revision(text) => Some(graph.resolve(text)?),
        Target::Forward(count) => {
            places.truncate(count.get());
            None
        }
        Target::Base | Target::Back(_) => return Err(wrong_target("up", target).into()),
    };
    if let Some(end) = end {
        let wanted = graph.with_ancestors(graph.place(&end.id));
        places.retain(|&place| wanted[place]);
    }
    Ok(places)
}

/// The places of what is to be undone, in order.
pub(super) fn down(graph: &Graph, history: &History, target: &Target) -> Result<Vec<usize>> {
    let applied: Vec<usize> = history
        .entries()
        .iter()
        .filter(|entry| entry.is_applied())
        .filter_map(|entry| graph.place(&entry.id))
        .collect();
    let wanted = match target {
        Target::Base => applied,
        Target::Back(count) => last(graph, &applied, count.get())?,
        Target::Revision(text) => {
            let end = graph.resolve(text)?;
            if !history.is_applied(&end.id) {
                let (id, message) = labelled(end);
                return Err(GraphError::RangeNotAncestor { id, message }.into());
            }
            let above = graph.with_descendants(
                graph
                    .children(&end.id)
                    .iter()
                    .filter_map(|child| graph.place(&child.id)),
            );
            applied.into_iter().filter(|&p| above[p]).collect()
        }
        Target::Head | Target::Heads | Target::Forward(_) => {
            return Err(wrong_target("down", target).into());
        }
    };
    Ok(descending(graph, history, &wanted))
}

/// The last so many of what is applied, in the order in which it was.
fn last(graph: &Graph, applied: &[usize], count: usize) -> Result<Vec<usize>, PlanError> {
    let Some(start) = applied.len().checked_sub(count) else {
        return Err(PlanError::TooFewApplied {
            asked: count,
            applied: applied.len(),
        });
    };
    let enough = closed_from(graph, applied, start);
    if enough == start {
        return Ok(applied[start..].to_vec());
    }
    let id = |place: usize| graph.topological()[place].id.clone();
    let above = graph.with_descendants(applied[start..].iter().copied());
    let children = applied[..start].iter().filter(|&&place| above[place]);
    let children: Vec<usize> = children.copied().collect();
    let below = graph.with_ancestors(children.iter().copied());
    let lost = applied[start..].iter().rev().find(|&&place| below[place]);
    Err(PlanError::StrandsApplied {
        id: id(*lost.unwrap_or(&applied[start])),
        children: children.into_iter().map(id).collect(),
        enough: applied.len() - enough,
    })
}

/// The latest start, not after this one, from which on nothing is missing that stands on
/// something there.
fn closed_from(graph: &Graph, applied: &[usize], mut start: usize) -> usize {
    loop {
        let above = graph.with_descendants(applied[start..].iter().copied());
        match applied[..start].iter().position(|&place| above[place]) {
            Some(earlier) => start = earlier,
            None => return start,
        }
    }
}
