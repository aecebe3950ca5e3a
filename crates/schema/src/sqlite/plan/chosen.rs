use super::affected::owner_of;
use crate::plan::Refusal;
use crate::{Change, ObjectName, Schema};

/// The second schema with what stays as it is in the first, since its changes are not among
/// those that were given. `all` are the changes that lead all the way.
///
/// # Errors
/// A refusal for each table or view of which only some changes were given: it is made as a whole.
pub(super) fn chosen(
    base: &Schema,
    to: &Schema,
    all: &[Change],
    given: &[Change],
) -> Result<Schema, Vec<Refusal>> {
    let mut schema = to.clone();
    let mut refusals = Vec::new();
    for change in all.iter().filter(|change| !given.contains(change)) {
        let Some(owner) = owner_of(change) else {
            continue;
        };
        if given.iter().any(|one| owner_of(one) == Some(owner)) {
            let refusal = partly(owner);
            if !refusals.contains(&refusal) {
                refusals.push(refusal);
            }
        }
        keep(&mut schema, base, owner);
    }
    match refusals.is_empty() {
        true => Ok(schema),
        false => Err(refusals),
    }
}

fn keep(schema: &mut Schema, base: &Schema, owner: &ObjectName) {
    match base.tables.get(owner) {
        Some(table) => drop(schema.tables.insert(owner.clone(), table.clone())),
        None => drop(schema.tables.remove(owner)),
    }
    match base.views.get(owner) {
        Some(view) => drop(schema.views.insert(owner.clone(), view.clone())),
        None => drop(schema.views.remove(owner)),
    }
}

fn partly(owner: &ObjectName) -> Refusal {
    Refusal::Unsupported {
        sentence: format!(
            "Of the changes of {owner} only some are selected, but SQLite changes a table or view \
             as a whole. Select all of them, or none."
        ),
    }
}
