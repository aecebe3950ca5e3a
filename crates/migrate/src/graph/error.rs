use std::fmt;

use underpin_core::{Class, Error};

use crate::revision::{BranchLabel, Origin, Revision, RevisionId};

/// How a revision stands on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Edge {
    /// The other is one of its parents.
    Parent,
    /// It depends on the other.
    Dependency,
}

/// A revision of a cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The revision.
    pub id: RevisionId,
    /// Where it was read.
    pub origin: Origin,
    /// How it stands on the next one.
    pub by: Edge,
}

/// An error of a graph, or of a name for one of its revisions. It is the
/// source of an [`underpin_core::Error`], for programs to match on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GraphError {
    /// Revisions stand on one another in a circle.
    CycleDetected {
        /// Each stands on the next, and the last on the first.
        cycle: Vec<Link>,
    },
    /// A revision has a parent, or depends on a revision, that is not there.
    MissingParent {
        /// The revision.
        id: RevisionId,
        /// Where it was read.
        origin: Origin,
        /// The id that no revision has.
        parent: RevisionId,
        /// As what it is named.
        by: Edge,
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
    /// A label names two revisions, or is the id of one, or a target.
    BranchTaken {
        /// The label.
        label: BranchLabel,
        /// The revision that has it.
        id: RevisionId,
        /// Where that was read.
        origin: Origin,
        /// The revision that has it too, as a label or as its id; none for the word of a
        /// target.
        by: Option<(RevisionId, Origin)>,
    },
    /// One head was asked for, or so many revisions on the way to one, and there are several.
    MultipleHeads {
        /// The requested name.
        target: String,
        /// All of them, with their messages.
        heads: Vec<(RevisionId, String)>,
    },
    /// `head` was asked for where it would mean that nothing is to be applied, since there
    /// are no revisions.
    NoRevisions,
    /// No revision has an id that is or begins with the text, or it as a branch label.
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
    /// No revision has the label, or an id that is or begins with the text.
    UnknownBranch {
        /// The text.
        text: String,
        /// The labels that there are.
        known: Vec<BranchLabel>,
    },
    /// The revision is on other branches than the one that was named.
    NotOnBranch {
        /// The branch.
        branch: String,
        /// The revision, with its message.
        revision: (RevisionId, String),
    },
    /// A number of steps beside a revision leads past the end of the graph.
    WalkedTooFar {
        /// The requested name.
        target: String,
        /// How many steps there are.
        there: usize,
    },
    /// A number of steps beside a revision leads to where there are several ways on.
    AmbiguousWalk {
        /// The requested name.
        target: String,
        /// The ways on, with their messages.
        choices: Vec<(RevisionId, String)>,
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
    pub(crate) fn several_heads(target: impl fmt::Display, heads: Vec<&Revision>) -> Self {
        GraphError::MultipleHeads {
            target: target.to_string(),
            heads: heads.into_iter().map(labelled).collect(),
        }
    }

    fn hint(&self) -> String {
        match self {
            GraphError::CycleDetected { .. } => {
                "Correct the parents or the dependencies of one of them; the oldest must not \
                 depend on any of the others."
                    .to_owned()
            }
            GraphError::MissingParent { nearest, by, .. } => match nearest {
                Some(nearest) => format!(
                    "The nearest known id is {}; if the file of the {} is missing, restore it.",
                    Label(nearest),
                    match by {
                        Edge::Parent => "parent",
                        Edge::Dependency => "dependency",
                    }
                ),
                None => format!(
                    "Restore its file, or remove it from the {}.",
                    match by {
                        Edge::Parent => "parents",
                        Edge::Dependency => "dependencies",
                    }
                ),
            },
            GraphError::BranchTaken { .. } => "Give the branch another label.".to_owned(),
            GraphError::DuplicateId { .. } => "Give one of them another id.".to_owned(),
            GraphError::ReservedId { .. } => "Give it another id.".to_owned(),
            GraphError::MultipleHeads { target, heads } => of_several(target, heads),
            GraphError::NoRevisions => {
                "Check that the directory of the revisions is the right one; `base` means that no \
                 revision is applied."
                    .to_owned()
            }
            GraphError::UnknownRevision { nearest, .. } => match nearest {
                Some(nearest) => format!("The nearest known one is {}.", Label(nearest)),
                None => "`migrate history` lists the revisions.".to_owned(),
            },
            GraphError::AmbiguousRevision { .. } => {
                "Write more of the id of the intended revision.".to_owned()
            }
            GraphError::UnknownBranch { known, .. } => match known.is_empty() {
                true => {
                    "No branch has a label; the id of a revision also names its branch.".to_owned()
                }
                false => {
                    let known: Vec<String> = known.iter().map(|l| format!("`{l}`")).collect();
                    format!("There are the branches {}.", known.join(", "))
                }
            },
            GraphError::NotOnBranch { .. } => {
                "`branches` and `history` show what is on which branch.".to_owned()
            }
            GraphError::WalkedTooFar { .. } => {
                "Write a smaller number, or the id of the intended revision.".to_owned()
            }
            GraphError::AmbiguousWalk { choices, .. } => match choices.first() {
                Some((first, _)) => format!(
                    "Name the branch, as in `{first}@…`, or the id of the intended revision."
                ),
                None => "Write the id of the intended revision.".to_owned(),
            },
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
                f.write_str("The revisions depend on each other in a cycle: ")?;
                for Link { id, origin, by } in cycle {
                    let leads = match by {
                        Edge::Parent => "which has the parent",
                        Edge::Dependency => "which depends on",
                    };
                    write!(f, "`{id}` ({origin}), {leads} ")?;
                }
                match cycle.first() {
                    Some(first) => write!(f, "`{}`.", first.id),
                    None => Ok(()),
                }
            }
            GraphError::MissingParent {
                id,
                origin,
                parent,
                by,
                ..
            } => {
                let stands = match by {
                    Edge::Parent => "has the parent",
                    Edge::Dependency => "depends on",
                };
                write!(
                    f,
                    "The revision `{id}` ({origin}) {stands} `{parent}`, but no revision has this \
                     id."
                )
            }
            GraphError::BranchTaken {
                label,
                id,
                origin,
                by: Some((other, at)),
            } => write!(
                f,
                "The revision `{id}` ({origin}) has the branch label `{label}`, which already \
                 names `{other}` ({at})."
            ),
            GraphError::BranchTaken {
                label, id, origin, ..
            } => write!(
                f,
                "The revision `{id}` ({origin}) has the branch label `{label}`, which already \
                 means a target."
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
            naming => naming.fmt_naming(f),
        }
    }
}

impl GraphError {
    /// The sentence of what is wrong with a name for revisions, and not with the graph.
    fn fmt_naming(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GraphError::MultipleHeads { target, heads } => write!(
                f,
                "There are {} heads, and `{target}` could mean any of them: {}.",
                heads.len(),
                labels(heads)
            ),
            GraphError::NoRevisions => f.write_str("There are no revisions, so there is no head."),
            GraphError::UnknownRevision { text, .. } => {
                write!(f, "No revision has an id that is or begins with `{text}`.")
            }
            GraphError::AmbiguousRevision { text, candidates } => write!(
                f,
                "The ids of {} revisions begin with `{text}`: {}.",
                candidates.len(),
                labels(candidates)
            ),
            GraphError::UnknownBranch { text, .. } => write!(
                f,
                "No branch has the label `{text}`, and no revision has an id that begins with it."
            ),
            GraphError::NotOnBranch { branch, revision } => write!(
                f,
                "The revision {} is not on the branch `{branch}`.",
                Label(revision)
            ),
            GraphError::WalkedTooFar { target, there } => write!(
                f,
                "There is no revision at `{target}`: {there} steps that way the graph ends."
            ),
            GraphError::AmbiguousWalk { target, choices } => write!(
                f,
                "On the way to `{target}` there are {} possible paths: {}.",
                choices.len(),
                labels(choices)
            ),
            GraphError::RangeNotAncestor { id, message } => write!(
                f,
                "The revision `{id}` ({message}) is not applied, so there is no way down to it."
            ),
            // What is wrong with the graph itself has its sentence above.
            GraphError::CycleDetected { .. }
            | GraphError::MissingParent { .. }
            | GraphError::DuplicateId { .. }
            | GraphError::ReservedId { .. }
            | GraphError::BranchTaken { .. } => Ok(()),
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

/// Command where a target could mean several heads.
fn of_several(target: &str, heads: &[(RevisionId, String)]) -> String {
    let first = heads.first().map_or("", |(id, _)| id.as_str());
    match target.rsplit_once('@').map_or(target, |(_, goal)| goal) {
        "head" => "Name one of them by its id, use `heads` for all, or write a revision with all \
         of them as its parents with `merge`."
            .to_owned(),
        goal => format!("Name the branch, as in `{first}@{goal}`, or the revision to go to."),
    }
}

/// A revision as errors list it: its id and its message.
pub(crate) fn labelled(revision: &Revision) -> (RevisionId, String) {
    (revision.id.clone(), revision.message.clone())
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
