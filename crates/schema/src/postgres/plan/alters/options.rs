//! The steps that set options, and have them as usual again.

use std::collections::BTreeMap;

use underpin_core::{Result, quote};

use crate::postgres::ddl::options::list;
use crate::postgres::plan::makes::step;
use crate::{Lock, Step, Undo};

/// What is to be set, and what is to be as usual again.
pub(super) fn set(
    words: String,
    on: &str,
    (from, to): (&BTreeMap<String, String>, &BTreeMap<String, String>),
    lock: &Lock,
    out: &mut Vec<Step>,
) -> Result<()> {
    let set = changed(from, to);
    let set_back: BTreeMap<String, String> = changed(to, from)
        .into_iter()
        .filter(|(key, _)| to.contains_key(key))
        .collect();
    let reset = missing(from, to);
    let reset_back = missing(to, from);
    let put = |options: &BTreeMap<String, String>| {
        Ok::<_, underpin_core::Error>(format!("{on} SET ({})", list(options)?))
    };
    let take = |names: &[&String]| {
        let names = names.iter().map(|name| quote::qualified(name));
        let names = names.collect::<Result<Vec<_>>>()?.join(", ");
        Ok::<_, underpin_core::Error>(format!("{on} RESET ({names})"))
    };
    if !set.is_empty() {
        let mut back = Vec::new();
        if !reset_back.is_empty() {
            back.push(take(&reset_back)?);
        }
        if !set_back.is_empty() {
            back.push(put(&set_back)?);
        }
        out.push(step(
            words.clone(),
            put(&set)?,
            Undo::Sql(back),
            lock.clone(),
        ));
    }
    if !reset.is_empty() {
        let were: BTreeMap<String, String> = reset
            .iter()
            .map(|key| ((*key).clone(), from[*key].clone()))
            .collect();
        out.push(step(
            words,
            take(&reset)?,
            Undo::sql(put(&were)?),
            lock.clone(),
        ));
    }
    Ok(())
}

/// The options that are new or have another value.
fn changed(
    from: &BTreeMap<String, String>,
    to: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let changed = to
        .iter()
        .filter(|(key, value)| from.get(*key) != Some(value));
    changed
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn missing<'o>(
    from: &'o BTreeMap<String, String>,
    to: &BTreeMap<String, String>,
) -> Vec<&'o String> {
    from.keys().filter(|key| !to.contains_key(*key)).collect()
}
