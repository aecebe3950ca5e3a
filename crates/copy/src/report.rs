use std::fmt;

use underpin_schema::ObjectName;

use crate::checksum::Checksum;
use crate::resume::Decision;

/// A row that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// The table of the source.
    pub table: ObjectName,
    /// The columns of its key with their values, as text; empty where it has none, or where they
    /// are not known.
    pub key: Vec<(String, String)>,
    /// The column, where it is known.
    pub column: Option<String>,
    /// Why, as a clause.
    pub why: String,
}

/// A sentence that names table, key and column.
impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.table)?;
        for (at, (name, value)) in self.key.iter().enumerate() {
            let before = if at == 0 { ", row " } else { ", " };
            write!(f, "{before}{name} = {value}")?;
        }
        if let Some(column) = &self.column {
            write!(f, ", column {column:?}")?;
        }
        write!(f, ": {}", self.why.trim_end_matches('.'))
    }
}

/// What came of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableReport {
    /// Its name in the source.
    pub source: ObjectName,
    /// Its name in the target.
    pub target: ObjectName,
    /// What was done with it.
    pub decision: Decision,
    /// The rows that were read from the source and fit; none where it was not read.
    pub read: Option<Checksum>,
    /// The rows that the target has now; none where it was not read.
    pub found: Option<Checksum>,
    /// The rows that were left out.
    pub bad: Vec<Bad>,
    /// The rows of the target that refer to nothing.
    pub orphans: u64,
    /// What is lost, and what happens beside, in words.
    pub notes: Vec<String>,
}

impl TableReport {
    /// Whether the target has the rows of the source.
    pub fn is_equal(&self) -> bool {
        self.read == self.found && self.bad.is_empty() && self.orphans == 0
    }
}

/// What came of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CopyReport {
    /// The tables, in the order in which they were copied.
    pub tables: Vec<TableReport>,
    /// The statements that created what the target lacked, in order.
    pub created: Vec<String>,
    /// What has no place in the target, each with its reason.
    pub left: Vec<String>,
    /// Tables of the target that were not copied, with how many of their rows refer to nothing since
    /// the rows that they referred to were replaced.
    pub dangling: Vec<(ObjectName, u64)>,
    /// Whether an earlier run had not ended.
    pub resumed: bool,
    /// Whether nothing was changed, since that was asked for.
    pub dry_run: bool,
}

impl CopyReport {
    /// Whether every table that was compared has the rows of the source, and no row of the target has
    /// lost what it refers to.
    pub fn is_equal(&self) -> bool {
        self.dangling.is_empty() && self.tables.iter().all(TableReport::is_equal)
    }
}
