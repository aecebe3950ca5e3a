use std::fmt;

use underpin_core::Engine;

use crate::checksum::Checksum;
use crate::graph::{Graph, labelled, labels};
use crate::history::{Applied, History, State};
use crate::host::Direction;
use crate::plan::statements;
use crate::revision::{Origin, Revision, RevisionId};

/// Something about the revisions and a database's history that a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A revision is no longer what it was when it was applied.
    ChecksumChanged {
        /// The revision.
        id: RevisionId,
        /// Where it was read.
        origin: Origin,
        /// The checksum in the history.
        recorded: Checksum,
        /// The checksum of the revision as it is now.
        now: Checksum,
    },
    /// The database has a revision that is not among the files: its file is gone, or
    /// another version of the application applied it.
    UnknownRevision {
        /// The revision.
        id: RevisionId,
        /// Its message, where the history has it.
        message: Option<String>,
        /// How far it got.
        state: State,
    },
    /// A revision failed half-way, outside a transaction.
    Partial {
        /// The revision.
        id: RevisionId,
        /// Where it was read.
        origin: Origin,
        /// Which way it was run.
        direction: Direction,
        /// How many statements ran, and stand.
        done: usize,
        /// How many there are for this engine.
        total: usize,
        /// The line of the statement that failed.
        line: Option<usize>,
        /// Whether the run can go on from there, for the revision is still what it was.
        resumable: bool,
    },
    /// A revision is pending although another that stands on it is applied: it came later,
    /// from another branch. `up` applies it like any other.
    OutOfOrder {
        /// The revision.
        id: RevisionId,
        /// Where it was read.
        origin: Origin,
        /// One that is applied and stands on it.
        above: RevisionId,
    },
    /// The graph has several heads, and of two or more of them nothing says that they are
    /// meant to stay apart: a label that leads to that head alone.
    SeveralHeads {
        /// Those without such a label, with their messages.
        heads: Vec<(RevisionId, String)>,
    },
}

/// All there is to say about the revisions and the history of a database on this engine:
/// first of each entry of the history, in its order, then of the graph. Empty: all is well.
pub fn validate(graph: &Graph, history: &History, engine: Engine) -> Vec<Finding> {
    let mut findings = of_entries(graph, history, engine);
    findings.extend(out_of_order(graph, history));
    let heads = graph.unnamed_heads();
    if heads.len() > 1 {
        findings.push(Finding::SeveralHeads {
            heads: heads.into_iter().map(labelled).collect(),
        });
    }
    findings
}

/// What the entries of a history have against being changed.
pub(crate) fn of_entries(graph: &Graph, history: &History, engine: Engine) -> Vec<Finding> {
    let mut findings = Vec::new();
    for entry in history.entries() {
        let Some(revision) = graph.get(&entry.id) else {
            findings.push(Finding::UnknownRevision {
                id: entry.id.clone(),
                message: entry.message.clone(),
                state: entry.state,
            });
            continue;
        };
        let again = revision.repeatable && entry.state == State::Done;
        if revision.checksum != entry.checksum && !again {
            findings.push(Finding::ChecksumChanged {
                id: entry.id.clone(),
                origin: revision.origin.clone(),
                recorded: entry.checksum,
                now: revision.checksum,
            });
        }
        findings.extend(partial(revision, entry, engine));
    }
    findings
}

fn partial(revision: &Revision, entry: &Applied, engine: Engine) -> Option<Finding> {
    let State::Partial {
        statements_done: done,
        direction,
    } = entry.state
    else {
        return None;
    };
    let all = statements(revision, direction, engine);
    Some(Finding::Partial {
        id: revision.id.clone(),
        origin: revision.origin.clone(),
        direction,
        done,
        total: all.len(),
        line: all.get(done).map(|statement| statement.line),
        resumable: revision.checksum == entry.checksum && done <= all.len(),
    })
}

