use underpin_core::{Class, Engine, Error, Result};

use crate::checksum::{Checksum, statement_hash};
use crate::graph::Graph;
use crate::history::{Applied, History, State};
use crate::plan::statements;
use crate::revision::{Origin, Revision, RevisionId};
use crate::validate::command;

/// A checksum that `repair` accepts in the history. Nothing else of the entry changes: a
/// revision that stopped halfway is still half-way, and goes on in the file as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repair {
    /// The revision.
    pub id: RevisionId,
    /// Where it was read.
    pub origin: Origin,
    /// The checksum in the history.
    pub recorded: Checksum,
    /// The checksum of the revision as it is now, which takes its place.
    pub now: Checksum,
}

/// The changes that `repair` would accept, in the order of the history. An entry whose file is
/// missing is left alone, for there is nothing to accept.
///
/// # Errors
/// [`Class::Config`] for a revision that stopped half-way, if the statements that ran are no
/// longer its first ones: the next run would begin at another statement than the one that
/// failed.
pub fn repair(graph: &Graph, history: &History, engine: Engine) -> Result<Vec<Repair>> {
    let mut repairs = Vec::new();
    for entry in history.entries() {
        let Some(revision) = graph.get(&entry.id) else {
            continue;
        };
        // A repeatable one runs again.
        let again = revision.repeatable && entry.state == State::Done;
        if revision.checksum == entry.checksum || again {
            continue;
        }
        begins_as_it_ran(revision, entry, engine)?;
        repairs.push(Repair {
            id: entry.id.clone(),
            origin: revision.origin.clone(),
            recorded: entry.checksum,
            now: revision.checksum,
        });
    }
    Ok(repairs)
}

fn begins_as_it_ran(revision: &Revision, entry: &Applied, engine: Engine) -> Result<()> {
    let State::Partial {
        statements_done,
        direction,
    } = entry.state
    else {
        return Ok(());
    };
    if statements_done == 0 {
        return Ok(());
    }
    let now = statements(revision, direction, engine);
    let (id, origin) = (&revision.id, &revision.origin);
    let (what, line) = match &entry.statements_ran[..] {
        ran if ran.len() != statements_done => (
            format!("which {statements_done} of its statements ran was not recorded"),
            None,
        ),
        ran => {
            let mut pairs = ran
                .iter()
                .enumerate()
                .map(|(at, ran)| (at, ran, now.get(at)));
            let other = pairs
                .find(|(_, ran, now)| now.is_none_or(|now| statement_hash(now, engine) != **ran));
            let Some((at, _, now)) = other else {
                return Ok(());
            };
            let what = format!(
                "its first {statements_done} statements ran, and statement {} is not the one \
                 that ran",
                at + 1
            );
            (what, now.map(|now| now.line))
        }
    };
    let place = line.map_or_else(String::new, |line| format!(", line {line}"));
    Err(Error::new(
        Class::Config,
        format!(
            "{origin}{place}: The revision `{id}` stopped halfway {}: {what}.",
            command(direction)
        ),
    )
    .with_hint(
        "Leave the statements that ran as they were, and put what is new behind them. Or undo \
         them by hand, and let `stamp` set the history.",
    ))
}
