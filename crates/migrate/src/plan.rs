use std::ops::Range;

use underpin_core::{Engine, Result};

use crate::dialect::MigrationDialect;
use crate::graph::Graph;
use crate::history::{History, State};
use crate::host::Direction;
use crate::revision::{Revision, RevisionId, Script, Section};
use crate::target::Target;
use crate::validate::{Finding, of_entries};

mod choice;
mod error;
mod order;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod reference;
#[cfg(test)]
pub(crate) mod samples;
mod step;
mod steps;
#[cfg(test)]
mod tests;

pub(crate) use choice::{is_due, wrong_target};
pub use choice::{leads_down, pending};
pub use error::PlanError;
pub(crate) use step::statements;

/// The steps of a run, in order. For the same graph, history and target they are the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The revisions, each in its direction.
    pub steps: Vec<PlanStep>,
    /// How the steps are grouped into transactions: every step is in one group, and the
    /// groups follow one another.
    pub groups: Vec<Group>,
}

/// One revision of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanStep {
    /// The revision.
    pub id: RevisionId,
    /// Which way it runs.
    pub direction: Direction,
    /// The engine that it runs on.
    pub engine: Engine,
    /// The work of the step.
    pub work: Work,
    /// Whether all of it can run within a transaction, that of its group.
    pub transactional: bool,
    /// How many statements the sections of this engine have.
    pub statements: usize,
    /// How many of them an earlier run has done, which are to be left out.
    pub skip: usize,
}

/// The work of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// The sections for the engine, by their index in the script of the revision: its own
    /// ones or, where it has none, those for all. None at all: nothing runs, and the
    /// revision is only recorded.
    Sql(Vec<usize>),
    /// Rust code.
    Code,
}

/// Steps that follow one another and commit together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Group {
    /// Their indices in the plan.
    pub steps: Range<usize>,
    /// Whether one transaction holds them all, with their records in the history. Otherwise
    /// the group is a single step with a `no-transaction` section: its sections run one by
    /// one, and how far it got is recorded in between.
    pub transactional: bool,
}

/// How much one transaction holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// As much as it can: what stands before a `no-transaction` section commits first, and
    /// on an engine whose DDL cannot be rolled back it is the same as `PerRevision`.
    OneTransaction,
    /// One revision.
    #[default]
    PerRevision,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.steps.len()
    }
}

impl PlanStep {
    /// The sections that run, in order, of the graph that the plan was made for. The first
    /// [`skip`](Self::skip) statements in them are done.
    pub fn sections<'g>(&self, graph: &'g Graph) -> Vec<&'g Section> {
        match (&self.work, graph.get(&self.id)) {
            (Work::Sql(indices), Some(revision)) => {
                let sections = step::sections(step::script(revision, self.direction));
                indices.iter().filter_map(|&i| sections.get(i)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Plans `up TARGET`. A revision that is pending although one that stands on it is
/// applied (it came later, from another branch) is applied like any other. One that stopped
/// half-way up comes first, and goes on where it stopped.
///
/// `+n` is the next n that are pending, or as many as there are; where others could come
/// as well that lead to other heads, it is ambiguous and refused. On a branch it is the next
/// n of the branch, with what they stand on. Nothing pending is an empty plan. Refused is a history that does not agree with the revisions: one that has
/// changed or whose file is missing, one that stopped halfway down, one that stopped
/// half-way up and does not belong to the target. The source of the error is a
/// [`PlanError`] or a [`GraphError`](crate::GraphError).
pub fn plan_up(
    graph: &Graph,
    history: &History,
    target: &Target,
    engine: Engine,
    mode: Mode,
) -> Result<Plan> {
    plan(graph, history, target, engine, mode, Direction::Up)
}

/// Plans `down TARGET`: `base` takes down all that is applied, `-n` the first n of that,
/// an id all that stands on that revision, which stays, like whatever is on other branches.
/// What stands on another, or depends on it, comes before it; otherwise the last applied
/// comes first.
///
/// On a branch, `base` takes down the bases that the branch descends from and all that
/// stands on those, `-n` the last n of the branch and all that stands on those, an id only
/// what stands on it on the branch.
///
/// Refused is what [`plan_up`] refuses, the other way round; more with `-n` than are
/// applied; and a revision that cannot be undone.
pub fn plan_down(
    graph: &Graph,
    history: &History,
    target: &Target,
    engine: Engine,
    mode: Mode,
) -> Result<Plan> {
    plan(graph, history, target, engine, mode, Direction::Down)
}

fn plan(
    graph: &Graph,
    history: &History,
    target: &Target,
    engine: Engine,
    mode: Mode,
    direction: Direction,
) -> Result<Plan> {
    choice::suits(direction, target)?;
    let findings = of_entries(graph, history, engine);
    let (resumable, wrong): (Vec<_>, Vec<_>) = findings
        .into_iter()
        .partition(|finding| resumes(finding, direction));
    if !wrong.is_empty() {
        return Err(PlanError::History { findings: wrong }.into());
    }
    let places = match direction {
        Direction::Up => choice::up(graph, history, target)?,
        Direction::Down => choice::down(graph, history, target)?,
    };
    let left_out = |finding: &Finding| match finding {
        Finding::Partial { id, .. } if graph.place(id).is_none() => {
            !choice::is_all(graph, history, &places)
        }
        Finding::Partial { id, .. } => graph.place(id).is_none_or(|p| !places.contains(&p)),
        _ => false,
    };
    let findings: Vec<Finding> = resumable.into_iter().filter(left_out).collect();
    if !findings.is_empty() {
        return Err(PlanError::History { findings }.into());
    }
    let revisions = places.iter().map(|&place| &graph.topological()[place]);
    let revisions: Vec<&Revision> = match direction {
        Direction::Up if choice::is_all(graph, history, &places) => {
            revisions.chain(choice::due(graph, history)).collect()
        }
        Direction::Up => revisions.collect(),
        // What stands on all others goes before them, if it can.
        Direction::Down if places.is_empty() => Vec::new(),
        Direction::Down => {
            let undone = graph.repeatables().iter().rev();
            let undone = undone.filter(|revision| {
                let irreversible = matches!(revision.down, Script::Irreversible { .. });
                !irreversible && history.is_applied(&revision.id)
            });
            undone.chain(revisions).collect()
        }
    };
    let steps = revisions
        .into_iter()
        .map(|revision| {
            let skip = match history.get(&revision.id).map(|entry| entry.state) {
                Some(State::Partial {
                    statements_done, ..
                }) => Some(statements_done),
                _ => None,
            };
            step::step(revision, direction, engine, skip)
        })
        .collect::<Result<Vec<PlanStep>, PlanError>>()?;
    let groups = groups(&steps, engine, mode);
    Ok(Plan { steps, groups })
}

/// Whether a run in this direction goes on with what stopped halfway.
fn resumes(finding: &Finding, run: Direction) -> bool {
    match finding {
        Finding::Partial {
            direction,
            resumable,
            ..
        } => *resumable && *direction == run,
        _ => false,
    }
}

fn groups(steps: &[PlanStep], engine: Engine, mode: Mode) -> Vec<Group> {
    let together = mode == Mode::OneTransaction
        && MigrationDialect::of(engine).is_ok_and(|of| of.sql.transactions.ddl);
    let mut groups: Vec<Group> = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        match groups.last_mut() {
            Some(last) if together && last.transactional && step.transactional => {
                last.steps.end = index + 1;
            }
            _ => groups.push(Group {
                steps: index..index + 1,
                transactional: step.transactional,
            }),
        }
    }
    groups
}
