use std::collections::HashMap;
use std::io::{IsTerminal, Write, stderr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use underpin::copy::{Bad, Progress};
use underpin::schema::ObjectName;

/// The progress of a copy: a bar for each table on a terminal, and rows that are left out.
pub(super) struct Watch {
    bars: MultiProgress,
    /// Whether anybody sees bars.
    seen: bool,
    of: Mutex<HashMap<ObjectName, ProgressBar>>,
}

impl Watch {
    pub(super) fn new() -> Self {
        Watch {
            bars: MultiProgress::new(),
            seen: stderr().is_terminal(),
            of: Mutex::default(),
        }
    }

    fn bars(&self) -> MutexGuard<'_, HashMap<ObjectName, ProgressBar>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a bar, in the place of another of the table.
    fn show(&self, table: &ObjectName, about: Option<u64>, doing: &str) {
        if !self.seen {
            return;
        }
        let bar = match about {
            Some(rows) if rows > 0 => ProgressBar::new(rows),
            _ => ProgressBar::new_spinner(),
        };
        let template = match bar.length() {
            Some(_) => "{bar:30} {human_pos} of about {human_len} rows {elapsed} {wide_msg}",
            None => "{spinner} {human_pos} rows {elapsed} {wide_msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let bar = self.bars.add(bar);
        bar.set_message(format!("{doing} {table}"));
        bar.enable_steady_tick(Duration::from_millis(200));
        if let Some(before) = self.bars().insert(table.clone(), bar) {
            before.finish_and_clear();
        }
    }

    /// Takes all bars away.
    pub(super) fn end(&self) {
        for (_, bar) in self.bars().drain() {
            bar.finish_and_clear();
        }
    }

    fn say(&self, line: &str) {
        match self.seen {
            true => drop(self.bars.println(line)),
            false => drop(writeln!(stderr(), "{line}")),
        }
    }
}

impl Progress for Watch {
    fn waiting(&self, holder: &str) {
        self.say(&format!(
            "Another copy into the target is at work{holder}. Waiting for it to end."
        ));
    }

    fn comparing(&self, table: &ObjectName) {
        self.show(table, None, "comparing");
    }

    fn begun(&self, table: &ObjectName, about: Option<u64>) {
        self.show(table, about, "copying");
    }

    fn rows(&self, table: &ObjectName, rows: u64) {
        if let Some(bar) = self.bars().get(table) {
            // What the engine knows of the number may be old.
            if bar.length().is_some_and(|length| length < rows) {
                bar.set_length(rows);
            }
            bar.set_position(rows);
        }
    }

    fn done(&self, table: &ObjectName, _: u64) {
        if let Some(bar) = self.bars().remove(table) {
            bar.finish_and_clear();
        }
    }

    fn skipped(&self, bad: &Bad) {
        self.say(&format!("left out: {bad}"));
    }

    fn verifying(&self, table: &ObjectName) {
        self.show(table, None, "verifying");
    }
}
