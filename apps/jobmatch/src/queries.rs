use underpin::{Queries, queries};

use crate::emails::UNTOLD;
use crate::matching::CANDIDATES;
use crate::stats::STATS;

/// The statements that stand in files of their own.
pub static QUERIES: Queries = queries!["queries"; CANDIDATES, STATS, UNTOLD];
