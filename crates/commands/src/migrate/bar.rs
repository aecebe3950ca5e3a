use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use underpin::migrate::{Direction, Progress, Revision, Wait};

/// The progress of a run on a terminal.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// None where nobody watches.
    pub(super) fn new() -> Option<Self> {
        if !stderr().is_terminal() {
            return None;
        }
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {wide_msg}")
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Some(Bar(bar))
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

    fn waiting(&self, wait: Wait) {
        self.0.set_message(format!("waiting for {}", wait.what_for));
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
