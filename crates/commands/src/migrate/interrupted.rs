//! What a run of revisions says when it is interrupted.

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use underpin::migrate::{Direction, Entry, Mark, Progress, Revision, RevisionId, Wait};

use super::confirm::listed;
use super::revisions::Revisions;
use crate::options::GlobalOptions;

/// Time within which the history must be read after an interruption.
const PATIENCE: Duration = Duration::from_secs(5);

/// The revisions that a run has gone through, whether or not it came to its end.
#[derive(Clone, Default)]
pub(super) struct Went(Arc<Mutex<Vec<(Direction, RevisionId)>>>);

impl Went {
    fn list(&self) -> Vec<(Direction, RevisionId)> {
        let went = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        went.clone()
    }
}

/// Tells another how a run goes on, and keeps what has run.
pub(super) struct Recorded<P> {
    to: P,
    went: Went,
}

impl<P> Recorded<P> {
    pub(super) fn new(to: P, went: &Went) -> Self {
        let went = went.clone();
        Recorded { to, went }
    }
}

impl<P: Progress> Progress for Recorded<P> {
    fn begun(&self, revision: &Revision, direction: Direction, number: usize, of: usize) {
        self.to.begun(revision, direction, number, of);
    }

    fn done(&self, revision: &Revision, direction: Direction, took: Duration) {
        let mut went = self.went.0.lock().unwrap_or_else(PoisonError::into_inner);
        went.push((direction, revision.id.clone()));
        drop(went);
        self.to.done(revision, direction, took);
    }

    fn waiting(&self, wait: &Wait) {
        self.to.waiting(wait);
    }

    fn note(&self, sentence: &str) {
        self.to.note(sentence);
    }
}

/// What a run up or down has done, and what remains, by the database's own history.
pub(super) async fn after_run(
    went: &Went,
    options: &GlobalOptions,
    revisions: Revisions<'_>,
) -> String {
    let outline = async { revisions.migrator(options)?.outline().await };
    match tokio::time::timeout(PATIENCE, outline).await {
        Ok(Ok(entries)) => told(&went.list(), &entries),
        _ => UNREAD.to_owned(),
    }
}

const UNREAD: &str = "The history could not be read; `migrate history` shows what is applied.\n";

/// The same of revisions as they are in the history.
fn told(went: &[(Direction, RevisionId)], entries: &[Entry]) -> String {
    let mark = |id: &RevisionId| entries.iter().find(|e| e.id == *id).map(|e| e.mark);
    let named = |ids: &mut dyn Iterator<Item = &RevisionId>| {
        let names: Vec<String> = ids.map(|id| format!("`{id}`")).collect();
        listed(&names)
    };
    let done = |direction, there| {
        let ids = went.iter().filter(move |(went, _)| *went == direction);
        let ids = ids.map(|(_, id)| id);
        ids.filter(move |id| (mark(id) == Some(Mark::Applied)) == there)
    };
    let marked = |wanted| {
        let entries = entries.iter().filter(move |entry| entry.mark == wanted);
        entries.map(|entry| &entry.id)
    };
    let mut text = String::new();
    let parts = [
        ("This run applied ", named(&mut done(Direction::Up, true))),
        ("This run undid ", named(&mut done(Direction::Down, false))),
        ("Stopped halfway: ", named(&mut marked(Mark::Partial))),
        ("Not applied: ", named(&mut marked(Mark::Pending))),
    ];
    if parts[..2].iter().all(|(_, names)| names.is_empty()) {
        text += "This run completed no revision.\n";
    }
    for (words, names) in parts {
        if !names.is_empty() {
            let _ = writeln!(text, "{words}{names}.");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use underpin::migrate::{Embedded, Graph, History, outline, read_embedded};

    use super::*;

    const FILES: &[Embedded] = &[
        Embedded::new(
            "revisions/aa_first.sql",
            "-- revision: aa\n-- parents: none\n-- message: first\n-- up\nSELECT 1;\n-- down\nSELECT 1;\n",
        ),
        Embedded::new(
            "revisions/bb_second.sql",
            "-- revision: bb\n-- parents: aa\n-- message: second\n-- up\nSELECT 1;\n-- down\nSELECT 1;\n",
        ),
    ];

    #[test]
    fn a_revision_that_was_rolled_back_is_not_said_to_be_applied() {
        let graph = Graph::new(read_embedded(FILES).unwrap()).unwrap();
        let entries = outline(&graph, &History::default());
        let went = [(Direction::Up, RevisionId::new("aa").unwrap())];
        assert_eq!(
            told(&went, &entries),
            "This run completed no revision.\nNot applied: `aa`, `bb`.\n"
        );
        let down = [(Direction::Down, RevisionId::new("bb").unwrap())];
        assert_eq!(
            told(&down, &entries),
            "This run undid `bb`.\nNot applied: `aa`, `bb`.\n"
        );
    }
}
