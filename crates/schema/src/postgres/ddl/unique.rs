//! Unique constraints.

use underpin_core::{Result, quote};

use super::{deferral, include, list, options, without_overlaps};
use crate::Unique;

/// `CONSTRAINT … UNIQUE (…)`.
///
/// # Errors
/// For a name that cannot be one.
pub fn clause(name: &str, unique: &Unique) -> Result<String> {
    let nulls = if unique.nulls_not_distinct {
        " NULLS NOT DISTINCT"
    } else {
        ""
    };
    Ok(format!(
        "CONSTRAINT {} UNIQUE{nulls} ({}{}){}{}{}",
        quote::identifier(name)?,
        list(&unique.columns)?,
        without_overlaps(unique.without_overlaps),
        include(&unique.include)?,
        options::with(&unique.options)?,
        deferral(unique.deferral),
    ))
}
