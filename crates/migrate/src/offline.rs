//! Plans and histories for a script that a person runs, without a database.

use std::time::Duration;

use underpin_core::value::TimestampTz;
use underpin_core::{Engine, Result};

use crate::dialect::MigrationDialect;
use crate::graph::Graph;
use crate::history::{Applied, History, State};
use crate::history_table::HISTORY_TABLE;
use crate::host::Direction;
use crate::plan::{Mode, Plan, leads_down, plan_down, plan_up};
use crate::revision::Revision;
use crate::stamp::{StampChange, stamp};
use crate::target::Target;

/// Plans the way of a database that has the first target, and all that it stands on, to the second.
/// No database is asked.
///
/// # Errors
/// As for [`plan_up`] and [`plan_down`].
pub fn plan_offline(
    graph: &Graph,
    from: &Target,
    to: &Target,
    engine: Engine,
    mode: Mode,
) -> Result<Plan> {
    let changes = stamp(graph, &History::default(), from)?;
    let entries = changes.into_iter().filter_map(|change| match change {
        StampChange::Add {
            id,
            checksum,
            message,
        } => Some(Applied {
            id,
            checksum,
            message: Some(message),
            applied_at: TimestampTz::from_micros(0),
            duration: Duration::ZERO,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            state: State::Done,
            statements_ran: Vec::new(),
        }),
        StampChange::Finish { .. } | StampChange::Remove { .. } => None,
    });
    let history = History::new(entries);
    match leads_down(graph, &history, to)? {
        true => plan_down(graph, &history, to, engine, mode),
        false => plan_up(graph, &history, to, engine, mode),
    }
}

/// The statements by which a script keeps the history, and the session apart between revisions.
#[derive(Debug, Clone, Copy)]
pub struct ScriptHistory {
    dialect: &'static MigrationDialect,
}

impl ScriptHistory {
    /// Those of an engine.
    ///
    /// # Errors
    /// `Class::Unsupported` for an engine that revisions do not run on.
    pub fn of(engine: Engine) -> Result<Self> {
        let dialect = MigrationDialect::of(engine)?;
        Ok(ScriptHistory { dialect })
    }

    /// Creates the table of the history, if it is missing.
    pub fn create(&self) -> String {
        self.dialect
            .create_history
            .replace("{table}", HISTORY_TABLE)
    }

    /// Records that the revision was applied, or that it was undone.
    pub fn record(&self, revision: &Revision, direction: Direction) -> String {
        let id = text(revision.id.as_str());
        match direction {
            Direction::Up => format!(
                "INSERT INTO {HISTORY_TABLE} (id, message, checksum, duration_ms, version)\n  \
                 VALUES ({id}, {}, {}, 0, {})",
                text(&revision.message),
                text(&revision.checksum.to_string()),
                text(env!("CARGO_PKG_VERSION")),
            ),
            Direction::Down => format!("DELETE FROM {HISTORY_TABLE} WHERE id = {id}"),
        }
    }

    /// Makes the session what it was at its start, where the engine has statements for that.
    pub fn renew(&self) -> Option<&'static str> {
        self.dialect.reset
    }
}

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
