use underpin_schema::ObjectName;

use crate::report::Bad;

/// Watches a copy. Every method does nothing by default.
pub trait Progress: Send + Sync {
    /// Another copy into the target is at work, and is waited for. `holder` is the end of a clause
    /// that says who that is; it may be empty.
    fn waiting(&self, holder: &str) {
        let _ = holder;
    }

    /// An earlier run has not ended, and this one goes on with a new snapshot of the source.
    fn resumed(&self) {}

    /// A table is read to find out whether it has changed.
    fn comparing(&self, table: &ObjectName) {
        let _ = table;
    }

    /// A table is copied from here on. The engine thinks that it has about so many rows.
    fn begun(&self, table: &ObjectName, about: Option<u64>) {
        let _ = (table, about);
    }

    /// So many rows of it are in the target, and not yet committed.
    fn rows(&self, table: &ObjectName, rows: u64) {
        let _ = (table, rows);
    }

    /// All its rows are committed.
    fn done(&self, table: &ObjectName, rows: u64) {
        let _ = (table, rows);
    }

    /// A row is left out.
    fn skipped(&self, bad: &Bad) {
        let _ = bad;
    }

    /// Keys and indexes are created.
    fn finishing(&self, statement: &str) {
        let _ = statement;
    }

    /// A table of the target is read, and its checksum compared with that of the source.
    fn verifying(&self, table: &ObjectName) {
        let _ = table;
    }
}

/// Watches nothing.
impl Progress for () {}
