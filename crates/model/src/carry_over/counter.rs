//! Columns that the database counts up keep their sequences, whatever these are called.

use underpin_schema::{ColumnRef, ObjectName, ObjectRef, Schema, Sequence};

/// Takes over, for each column that counts in both schemas, the sequence that it has, with its
/// name and how it counts where the type of its numbers is the same.
pub(super) fn take_over(described: &mut Schema, now: &Schema) {
    let owned = described.sequences.iter();
    let owned = owned.filter_map(|(name, of)| Some((name.clone(), of.owned_by.clone()?)));
    let owned: Vec<(ObjectName, ColumnRef)> = owned.collect();
    for (name, owner) in owned {
        if let Some((old_name, old)) = serial(now, &owner) {
            take_serial(described, now, (name, &owner), (old_name, old));
        }
    }
    for (name, table) in &mut described.tables {
        let Some(before) = now.tables.get(name) else {
            continue;
        };
        for column in &mut table.columns {
            let before = before.column(&column.name);
            let before = before.and_then(|before| before.identity.as_ref());
            if let (Some(identity), Some(before)) = (&mut column.identity, before) {
                identity.sequence.clone_from(&before.sequence);
                if identity.options.data_type == before.options.data_type {
                    identity.options = before.options.clone();
                }
            }
        }
    }
}

/// The sequence that a column owns and takes its default from.
fn serial<'n>(now: &'n Schema, owner: &ColumnRef) -> Option<(&'n ObjectName, &'n Sequence)> {
    let column = now.tables.get(&owner.table)?.column(&owner.column)?;
    let default = column.default.as_ref()?;
    now.sequences.iter().find(|(name, sequence)| {
        sequence.owned_by.as_ref() == Some(owner) && default.as_str().contains(&name.name)
    })
}

fn take_serial(
    described: &mut Schema,
    now: &Schema,
    (name, owner): (ObjectName, &ColumnRef),
    (old_name, old): (&ObjectName, &Sequence),
) {
    let Some(mut sequence) = described.sequences.remove(&name) else {
        return;
    };
    if sequence.options.data_type == old.options.data_type {
        sequence.options = old.options.clone();
    }
    sequence.persistence = old.persistence;
    sequence.comment.clone_from(&old.comment);
    described.sequences.insert(old_name.clone(), sequence);
    let default = now.tables[&owner.table].column(&owner.column);
    let default = default.and_then(|column| column.default.clone());
    let Some(table) = described.tables.get_mut(&owner.table) else {
        return;
    };
    table.depends_on.remove(&ObjectRef::Sequence(name));
    table
        .depends_on
        .insert(ObjectRef::Sequence(old_name.clone()));
    let mut columns = table.columns.iter_mut();
    if let Some(column) = columns.find(|column| column.name == owner.column) {
        column.default = default;
    }
}
