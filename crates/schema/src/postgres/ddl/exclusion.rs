//! Exclusion constraints.

use underpin_core::{Result, quote};

use super::{deferral, include, key, options};
use crate::{Exclusion, ExclusionElement};

/// `CONSTRAINT … EXCLUDE USING … (… WITH …)`.
///
/// # Errors
/// For a name that cannot be one.
pub fn clause(name: &str, exclusion: &Exclusion) -> Result<String> {
    let elements = exclusion.elements.iter().map(element);
    let predicate = exclusion.predicate.as_ref();
    Ok(format!(
        "CONSTRAINT {} EXCLUDE USING {} ({}){}{}{}{}",
        quote::identifier(name)?,
        quote::identifier(&exclusion.method)?,
        elements.collect::<Result<Vec<_>>>()?.join(", "),
        include(&exclusion.include)?,
        options::with(&exclusion.options)?,
        predicate.map_or(String::new(), |text| format!(" WHERE ({text})")),
        deferral(exclusion.deferral),
    ))
}

fn element(element: &ExclusionElement) -> Result<String> {
    let key = key::of_index(&element.key)?;
    // The name of an operator has no quotes; it is made of signs.
    let namespace = quote::identifier(&element.operator.namespace)?;
    let operator = &element.operator.name;
    Ok(format!("{key} WITH OPERATOR({namespace}.{operator})"))
}
