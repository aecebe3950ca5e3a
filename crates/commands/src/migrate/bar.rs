use std::io::{IsTerminal, Write, stderr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use underpin::migrate::{Direction, Migrator, Progress, Revision, Wait};

use super::interrupted::{Recorded, Went};

/// The migrator with its progress on the terminal, or as lines where nobody watches.
pub(super) fn watched(migrator: Migrator) -> Migrator {
    watched_and_kept(migrator, &Went::default())
}

/// The same, and what it goes through is kept.
pub(super) fn watched_and_kept(migrator: Migrator, went: &Went) -> Migrator {
    match stderr().is_terminal() {
        true => migrator.progress(Recorded::new(Bar::new(), went)),
        false => migrator.progress(Recorded::new(Lines::default(), went)),
    }
}

/// The migrator with what is to be said about revisions that are tried.
pub(crate) fn noted(migrator: Migrator) -> Migrator {
    migrator.progress(Lines::default())
}

/// The progress of a run on a terminal.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {wide_msg}")
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Bar(bar)
    }
}

impl Progress for Bar {
    fn begun(&self, revision: &Revision, _: Direction, number: usize, of: usize) {
        self.0.set_length(of as u64);
        self.0.set_position(number as u64 - 1);
        self.0
            .set_message(format!("{} {}", revision.id, revision.message));
    }

    fn done(&self, _: &Revision, _: Direction, _: Duration) {
        self.0.inc(1);
    }

    fn waiting(&self, wait: &Wait) {
        self.0.set_message(format!("waiting for {wait}"));
    }

    fn note(&self, sentence: &str) {
        self.0.suspend(|| say("note", sentence));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Lines about waits and notes, each once.
#[derive(Default)]
struct Lines {
    said: Mutex<Vec<String>>,
}

impl Lines {
    fn once(&self, kind: &str, sentence: String) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if !said.contains(&sentence) {
            say(kind, &sentence);
            said.push(sentence);
        }
    }
}

impl Progress for Lines {
    fn waiting(&self, wait: &Wait) {
        self.once("waiting for", wait.to_string());
    }

    fn note(&self, sentence: &str) {
        self.once("note", sentence.to_owned());
    }
}

fn say(kind: &str, sentence: &str) {
    let separator = if kind == "note" { ":" } else { "" };
    let _ = writeln!(stderr(), "{kind}{separator} {sentence}");
}
