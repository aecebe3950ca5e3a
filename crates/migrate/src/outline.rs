use crate::graph::Graph;
use crate::history::{Applied, History, State};
use crate::plan::is_due;
use crate::revision::{BranchLabel, Origin, Revision, RevisionId};

/// One revision as `history` and `show` list it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The revision.
    pub id: RevisionId,
    /// Its parents.
    pub parents: Vec<RevisionId>,
    /// Its children.
    pub children: Vec<RevisionId>,
    /// Its dependencies beside its parents.
    pub depends_on: Vec<RevisionId>,
    /// The labels of the branches that it is on.
    pub branch_labels: Vec<BranchLabel>,
    /// Its message: the file's or, where that is missing, the history's.
    pub message: String,
    /// Where it was read; none where the database has it and there is no file.
    pub origin: Option<Origin>,
    /// Whether the database has it.
    pub mark: Mark,
    /// Its entry in the history.
    pub applied: Option<Applied>,
    /// Whether it is applied and no child of it is.
    pub current: bool,
    /// Whether nothing stands on it.
    pub head: bool,
    /// Whether it is no longer what it was when it was applied.
    pub changed: bool,
}

/// Whether a database has a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// It has it.
    Applied,
    /// It does not have it yet.
    Pending,
    /// It stopped halfway.
    Partial,
    /// It has it, but there is no file for it.
    Unknown,
}

/// The revisions that are applied and have no child that is: in the order of the graph, and
/// then those without a file, in the order of the history.
pub fn current(graph: &Graph, history: &History) -> Vec<RevisionId> {
    let all = outline(graph, history).into_iter();
    all.filter(|e| e.current).map(|e| e.id).collect()
}

/// All revisions, of the graph in its order, and then those that only the database has, in
/// the order of the history.
pub fn outline(graph: &Graph, history: &History) -> Vec<Entry> {
    let revisions = graph.all();
    let known = revisions.map(|revision| entry(graph, history, revision));
    let entries = history.entries().iter();
    let unknown = entries.filter(|applied| graph.get(&applied.id).is_none());
    known.chain(unknown.map(without_file)).collect()
}

/// One revision of the graph.
pub fn entry(graph: &Graph, history: &History, revision: &Revision) -> Entry {
    let applied = history.get(&revision.id);
    let children = graph.children(&revision.id).into_iter();
    let children: Vec<RevisionId> = children.map(|child| child.id.clone()).collect();
    let is_applied = applied.is_some_and(Applied::is_applied);
    Entry {
        id: revision.id.clone(),
        parents: revision.parents.clone(),
        depends_on: revision.depends_on.clone(),
        branch_labels: graph
            .branch_labels(&revision.id)
            .into_iter()
            .cloned()
            .collect(),
        message: revision.message.clone(),
        origin: Some(revision.origin.clone()),
        mark: match applied.map(|applied| applied.state) {
            None => Mark::Pending,
            Some(State::Done) if is_due(revision, history) => Mark::Pending,
            Some(State::Done) => Mark::Applied,
            Some(State::Partial { .. }) => Mark::Partial,
        },
        current: is_applied
            && !revision.repeatable
            && !children.iter().any(|child| history.is_applied(child)),
        head: children.is_empty() && !revision.repeatable,
        changed: applied.is_some_and(|applied| applied.checksum != revision.checksum),
        applied: applied.cloned(),
        children,
    }
}

fn without_file(applied: &Applied) -> Entry {
    Entry {
        id: applied.id.clone(),
        parents: Vec::new(),
        children: Vec::new(),
        depends_on: Vec::new(),
        branch_labels: Vec::new(),
        message: applied.message.clone().unwrap_or_default(),
        origin: None,
        mark: Mark::Unknown,
        current: applied.is_applied(),
        head: false,
        changed: false,
        applied: Some(applied.clone()),
    }
}
