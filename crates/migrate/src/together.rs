//! Steps that commit together: in one transaction, with their records in the history.

use std::time::Instant;

use underpin_core::{Effect, Error, Result};

use crate::failure::{followed, of_code, of_statement};
use crate::host::Direction;
use crate::plan::{PlanStep, Work};
use crate::revision::Revision;
use crate::run::Run;
use crate::transaction::Transaction;

/// A step with its revision, and where it is in the whole run.
#[derive(Clone, Copy)]
pub(crate) struct RunStep<'a> {
    pub(crate) step: &'a PlanStep,
    pub(crate) revision: &'a Revision,
    /// Counted from 1.
    pub(crate) number: usize,
    pub(crate) of: usize,
}

/// Runs all of them or no revision, and again if a lock was not available.
pub(crate) async fn run(run: &mut Run<'_>, places: &[RunStep<'_>]) -> Result<()> {
    let mut patience = run.patience();
    loop {
        match once(run, places).await {
            Ok(()) => {
                run.table.made();
                return Ok(());
            }
            Err(error) => patience.wait(run, error).await?,
        }
    }
}

async fn once(run: &Run<'_>, places: &[RunStep<'_>]) -> Result<()> {
    let transaction = Transaction::begin(run.host).await?;
    let done = match prepare(run).await {
        Ok(()) => all(run, places).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => transaction
            .commit(run.host)
            .await
            .map_err(|error| not_committed(places, error)),
        Err(error) => {
            transaction.rollback(run.host).await;
            Err(error.with_effect(Effect::RolledBack))
        }
    }
}

/// Within the transaction, where a pooler cannot change the session: the lock is ours.
async fn prepare(run: &Run<'_>) -> Result<()> {
    run.lock.hold(run.host).await?;
    run.table.make(run.host).await
}

async fn all(run: &Run<'_>, places: &[RunStep<'_>]) -> Result<()> {
    for (index, place) in places.iter().enumerate() {
        let (revision, direction) = (place.revision, place.step.direction);
        if index > 0 {
            run.renew_session().await?;
        }
        run.progress
            .begun(revision, direction, place.number, place.of);
        let started = Instant::now();
        work(run, place).await?;
        run.resume_own_role().await?;
        match direction {
            Direction::Up => run.table.put(run.host, revision, started.elapsed()).await?,
            Direction::Down => run.table.remove(run.host, &revision.id).await?,
        }
        run.progress.done(revision, direction, started.elapsed());
    }
    Ok(())
}

async fn work(run: &Run<'_>, place: &RunStep<'_>) -> Result<()> {
    let (revision, direction) = (place.revision, place.step.direction);
    if place.step.work == Work::Code {
        let code = code(run, place).await;
        return code.map_err(|error| of_code(revision, direction, error));
    }
    for section in place.step.sections(run.graph) {
        for statement in section.statements_on(place.step.engine) {
            let ran = run.statement(statement).await;
            ran.map_err(|error| of_statement(revision, statement, error))?;
        }
    }
    Ok(())
}

/// Runs Rust code, which could have ended the transaction, and looks whether it has.
async fn code(run: &Run<'_>, place: &RunStep<'_>) -> Result<()> {
    let begun = run.transaction().await?;
    run.host
        .code(&place.revision.id, place.step.direction)
        .await?;
    run.is_still_in(begun.as_ref()).await?;
    run.check_reach().await
}

fn not_committed(places: &[RunStep<'_>], error: Error) -> Error {
    let error = match places {
        [place] => error.with_context(format!(
            "{}: revision {} could not be committed.",
            place.revision.origin, place.revision.id
        )),
        _ => error.with_context(format!(
            "The transaction of {} revisions could not be committed.",
            places.len()
        )),
    };
    match error.effect() {
        Effect::Unknown => followed(
            error,
            "It may have been committed; `current` shows the state of the database.",
        ),
        _ => error,
    }
}
