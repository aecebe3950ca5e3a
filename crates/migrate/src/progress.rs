use std::time::Duration;

use crate::host::{Direction, Wait};
use crate::revision::Revision;

/// Is told how a run goes on. `()` is told, and does nothing.
pub trait Progress: Send + Sync {
    /// A revision is begun: the `number`th, counted from 1, `of` so many.
    fn begun(&self, revision: &Revision, direction: Direction, number: usize, of: usize) {
        let _ = (revision, direction, number, of);
    }

    /// A revision's statements have all run. In one transaction with others it lasts
    /// only once all of them have.
    fn done(&self, revision: &Revision, direction: Direction, took: Duration) {
        let _ = (revision, direction, took);
    }

    /// The run waits.
    fn waiting(&self, wait: &Wait) {
        let _ = wait;
    }

    /// A sentence that a person should read, about something that was left out or left alone.
    fn note(&self, sentence: &str) {
        let _ = sentence;
    }
}

impl Progress for () {}
