use std::collections::BTreeMap;

use crate::resume::OnConflict;

/// How tables are copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyOptions {
    /// Whether tables that the target lacks are created.
    pub create: bool,
    /// The names of the tables, in which `*` stands for any characters; empty: all.
    pub tables: Vec<String>,
    /// The names, in the same form, of tables to leave out.
    pub exclude: Vec<String>,
    /// The conditions on the rows of tables, in the source's SQL, by the names of the tables.
    pub conditions: BTreeMap<String, String>,
    /// How many tables are copied at once, where both engines can.
    pub jobs: usize,
    /// What is done with a table that has rows which no run has copied.
    pub on_conflict: OnConflict,
    /// Whether rows that do not fit are left out and listed. Otherwise the first one ends the run.
    pub skip_bad: bool,
    /// Whether only what would be done is found out. Nothing is changed.
    pub dry_run: bool,
}

impl Default for CopyOptions {
    /// All tables, two at once, into empty tables that exist.
    fn default() -> Self {
        CopyOptions {
            create: false,
            tables: Vec::new(),
            exclude: Vec::new(),
            conditions: BTreeMap::new(),
            jobs: 2,
            on_conflict: OnConflict::Fail,
            skip_bad: false,
            dry_run: false,
        }
    }
}
