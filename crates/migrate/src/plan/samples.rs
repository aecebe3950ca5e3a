//! Graphs and histories for the tests.

use std::time::Duration;

use underpin_core::value::TimestampTz;

use crate::checksum::Checksum;
use crate::graph::Graph;
use crate::history::{Applied, History, State};
use crate::host::Direction;
use crate::revision::{BranchLabel, Origin, Revision, RevisionId, Script, Section, Statement};

pub(crate) fn id(text: &str) -> RevisionId {
    RevisionId::new(text).unwrap()
}

/// A revision with one statement each way, whose checksum is made of its id.
pub(crate) fn revision(name: &str, parents: &[&str]) -> Revision {
    Revision {
        id: id(name),
        parents: parents.iter().map(|parent| id(parent)).collect(),
        depends_on: Vec::new(),
        branch_labels: Vec::new(),
        message: format!("make {name}"),
        up: script(&[(true, 1)]),
        down: script(&[(true, 1)]),
        checksum: checksum(name, 0),
        repeatable: false,
        origin: Origin::File(format!("{name}.sql")),
    }
}

/// Sections for all engines: whether each is transactional, and its number of statements.
pub(crate) fn script(sections: &[(bool, usize)]) -> Script {
    let section = |&(transactional, count): &(bool, usize)| Section {
        engine: None,
        transactional,
        statements: (1..=count)
            .map(|line| Statement::new("SELECT 1", line))
            .collect(),
        read_otherwise: Vec::new(),
    };
    Script::Sql(sections.iter().map(section).collect())
}

pub(crate) fn checksum(name: &str, change: u8) -> Checksum {
    let mut bytes = [change; 32];
    for (byte, letter) in bytes.iter_mut().zip(name.bytes()) {
        *byte = letter;
    }
    Checksum(bytes)
}

/// The graph of these revisions: each an id, and behind a `:` its parents, what it depends
/// on with a `>` before each, and its branch labels with a `#`.
pub(crate) fn graph(revisions: &[&str]) -> Graph {
    Graph::new(revisions.iter().map(|text| written(text)).collect()).unwrap()
}

pub(crate) fn written(text: &str) -> Revision {
    let (name, parents) = text.split_once(':').unwrap_or((text, ""));
    let words = |mark: Option<char>| {
        let words = parents.split_whitespace();
        words.filter_map(move |word| match mark {
            Some(mark) => word.strip_prefix(mark),
            None => (!word.starts_with(['>', '#'])).then_some(word),
        })
    };
    let mut made = revision(name, &words(None).collect::<Vec<_>>());
    made.depends_on = words(Some('>')).map(id).collect();
    made.branch_labels = words(Some('#'))
        .map(|label| BranchLabel::new(label).unwrap())
        .collect();
    made
}

pub(crate) fn applied(name: &str) -> Applied {
    Applied {
        id: id(name),
        checksum: checksum(name, 0),
        message: Some(format!("make {name}")),
        applied_at: TimestampTz::from_micros(0),
        duration: Duration::ZERO,
        version: "0.1.0".to_owned(),
        state: State::Done,
        statements_ran: Vec::new(),
    }
}

pub(crate) fn stopped(name: &str, direction: Direction, statements_done: usize) -> Applied {
    Applied {
        state: State::Partial {
            statements_done,
            direction,
        },
        ..applied(name)
    }
}

pub(crate) fn history(names: &str) -> History {
    History::new(names.split_whitespace().map(applied))
}
