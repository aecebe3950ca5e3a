use underpin_core::Result;

use super::PlanError;
use super::order::{ascending, descending};
use super::steps::{Walk, first};
use crate::graph::{Graph, GraphError, labelled};
use crate::history::{Applied, History, State};
use crate::host::Direction;
use crate::revision::Revision;
use crate::target::Target;
use crate::validate::command;

/// The revisions that `up heads` would apply, in the order in which it would; one that
/// stopped halfway up is among them.
pub fn pending<'g>(graph: &'g Graph, history: &History) -> Vec<&'g Revision> {
    let places = ascending(graph, history).into_iter();
    let pending = places.map(|place| &graph.topological()[place]);
    pending.chain(due(graph, history)).collect()
}

/// The repeatable revisions that have not run as they are now, in the order in which they run.
pub(super) fn due<'g>(graph: &'g Graph, history: &History) -> impl Iterator<Item = &'g Revision> {
    let repeatables = graph.repeatables().iter();
    repeatables.filter(|revision| is_due(revision, history))
}

/// Whether it is repeatable, and has not run as it is now.
pub(crate) fn is_due(revision: &Revision, history: &History) -> bool {
    let ran = |entry: &Applied| entry.state == State::Done && entry.checksum == revision.checksum;
    revision.repeatable && !history.get(&revision.id).is_some_and(ran)
}

/// Whether these places are all that is pending.
pub(super) fn is_all(graph: &Graph, history: &History, places: &[usize]) -> bool {
    ascending(graph, history).len() == places.len()
}

/// Refuses a target that lies in the other direction.
pub(super) fn suits(direction: Direction, target: &Target) -> Result<(), PlanError> {
    let (_, goal) = target.split();
    let other_way = match direction {
        Direction::Up => matches!(goal, Target::Base | Target::Back(_)),
        Direction::Down => matches!(goal, Target::Head | Target::Heads | Target::Forward(_)),
    };
    match other_way {
        true => Err(wrong_target(command(direction), target)),
        false => Ok(()),
    }
}

/// Whether going to the target is going down: `base`, `-n`, and what is applied already.
pub fn leads_down(graph: &Graph, history: &History, target: &Target) -> Result<bool> {
    let (_, goal) = target.split();
    Ok(match goal {
        Target::Base | Target::Back(_) => true,
        Target::Head | Target::Heads | Target::Forward(_) => false,
        _ => {
            let ends = graph.ends(target)?.unwrap_or_default();
            ends.iter().any(|end| history.is_applied(&end.id))
        }
    })
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
    let (branch, goal) = target.split();
    let ends = match goal {
        Target::Forward(count) => {
            let lineage = graph.lineage_of(branch)?;
            let walk = Walk::up(graph, history, target, lineage);
            first(&walk, &places, count.get())?
        }
        _ => match graph.end_places(target)? {
            Some(ends) => ends,
            None => return Err(wrong_target("up", target).into()),
        },
    };
    let wanted = graph.order().with_below(ends);
    places.retain(|&place| wanted[place]);
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
    let (branch, goal) = target.split();
    let roots = match goal {
        Target::Base => bases(graph, branch)?,
        Target::Back(count) => {
            let lineage = graph.lineage_of(branch)?;
            let order = descending(graph, history, &applied);
            let there = order.iter().filter(|&&place| lineage[place]).count();
            if there < count.get() {
                return Err(PlanError::TooFewApplied {
                    asked: count.get(),
                    applied: there,
                    branch: branch.map(str::to_owned),
                }
                .into());
            }
            let walk = Walk::down(graph, history, target, lineage);
            first(&walk, &order, count.get())?
        }
        _ => above_end(graph, history, target)?,
    };
    let above = graph.order().with_above(roots);
    let wanted: Vec<usize> = applied.into_iter().filter(|&p| above[p]).collect();
    Ok(descending(graph, history, &wanted))
}

/// The revisions without a parent; of a branch, those that it descends from.
fn bases(graph: &Graph, branch: Option<&str>) -> Result<Vec<usize>, GraphError> {
    let below = match branch {
        None => vec![true; graph.len()],
        Some(branch) => graph.line().with_below([graph.find_branch(branch)?]),
    };
    let base = |place: &usize| below[*place] && graph.line().below(*place).is_empty();
    Ok((0..graph.len()).filter(base).collect())
}

/// What stands right above the revision that the target names, which stays itself; with a
/// branch, only what is on it.
fn above_end(graph: &Graph, history: &History, target: &Target) -> Result<Vec<usize>> {
    let (branch, goal) = target.split();
    let one = !matches!(goal, Target::Head | Target::Heads);
    let Some(end) = graph.end_places(target)?.filter(|_| one) else {
        return Err(wrong_target("down", target).into());
    };
    let lineage = graph.lineage_of(branch)?;
    let mut roots = Vec::new();
    for end in end {
        let revision = &graph.topological()[end];
        if !history.is_applied(&revision.id) {
            let (id, message) = labelled(revision);
            return Err(GraphError::RangeNotAncestor { id, message }.into());
        }
        let children = graph.line().above(end).iter();
        roots.extend(children.copied().filter(|&child| lineage[child]));
    }
    Ok(roots)
}
