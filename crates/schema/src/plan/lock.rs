use std::fmt;

use serde::Serialize;

/// The strongest lock of a step, held until its transaction ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lock {
    /// How strong it is.
    pub mode: LockMode,
    /// The locked object, as a person would write it.
    pub on: Vec<String>,
    /// The server's work under it.
    pub work: Work,
}

impl Lock {
    /// No lock that any other session would notice.
    pub fn none() -> Self {
        Lock {
            mode: LockMode::None,
            on: Vec::new(),
            work: Work::Catalog,
        }
    }

    /// A lock of one table or other object.
    pub fn of(mode: LockMode, on: impl ToString, work: Work) -> Self {
        let on = vec![on.to_string()];
        Lock { mode, on, work }
    }

    /// The operations that other sessions cannot do meanwhile, in words.
    pub fn blocks(&self) -> &'static str {
        self.mode.blocks()
    }
}

/// How strong a lock is, from the weakest to the strongest. Those of PostgreSQL have its names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LockMode {
    /// None that any other session would notice.
    None,
    /// PostgreSQL's ACCESS SHARE.
    AccessShare,
    /// PostgreSQL's SHARE UPDATE EXCLUSIVE.
    ShareUpdateExclusive,
    /// PostgreSQL's SHARE.
    Share,
    /// PostgreSQL's SHARE ROW EXCLUSIVE.
    ShareRowExclusive,
    /// SQLite's write lock, on the whole database.
    Write,
    /// PostgreSQL's ACCESS EXCLUSIVE.
    AccessExclusive,
}

impl LockMode {
    /// The operations that other sessions cannot do meanwhile, in words.
    pub fn blocks(self) -> &'static str {
        match self {
            LockMode::None => "nothing",
            LockMode::AccessShare => "other schema changes",
            LockMode::ShareUpdateExclusive => "other schema changes and VACUUM",
            LockMode::Share | LockMode::ShareRowExclusive => "writes",
            LockMode::Write => "writes to the whole database",
            LockMode::AccessExclusive => "reads and writes",
        }
    }
}

/// The server's work under a lock, which says how long it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// It changes its catalog: a moment, whatever the number of rows.
    Catalog,
    /// It reads every row.
    Scan,
    /// It rewrites every row, or writes an entry for each.
    Rewrite,
}

impl fmt::Display for LockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LockMode::None => "none",
            LockMode::AccessShare => "ACCESS SHARE",
            LockMode::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            LockMode::Share => "SHARE",
            LockMode::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            LockMode::Write => "WRITE",
            LockMode::AccessExclusive => "ACCESS EXCLUSIVE",
        })
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.mode == LockMode::None {
            return f.write_str("none");
        }
        let long = match self.work {
            Work::Catalog => "",
            Work::Scan => " while every row is read",
            Work::Rewrite => " while every row is written",
        };
        let (mode, on) = (self.mode, self.on.join(" and "));
        write!(f, "{mode} on {on}, which blocks {}{long}", self.blocks())
    }
}
