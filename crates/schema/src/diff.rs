use serde::Serialize;
use std::collections::BTreeSet;

use crate::{Change, Unsupported};

mod hints;

pub use hints::{Hints, Rename};

/// What it takes to get from one schema to another.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Diff {
    /// The changes. None: the schemas are the same but for the order of columns.
    pub changes: Vec<Change>,
    /// What may be a rename and is, for want of a hint, dropped and created among the changes.
    pub proposed: Vec<Rename>,
    /// What only one of the two has and no change can be about.
    pub unsupported: BTreeSet<Unsupported>,
}
