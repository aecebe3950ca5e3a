use std::fmt;

use underpin_core::{Class, Error};

use crate::revision::{Origin, RevisionId};

/// What can be wrong with a graph, or with a name for one of its revisions. It is the
/// source of an [`underpin_core::Error`], for programs to match on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GraphError {
    /// Revisions stand on one another in a circle.
    CycleDetected {
        /// Each is followed by one of its parents, and the last has the first as a parent.
        cycle: Vec<(RevisionId, Origin)>,
    },
    /// A revision has a parent that is not there.
    MissingParent {
        /// The revision.
        id: RevisionId,
        /// Where it was read.
        origin: Origin,
        /// The id that no revision has.
        parent: RevisionId,
        /// The revision whose id looks most like it, with its message.
        nearest: Option<(RevisionId, String)>,
    },
    /// Two revisions have one id.
    DuplicateId {
        /// The id.
        id: RevisionId,
        /// Where the two were read.
        origins: [Origin; 2],
    },
    /// A revision is called as a target is.
    ReservedId {
        /// The id.
        id: RevisionId,
        /// Where it was read.
        origin: Origin,
    },
    /// `head` was asked for, and there are several.
    MultipleHeads {
        /// All of them, with their messages.
        heads: Vec<(RevisionId, String)>,
    },
    /// `head` was asked for where it would mean that nothing is to be applied, since there
    /// are no revisions.
    NoRevisions,
    /// No revision has an id that is or begins with the text.
    UnknownRevision {
        /// The text.
        text: String,
        /// The revision whose id looks most like it, with its message.
        nearest: Option<(RevisionId, String)>,
    },
    /// Several revisions have an id that begins with the text.
    AmbiguousRevision {
        /// The text.
        text: String,
        /// All of them, with their messages.
        candidates: Vec<(RevisionId, String)>,
    },
    /// The way down to a revision begins above it, and it is not applied.
    RangeNotAncestor {
        /// The revision.
        id: RevisionId,
        /// Its message.
        message: String,
    },
}

impl GraphError {
    fn hint(&self) -> String {
        match self {
            GraphError::CycleDetected { .. } => {
                "Correct the parents of one of them; the oldest has none of the others.".to_owned()
            }
            GraphError::MissingParent { nearest, .. } => match nearest {
                Some(nearest) => format!(
                    "The nearest known id is {}; if the file of the parent is gone, bring it back.",
                    Label(nearest)
                ),
                None => "Bring its file back, or take it out of the parents.".to_owned(),
            },
            GraphError::DuplicateId { .. } => "Give one of them another id.".to_owned(),
            GraphError::ReservedId { .. } => "Give it another id.".to_owned(),
            GraphError::MultipleHeads { .. } => "Name one of them by its id, say `heads` to mean \
                 all, or add a revision that has all of them as its parents."
                .to_owned(),
            GraphError::NoRevisions => {
                "Look whether the directory of the revisions is the right one; `base` says that \
                 nothing is to be applied."
                    .to_owned()
            }
            GraphError::UnknownRevision { nearest, .. } => match nearest {
                Some(nearest) => format!("The nearest known one is {}.", Label(nearest)),
                None => "There are no revisions at all.".to_owned(),
            },
            GraphError::AmbiguousRevision { .. } => {
                "Write more of the id of the one that is meant.".to_owned()
            }
            GraphError::RangeNotAncestor { .. } => {
                "`current` and `history` show what is applied.".to_owned()
            }
        }
    }
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GraphError::CycleDetected { cycle } => {
                f.write_str("The revisions stand on one another in a circle: ")?;
                for (place, (id, origin)) in cycle.iter().enumerate() {
                    let leads = if place == 0 {
                        ""
                    } else {
                        "which has the parent "
                    };
                    write!(f, "{leads}`{id}` ({origin}), ")?;
                }
                match cycle.first() {
                    Some((first, _)) => write!(f, "which has the parent `{first}`."),
                    None => Ok(()),
                }
            }
            GraphError::MissingParent {
                id, origin, parent, ..
            } => write!(
                f,
                "The revision `{id}` ({origin}) has the parent `{parent}`, and no revision has \
                 this id."
            ),
            GraphError::DuplicateId {
                id,
                origins: [one, other],
            } => write!(
                f,
                "Two revisions have the id `{id}`: one in {one}, the other in {other}."
            ),
            GraphError::ReservedId { id, origin } => write!(
                f,
                "A revision ({origin}) has the id `{id}`, which already means a target."
            ),
            GraphError::MultipleHeads { heads } => write!(
                f,
                "There are {} heads, and `head` could mean any of them: {}.",
                heads.len(),
                labels(heads)
            ),
            GraphError::NoRevisions => f.write_str("There are no revisions, so there is no head."),
            GraphError::UnknownRevision { text, .. } => {
                write!(f, "No revision has an id that is `{text}` or begins so.")
            }
            GraphError::AmbiguousRevision { text, candidates } => write!(
                f,
                "The ids of {} revisions begin with `{text}`: {}.",
                candidates.len(),
                labels(candidates)
            ),
            GraphError::RangeNotAncestor { id, message } => write!(
                f,
                "The revision `{id}` ({message}) is not applied, so there is no way down to it."
            ),
        }
    }
}

impl std::error::Error for GraphError {}

impl From<GraphError> for Error {
    fn from(error: GraphError) -> Self {
        Error::new(Class::Config, error.to_string())
            .with_hint(error.hint())
            .with_source(error)
    }
}

struct Label<'a>(&'a (RevisionId, String));

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, message) = self.0;
        match message.is_empty() {
            true => write!(f, "`{id}`"),
            false => write!(f, "`{id}` ({message})"),
        }
    }
}

/// The revisions with their messages, in one sentence.
pub(crate) fn labels(revisions: &[(RevisionId, String)]) -> String {
    let labels: Vec<String> = revisions.iter().map(|r| Label(r).to_string()).collect();
    labels.join(", ")
}
