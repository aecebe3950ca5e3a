//! What is done about a table that has rows already.

use crate::checksum::Checksum;

/// What the user wants done with a table that has rows which no run has copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// It is an error, unless they are the same rows.
    #[default]
    Fail,
    /// The table is left as it is.
    Skip,
    /// The rows are deleted, and the table is copied.
    Replace,
}

/// What is known of a table before it is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// What an earlier run, which did not end, has noted of the table when it was finished.
    pub noted: Option<Checksum>,
    /// The checksum of its rows in the target; none where it has no rows.
    pub target: Option<Checksum>,
    /// The checksum of the rows to copy; none where it was not needed.
    pub source: Option<Checksum>,
}

/// What is done with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is empty, and is copied.
    Copy,
    /// It has the rows of the source already.
    Equal,
    /// It was copied by an earlier run, and the source has changed since: its rows are deleted and
    /// it is copied again.
    CopyAgain,
    /// The user wants its rows replaced.
    Replace,
    /// The user wants it left as it is.
    Leave,
    /// It has rows that no run has copied.
    Refuse,
    /// It was copied by an earlier run and has been changed since by somebody else.
    RefuseChanged,
}

impl Decision {
    /// Whether the table is copied, after its rows are deleted where it has any.
    pub fn copies(self) -> bool {
        matches!(
            self,
            Decision::Copy | Decision::CopyAgain | Decision::Replace
        )
    }
}

/// Whether the checksum of the source is needed to decide about the table.
pub fn needs_source(target: Option<Checksum>, noted: Option<Checksum>, on: OnConflict) -> bool {
    target.is_some() && (noted.is_some() || on == OnConflict::Fail)
}

/// What is done with a table of which this is known.
pub fn decide(found: Found, on: OnConflict) -> Decision {
    let Some(target) = found.target else {
        return Decision::Copy;
    };
    if found.source == Some(target) {
        return Decision::Equal;
    }
    match (found.noted, on) {
        (Some(noted), _) if noted == target => Decision::CopyAgain,
        (_, OnConflict::Replace) => Decision::Replace,
        (_, OnConflict::Skip) => Decision::Leave,
        (Some(_), OnConflict::Fail) => Decision::RefuseChanged,
        (None, OnConflict::Fail) => Decision::Refuse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(n: u64) -> Option<Checksum> {
        Checksum::parse(&format!("{n:032x}"), 1)
    }

    #[test]
    fn each_state_of_a_table_has_its_decision() {
        use Decision::*;
        use OnConflict::{Fail, Skip};
        const INSTEAD: OnConflict = OnConflict::Replace;
        for (noted, target, source, on, expected) in [
            (None, None, None, Fail, Copy),
            // A run that was killed while it copied the table has left no row.
            (sum(1), None, sum(1), Fail, Copy),
            (sum(1), sum(1), sum(1), Fail, Equal),
            (sum(1), sum(1), sum(2), Fail, CopyAgain),
            (sum(1), sum(1), sum(2), Skip, CopyAgain),
            (sum(1), sum(3), sum(1), Fail, RefuseChanged),
            (sum(1), sum(3), sum(1), INSTEAD, Replace),
            (sum(1), sum(3), sum(1), Skip, Leave),
            (None, sum(1), sum(1), Fail, Equal),
            (None, sum(3), sum(1), Fail, Refuse),
            (None, sum(3), None, Skip, Leave),
            (None, sum(3), None, INSTEAD, Replace),
        ] {
            let found = Found {
                noted,
                target,
                source,
            };
            assert_eq!(decide(found, on), expected, "{found:?} {on:?}");
            if target.is_some() && source.is_none() {
                assert!(!needs_source(target, noted, on));
            }
        }
        assert!(needs_source(sum(1), sum(1), Skip));
        assert!(!needs_source(None, sum(1), Fail));
    }
}
