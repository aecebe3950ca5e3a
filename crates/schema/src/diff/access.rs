//! Owners and privileges, and what statements of their own set.

use std::collections::BTreeSet;

use super::{AccessCompared, Hints, Sides, sides};
use crate::{AccessOn, Change, ObjectName, ObjectRef, Schema, Setting};

/// The settings of what is on both sides. What is created has its own with it.
pub(super) fn settings(from: &Schema, to: &Schema, out: &mut Vec<Change>) {
    if from.settings == to.settings {
        return;
    }
    for (setting, of) in sides(&from.settings, &to.settings) {
        let (from_value, to_value) = match of {
            Sides::From(from) => (Some(from), None),
            Sides::To(to) => (None, Some(to)),
            Sides::Both(from, to) => (Some(from), Some(to)),
        };
        if from_value == to_value || ![from, to].iter().all(|schema| has(schema, setting)) {
            continue;
        }
        out.push(Change::SetSetting {
            setting: setting.clone(),
            from: from_value.cloned(),
            to: to_value.cloned(),
        });
    }
}

/// Whether a schema has what a setting is of.
fn has(schema: &Schema, setting: &Setting) -> bool {
    let relation = setting.relation();
    let (table, view) = (
        schema.tables.get(relation),
        schema.materialized_views.get(relation),
    );
    match setting {
        Setting::Storage(_, name)
        | Setting::Compression(_, name)
        | Setting::Statistics(_, name) => {
            table.is_some_and(|table| table.column(name).is_some())
                || view.is_some_and(|view| view.columns.iter().any(|one| one.name == *name))
        }
        Setting::IndexTablespace(_, name)
        | Setting::IndexStatistics(_, name, _)
        | Setting::IndexComment(_, name) => has_index(schema, relation, name),
        _ => table.is_some() || view.is_some(),
    }
}

/// Whether a table or materialized view has an index of this name, that of a constraint too.
fn has_index(schema: &Schema, relation: &ObjectName, name: &str) -> bool {
    let view = schema.materialized_views.get(relation);
    let of_view = view.is_some_and(|view| view.indexes.contains_key(name));
    of_view
        || schema.tables.get(relation).is_some_and(|table| {
            table.indexes.contains_key(name)
                || table.uniques.contains_key(name)
                || table.exclusions.contains_key(name)
                || table
                    .primary_key
                    .as_ref()
                    .is_some_and(|key| key.name == name)
        })
}

/// The owners and privileges of what is on both sides, and default privileges. What is created
/// has its own with it.
pub(super) fn access(from: &Schema, to: &Schema, hints: &Hints, out: &mut Vec<Change>) {
    let all: BTreeSet<&AccessOn> = from.access.keys().chain(to.access.keys()).collect();
    for on in all {
        let on_both = [from, to].iter().all(|schema| match on {
            AccessOn::Future(_) => true,
            AccessOn::Object(object) => has_object(schema, object),
            AccessOn::Column(object, name) => has_column(schema, object, name),
        });
        let [mut before, after] =
            [from, to].map(|schema| schema.access.get(on).cloned().unwrap_or_default());
        // A description says nothing of an owner who is not named.
        if hints.access == AccessCompared::WhereSaid && after.owner.is_none() {
            before.owner = None;
        }
        // A sequence that a column owns belongs to the owner of the table.
        if let AccessOn::Object(ObjectRef::Sequence(name)) = on
            && to
                .sequences
                .get(name)
                .is_none_or(|of| of.owned_by.is_some())
        {
            before.owner.clone_from(&after.owner);
        }
        if on_both && before != after {
            out.push(Change::SetAccess {
                on: on.clone(),
                from: before,
                to: after,
            });
        }
    }
}

/// Whether a schema has an object. The schema `public` is always there.
pub(crate) fn has_object(schema: &Schema, object: &ObjectRef) -> bool {
    match object {
        ObjectRef::Namespace(name) => schema.namespaces.contains_key(name) || name == "public",
        ObjectRef::Extension(name) => schema.extensions.contains_key(name),
        ObjectRef::Enum(name) => schema.enums.contains_key(name),
        ObjectRef::Domain(name) => schema.domains.contains_key(name),
        ObjectRef::Defined(name) => schema.defined.contains_key(name),
        ObjectRef::Sequence(name) => {
            schema.sequences.contains_key(name) || of_identity(schema, name)
        }
        ObjectRef::Function(name) => schema.functions.contains_key(name),
        ObjectRef::Table(name) => schema.tables.contains_key(name),
        ObjectRef::View(name) => schema.views.contains_key(name),
        ObjectRef::MaterializedView(name) => schema.materialized_views.contains_key(name),
    }
}

/// Whether a sequence is that of an identity column.
fn of_identity(schema: &Schema, sequence: &ObjectName) -> bool {
    let mut columns = schema.tables.values().flat_map(|table| &table.columns);
    columns.any(|column| {
        let identity = column.identity.as_ref();
        identity.is_some_and(|identity| identity.sequence.as_ref() == Some(sequence))
    })
}

fn has_column(schema: &Schema, object: &ObjectRef, name: &str) -> bool {
    let in_view = |columns: &[crate::ViewColumn]| columns.iter().any(|one| one.name == name);
    match object {
        ObjectRef::Table(of) => {
            let table = schema.tables.get(of);
            table.is_some_and(|table| table.column(name).is_some())
        }
        ObjectRef::View(of) => schema.views.get(of).is_some_and(|of| in_view(&of.columns)),
        ObjectRef::MaterializedView(of) => {
            let view = schema.materialized_views.get(of);
            view.is_some_and(|view| in_view(&view.columns))
        }
        _ => false,
    }
}
