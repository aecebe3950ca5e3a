use underpin_core::Engine;

use super::{PlanError, PlanStep, Work};
use crate::host::Direction;
use crate::revision::{Revision, Script, Section, Statement};

pub(super) fn script(revision: &Revision, direction: Direction) -> &Script {
    match direction {
        Direction::Up => &revision.up,
        Direction::Down => &revision.down,
    }
}

pub(super) fn sections(script: &Script) -> &[Section] {
    match script {
        Script::Sql(sections) => sections,
        Script::Code | Script::Irreversible { .. } => &[],
    }
}

/// The sections that run on the engine, in the order of the file: its own and those for all.
fn for_engine(sections: &[Section], engine: Engine) -> Vec<usize> {
    (0..sections.len())
        .filter(|&index| sections[index].engine.is_none_or(|own| own == engine))
        .collect()
}

/// The statements that run on the engine, in order.
pub(crate) fn statements(
    revision: &Revision,
    direction: Direction,
    engine: Engine,
) -> Vec<&Statement> {
    let sections = sections(script(revision, direction));
    let indices = for_engine(sections, engine).into_iter();
    indices
        .flat_map(|i| sections[i].statements_on(engine))
        .collect()
}

/// The revision as a step; `done` is how many statements ran before, if it stopped halfway.
pub(super) fn step(
    revision: &Revision,
    direction: Direction,
    engine: Engine,
    done: Option<usize>,
) -> Result<PlanStep, PlanError> {
    let script = script(revision, direction);
    let all = sections(script);
    let indices = for_engine(all, engine);
    let own = || indices.iter().map(|&index| &all[index]);
    let transactional = own().all(|section| section.transactional);
    let statements = own()
        .map(|section| section.statements_on(engine).len())
        .sum();
    let work = match script {
        Script::Sql(_) => Work::Sql(indices),
        Script::Code => Work::Code,
        Script::Irreversible { reason } => {
            return Err(PlanError::Irreversible {
                id: revision.id.clone(),
                origin: revision.origin.clone(),
                direction,
                reason: reason.clone(),
            });
        }
    };
    Ok(PlanStep {
        id: revision.id.clone(),
        direction,
        engine,
        work,
        // Half of it stands already, outside any transaction.
        transactional: transactional && done.is_none(),
        statements,
        skip: done.unwrap_or(0),
    })
}
