use std::sync::Arc;

use underpin_core::{Class, Effect, Error, Recycling, Result};

use crate::classify::classify_on;
use crate::effect::{Trace, effect_of};
use crate::fault::Fault;
use crate::form::Forms;
use crate::in_use::InUse;
use crate::open::{FileIdentity, restore};
use crate::options::Options;
use crate::plan::Plans;
use crate::pragmas::Baseline;
use crate::shared::Shared;
use crate::statements::Writing;

/// The data of the thread: rusqlite's connection, and its known state.
pub(crate) struct Session {
    pub(crate) conn: rusqlite::Connection,
    /// Declared after the connection, which is closed first.
    _in_use: Option<InUse>,
    place: Arc<str>,
    options: Options,
    /// The settings before the first statement that may have changed one.
    baseline: Option<Baseline>,
    identity: Option<FileIdentity>,
    shared: Arc<Shared>,
    writing: Writing,
    /// Whether a transaction was open when the last job ended.
    open: bool,
    /// The reason why SQLite rolled back the transaction that its owner still considers open.
    failed: Option<(Class, String)>,
    changed: bool,
    /// Whether `query_only` is on until the transaction ends.
    read_only_transaction: bool,
}

impl Session {
    pub(crate) fn new(
        conn: rusqlite::Connection,
        in_use: Option<InUse>,
        place: Arc<str>,
        options: Options,
        identity: Option<FileIdentity>,
        shared: Arc<Shared>,
    ) -> Self {
        let forms = Forms {
            uuids: options.uuids,
            times: options.times,
        };
        let writes = options.writes();
        Session {
            conn,
            // A file that was created just now could not be recorded before.
            _in_use: in_use.or_else(|| Some(InUse::new(identity.clone()?, writes))),
            place,
            options,
            baseline: None,
            identity,
            shared,
            writing: Writing {
                forms,
                plans: Plans::default(),
            },
            open: false,
            failed: None,
            changed: false,
            read_only_transaction: false,
        }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Identity of the file when it was opened; `None` in memory.
    pub(crate) fn identity(&self) -> Option<&FileIdentity> {
        self.identity.as_ref()
    }

    pub(crate) fn set_changed(&mut self) {
        if self.baseline.is_none() {
            let baseline = Baseline::read(&self.conn).ok();
            // If the transaction has changed it, the change lasts no longer than the transaction.
            self.baseline = baseline.map(|read| read.with_query_only(self.options.read_only));
        }
        self.changed = true;
        // Another database may be attached, whose tables count too.
        self.forget_plans();
    }

    /// Forgets the places of parameters, since the schema may change.
    pub(crate) fn forget_plans(&mut self) {
        self.writing.plans.clear();
    }

    pub(crate) fn begun_read_only(&mut self) {
        self.read_only_transaction = true;
    }

    /// The reason why SQLite rolled back the open transaction, reported once.
    pub(crate) fn take_failed(&mut self) -> Option<(Class, String)> {
        self.failed.take()
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Runs a closure on the connection, and determines the effect if it fails.
    pub(crate) fn run<R>(
        &mut self,
        work: impl FnOnce(&mut rusqlite::Connection) -> Result<R, Fault>,
    ) -> Result<R> {
        self.run_writing(|conn, _| work(conn))
    }

    /// The same for a closure that sends values.
    pub(crate) fn run_writing<R>(
        &mut self,
        work: impl FnOnce(&mut rusqlite::Connection, &mut Writing) -> Result<R, Fault>,
    ) -> Result<R> {
        if let Some((class, why)) = &self.failed {
            return Err(Error::new(
                *class,
                format!("The statement was not run because SQLite has rolled back its transaction. {why}"),
            )
            .with_hint("Roll back the transaction and run all of it again."));
        }
        let changes = self.conn.total_changes();
        work(&mut self.conn, &mut self.writing).map_err(|fault| self.explain(fault, changes))
    }

    fn explain(&mut self, fault: Fault, changes: u64) -> Error {
        let is_open = !self.conn.is_autocommit();
        let error = match fault {
            Fault::Ours(error) => error,
            Fault::Known {
                error,
                effect,
                context,
                row,
            } => {
                let error = self.classify(error).with_effect(effect);
                let error = error.with_context(context);
                match row {
                    Some(row) => error.with_row(row),
                    None => error,
                }
            }
            Fault::Sqlite(error) => {
                let trace = Trace {
                    was_open: self.open,
                    is_open,
                    changed: self.conn.total_changes() > changes && self.conn.changes() > 0,
                };
                let effect = effect_of(&error, trace);
                self.classify(error).with_effect(effect)
            }
        };
        if self.open && !is_open {
            self.failed = Some((error.class(), error.message().to_owned()));
        }
        error
    }

    fn classify(&self, error: rusqlite::Error) -> Error {
        let waited = error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy);
        let error = classify_on(Some(&self.conn), error, &self.place);
        // The busy handler gives up when the job is stopped, and SQLite reports "busy".
        if waited && self.shared.is_stopped() {
            canceled().with_source(error)
        } else {
            error
        }
    }

    /// At the end of each job: reports to the callers in which state it left the session.
    pub(crate) fn settle(&mut self) {
        self.open = !self.conn.is_autocommit();
        if !self.open && self.read_only_transaction {
            self.read_only_transaction = false;
            let restored = self.conn.execute_batch("PRAGMA query_only = OFF");
            self.changed |= restored.is_err();
        }
        self.shared
            .finish(self.open, self.failed.is_some(), self.changed);
    }

    /// Accepts the current session as unchanged.
    pub(crate) fn accept_changes(&mut self) {
        self.changed = false;
    }

    /// Recycles the session for its next holder in the chosen way.
    pub(crate) fn recycle(&mut self, recycling: &Recycling) -> Result<()> {
        match recycling {
            Recycling::Verified | Recycling::Fast => self.reset(),
            Recycling::Clean | Recycling::Reset => {
                self.set_changed();
                self.reset()
            }
            Recycling::Custom(sql) => {
                let changed = std::mem::take(&mut self.changed);
                self.reset()?;
                self.writing.plans.clear();
                let done = self.run(|conn| Ok(conn.execute_batch(sql)?));
                self.changed = changed && done.is_err();
                done
            }
        }
    }

    /// Restores the session as it was when it was opened.
    pub(crate) fn reset(&mut self) -> Result<()> {
        self.failed = None;
        if !self.conn.is_autocommit() {
            self.run(|conn| Ok(conn.execute_batch("ROLLBACK")?))?;
        }
        if self.changed {
            restore(
                &mut self.conn,
                &self.options,
                self.baseline.as_ref(),
                &self.shared,
                &self.place,
            )?;
            self.writing.plans.clear();
            self.changed = false;
        }
        Ok(())
    }
}

/// The error of a job that was told to stop.
pub(crate) fn canceled() -> Error {
    Error::new(Class::Canceled, "The statement was interrupted.").with_effect(Effect::RolledBack)
}