fn out_of_order(graph: &Graph, history: &History) -> Vec<Finding> {
    let revisions = graph.topological();
    let mut above: Vec<Option<&RevisionId>> = vec![None; revisions.len()];
    for (place, revision) in revisions.iter().enumerate().rev() {
        let own = history.is_applied(&revision.id).then_some(&revision.id);
        let applied = own.or(above[place]);
        for &parent in graph.order().below(place) {
            above[parent] = applied.or(above[parent]);
        }
    }
    let pending = revisions.iter().zip(above);
    let pending = pending.filter(|(revision, _)| !history.is_applied(&revision.id));
    pending
        .filter_map(|(revision, above)| {
            Some(Finding::OutOfOrder {
                id: revision.id.clone(),
                origin: revision.origin.clone(),
                above: above?.clone(),
            })
        })
        .collect()
}

impl Finding {
    /// Whether `up` and `down` refuse to run because of it.
    pub fn blocks(&self) -> bool {
        match self {
            Finding::ChecksumChanged { .. } | Finding::UnknownRevision { .. } => true,
            Finding::Partial { resumable, .. } => !resumable,
            Finding::OutOfOrder { .. } | Finding::SeveralHeads { .. } => false,
        }
    }

    /// Command about it, in full sentences.
    pub fn advice(&self) -> String {
        match self {
            Finding::ChecksumChanged { id, .. } => format!(
                "Undo the change and put it into a new revision; or, if the database is correct as \
                 it is, accept the current `{id}` with `repair`."
            ),
            Finding::UnknownRevision { .. } => {
                "Restore its file, or run the version of the application that has it; or, if the \
                 database has no trace of it, correct the history with `stamp`."
                    .to_owned()
            }
            Finding::Partial {
                id,
                direction,
                done,
                total,
                resumable,
                ..
            } => {
                let command = command(*direction);
                let next = done + 1;
                let go_on = match resumable {
                    _ if done > total => "Check which parts of it the database has.".to_owned(),
                    true => format!(
                        "Remove the cause of the failure of statement {next} and run `{command}` \
                         again, which continues with it."
                    ),
                    false => format!(
                        "Accept the current `{id}` with `repair` and run `{command}` again, which \
                         continues with statement {next}."
                    ),
                };
                format!(
                    "{go_on} Or run the remaining statements, or undo those that ran, by hand, \
                     and correct the history with `stamp`."
                )
            }
            Finding::OutOfOrder { .. } => "`up` applies it like any other.".to_owned(),
            Finding::SeveralHeads { .. } => "Use `merge` to write a revision that has all of them \
                                             as its parents; or, if they should stay separate, \
                                             give each branch a label."
                .to_owned(),
        }
    }
}

/// The finding, in full sentences, without the advice.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::ChecksumChanged {
                id,
                origin,
                recorded,
                now,
            } => write!(
                f,
                "The revision `{id}` ({origin}) has changed since it was applied: its checksum \
                 was {recorded}, and is now {now}."
            ),
            Finding::UnknownRevision { id, message, state } => {
                let message = message.as_deref().map(|m| format!(" ({m})"));
                let message = message.unwrap_or_default();
                let how = match state {
                    State::Done => String::new(),
                    State::Partial {
                        statements_done,
                        direction,
                    } => format!(
                        ", stopped halfway {} after {statements_done} statements",
                        command(*direction)
                    ),
                };
                write!(
                    f,
                    "The database has the revision `{id}`{message}{how}, but there is no file for \
                     it."
                )
            }
            Finding::Partial {
                id,
                origin,
                direction,
                done,
                total,
                line,
                resumable,
            } => {
                let way = command(*direction);
                write!(
                    f,
                    "The revision `{id}` ({origin}) stopped halfway {way}: {done} of its \
                     {total} statements for this engine ran, and their changes remain"
                )?;
                if let Some(line) = line {
                    write!(f, "; statement {}, on line {line}, did not", done + 1)?;
                }
                f.write_str(".")?;
                match resumable {
                    true => Ok(()),
                    false => f.write_str(" It is no longer the revision that ran."),
                }
            }
            Finding::OutOfOrder { id, origin, above } => write!(
                f,
                "The revision `{id}` ({origin}) is pending, although `{above}`, which depends on \
                 it, is applied."
            ),
            Finding::SeveralHeads { heads } => {
                write!(f, "There are {} heads: {}.", heads.len(), labels(heads))
            }
        }
    }
}

/// The name of the command that goes this way; it is the word for the way, too.
pub(crate) fn command(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}
