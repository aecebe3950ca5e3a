use std::fmt;

use underpin_core::{Class, Error};

use crate::host::Direction;
use crate::revision::{Origin, RevisionId};
use crate::target::Target;
use crate::validate::{Finding, command};

/// Why there is no plan. It is the source of an [`underpin_core::Error`], for programs to
/// match on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// The command does not go to such a target.
    WrongTarget {
        /// The command.
        command: &'static str,
        /// The target.
        target: Target,
    },
    /// The history does not agree with the revisions, or something stopped halfway that
    /// this run would not go on with.
    History {
        /// The obstacle.
        findings: Vec<Finding>,
    },
    /// There is no way through a revision in this direction.
    Irreversible {
        /// The revision.
        id: RevisionId,
        /// Where it was read.
        origin: Origin,
        /// The direction.
        direction: Direction,
        /// The author's reason.
        reason: String,
    },
    /// More were to be undone than are applied.
    TooFewApplied {
        /// How many were to be undone.
        asked: usize,
        /// How many are applied.
        applied: usize,
        /// The branch, where one was named.
        branch: Option<String>,
    },
}

impl PlanError {
    fn hint(&self) -> String {
        match self {
            PlanError::WrongTarget { command, target } => match (*command, target) {
                ("up", _) => format!("`down {target}` goes there."),
                ("down", _) => format!("`up {target}` goes there."),
                _ => "Name a revision, `head`, `heads` or `base`.".to_owned(),
            },
            PlanError::History { findings } => {
                // What is half-way and has changed has one advice for both.
                let half_way = |id: &RevisionId| {
                    findings.iter().any(
                        |finding| matches!(finding, Finding::Partial { id: half, .. } if half == id),
                    )
                };
                let counts = |finding: &&Finding| match finding {
                    Finding::ChecksumChanged { id, .. } => !half_way(id),
                    _ => true,
                };
                let mut advice: Vec<String> = Vec::new();
                for one in findings.iter().filter(counts).map(Finding::advice) {
                    if !advice.contains(&one) {
                        advice.push(one);
                    }
                }
                advice.join(" ")
            }
            PlanError::Irreversible { .. } => "Go only as far as the revision before or after it, \
                                               or make the changes by hand and set the history \
                                               with `stamp`."
                .to_owned(),
            PlanError::TooFewApplied { branch, .. } => match branch {
                Some(branch) => format!("`down {branch}@base` reverts all of it."),
                None => "`down base` reverts all applied revisions.".to_owned(),
            },
        }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanError::WrongTarget { command, target } => {
                write!(f, "`{command}` does not go to `{target}`.")
            }
            PlanError::History { findings } => {
                for (index, finding) in findings.iter().enumerate() {
                    let space = if index == 0 { "" } else { " " };
                    write!(f, "{space}{finding}")?;
                }
                Ok(())
            }
            PlanError::Irreversible {
                id,
                origin,
                direction,
                reason,
            } => write!(
                f,
                "There is no way {} through the revision `{id}` ({origin}): {reason}",
                command(*direction)
            ),
            PlanError::TooFewApplied {
                asked,
                applied,
                branch,
            } => {
                write!(
                    f,
                    "{asked} revisions should be reverted, but {applied} are applied"
                )?;
                match branch {
                    Some(branch) => write!(f, " on the branch `{branch}`."),
                    None => f.write_str("."),
                }
            }
        }
    }
}

impl std::error::Error for PlanError {}

impl From<PlanError> for Error {
    fn from(error: PlanError) -> Self {
        Error::new(Class::Config, error.to_string())
            .with_hint(error.hint())
            .with_source(error)
    }
}
