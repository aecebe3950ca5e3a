use underpin_core::value::TimestampTz;
use underpin_core::{Result, ValueRow};

/// A row of another tool's table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// The version; a repeated migration has no version.
    pub(crate) version: Option<String>,
    /// Its name.
    pub(crate) name: Option<String>,
    /// Its checksum, as the tool counts it.
    pub(crate) checksum: Option<String>,
    /// The sort of row, where the tool has several.
    pub(crate) kind: Option<String>,
    /// Whether it ran to its end.
    pub(crate) sound: bool,
    /// When it was applied, where the tool notes that.
    pub(crate) applied_at: Option<TimestampTz>,
}

impl Record {
    pub(crate) fn of(row: &ValueRow) -> Result<Self> {
        Ok(Record {
            version: row.get("version")?,
            name: row.get("name")?,
            checksum: row.get("checksum")?,
            kind: row.get("kind")?,
            sound: row.get::<String>("sound")? == "1",
            applied_at: row
                .get::<Option<String>>("applied_at")?
                .and_then(|text| TimestampTz::from_stored(&text).ok()),
        })
    }
}
