//! Primary keys.

use underpin_core::{Result, quote};

use super::{deferral, include, list, options, without_overlaps};
use crate::PrimaryKey;

/// `CONSTRAINT … PRIMARY KEY (…)`.
///
/// # Errors
/// For a name that cannot be one.
pub fn clause(key: &PrimaryKey) -> Result<String> {
    Ok(format!(
        "CONSTRAINT {} PRIMARY KEY ({}{}){}{}{}",
        quote::identifier(&key.name)?,
        list(&key.columns)?,
        without_overlaps(key.without_overlaps),
        include(&key.include)?,
        options::with(&key.options)?,
        deferral(key.deferral),
    ))
}
