//! The parts that models cannot describe, carried over from the schema that they are compared with.

use std::collections::BTreeSet;

use underpin_schema::{
    Expression, FunctionName, KeyTarget, ObjectName, ObjectRef, Schema, Sequence, Table, Type,
};

use crate::dialect::ModelDialect;

mod counter;
mod table;

/// The schema that models describe, with all that they cannot say as `now` has it: views,
/// functions, triggers, policies, extensions, domains, sequences, storage. Tables and enums that
/// they could say and do not are not taken over. `now` has the new names of what is renamed.
pub fn carry_over(mut described: Schema, now: &Schema, dialect: &ModelDialect) -> Schema {
    counter::take_over(&mut described, now);
    for (name, table) in &mut described.tables {
        if let Some(now) = now.tables.get(name) {
            table::take_over(table, now, dialect);
        }
    }
    without_lost_parents(&mut described);
    namespaces(&mut described, now);
    described.extensions.clone_from(&now.extensions);
    described.domains.clone_from(&now.domains);
    described.functions.clone_from(&now.functions);
    described.views.clone_from(&now.views);
    let views = &mut described.materialized_views;
    views.clone_from(&now.materialized_views);
    described.defined.clone_from(&now.defined);
    described.settings.clone_from(&now.settings);
    described.casts.clone_from(&now.casts);
    described.unsupported.clone_from(&now.unsupported);
    described.unlisted_options.clone_from(&now.unlisted_options);
    described
        .needs_unsupported
        .clone_from(&now.needs_unsupported);
    sequences(&mut described, now);
    enums(&mut described, now);
    needs_functions(&mut described);
    described
}

/// Selection has to be there for the tables to be made: no views, triggers and policies, and
/// only those functions that a table or domain may call.
pub fn needed_by_tables(schema: &Schema) -> Schema {
    let mut needed = schema.clone();
    needed.views.clear();
    needed.materialized_views.clear();
    needed.settings.clear();
    needed.access.clear();
    // Those that stand on relations are not needed by any.
    needed.defined.retain(|name, of| {
        of.on.is_none() && name.kind != underpin_schema::DefinedKind::EventTrigger
    });
    for table in needed.tables.values_mut() {
        table.triggers.clear();
        table.policies.clear();
    }
    let of_tables = schema.tables.values().flat_map(|table| &table.depends_on);
    let of_domains = schema
        .domains
        .values()
        .flat_map(|domain| &domain.depends_on);
    let of_defined = needed.defined.values().flat_map(|one| &one.depends_on);
    let functions =
        of_tables
            .chain(of_domains)
            .chain(of_defined)
            .filter_map(|needed| match needed {
                ObjectRef::Function(name) => Some(name.clone()),
                _ => None,
            });
    let called = with_callees(schema, functions.collect());
    needed.functions.retain(|name, _| called.contains(name));
    let tables = needed.tables.keys().cloned();
    let tables: BTreeSet<ObjectName> = tables.collect();
    for sequence in needed.sequences.values_mut() {
        let lost = |table: &ObjectName| !tables.contains(table);
        if sequence.owned_by.as_ref().is_some_and(|by| lost(&by.table)) {
            sequence.owned_by = None;
        }
    }
    needed
}

/// What was made of [`needed_by_tables`], completed by what was not made.
pub fn completed(mut made: Schema, wanted: &Schema) -> Schema {
    made.views.clone_from(&wanted.views);
    let views = &mut made.materialized_views;
    views.clone_from(&wanted.materialized_views);
    made.functions.clone_from(&wanted.functions);
    made.defined.clone_from(&wanted.defined);
    made.settings.clone_from(&wanted.settings);
    // Models say nothing of owners and privileges.
    made.access.clear();
    made.unsupported.clone_from(&wanted.unsupported);
    made.unlisted_options.clone_from(&wanted.unlisted_options);
    made.needs_unsupported.clone_from(&wanted.needs_unsupported);
    for (name, sequence) in &wanted.sequences {
        if let Some(made) = made.sequences.get_mut(name) {
            made.owned_by.clone_from(&sequence.owned_by);
        }
    }
    for (name, table) in &mut made.tables {
        if let Some(wanted) = wanted.tables.get(name) {
            table.triggers.clone_from(&wanted.triggers);
            table.policies.clone_from(&wanted.policies);
            // An index that waits for partitions waits for none where there are none.
            for (name, index) in &mut table.indexes {
                index.valid = wanted.indexes.get(name).is_none_or(|one| one.valid);
            }
        }
    }
    made
}

fn namespaces(described: &mut Schema, now: &Schema) {
    for (name, namespace) in &now.namespaces {
        let described = described.namespaces.entry(name.clone()).or_default();
        described.clone_from(namespace);
    }
}

/// A table is a child only where its parents are there.
fn without_lost_parents(described: &mut Schema) {
    let there: BTreeSet<ObjectName> = described.tables.keys().cloned().collect();
    for table in described.tables.values_mut() {
        let partition_of = table.partition_of.iter().map(|of| &of.parent);
        let mut parents = partition_of.chain(&table.inherits);
        if !parents.all(|parent| there.contains(parent)) {
            table::set_free(table);
        }
    }
}

/// Sequences that no model owns: those that stand for themselves, those of partitions that no
/// model names, and those that a default names.
fn sequences(described: &mut Schema, now: &Schema) {
    for (name, sequence) in &now.sequences {
        if !described.sequences.contains_key(name) && is_kept(name, sequence, described, now) {
            described.sequences.insert(name.clone(), sequence.clone());
        }
    }
}

fn is_kept(name: &ObjectName, sequence: &Sequence, described: &Schema, now: &Schema) -> bool {
    let Some(owner) = &sequence.owned_by else {
        return true;
    };
    match described.tables.get(&owner.table) {
        Some(table) => {
            let column = table.column(&owner.column);
            let default = column.and_then(|column| column.default.as_ref());
            default.is_some_and(|default| default.as_str().contains(&name.name))
        }
        None => {
            let owner = now.tables.get(&owner.table);
            owner.is_some_and(|owner| owner.partition_of.is_some())
        }
    }
}

/// Enums that no model has and that are needed all the same, or that no column ever had.
fn enums(described: &mut Schema, now: &Schema) {
    for (name, of) in &now.enums {
        if described.enums.contains_key(name) {
            continue;
        }
        let is_of = |data_type: &Type| is_type(data_type, name);
        let has = |table: &Table| table.columns.iter().any(|one| is_of(&one.data_type));
        let was_a_columns = now.tables.values().any(has);
        let is_a_columns = described.tables.values().any(has);
        if !was_a_columns || is_a_columns || stands_under(name, now) {
            described.enums.insert(name.clone(), of.clone());
        }
    }
}

/// Whether anything but a table needs the type.
fn stands_under(name: &ObjectName, now: &Schema) -> bool {
    let of = ObjectRef::Enum(name.clone());
    let domains = now.domains.values();
    let functions = now.functions.values();
    let views = now.views.values();
    let materialized = now.materialized_views.values();
    domains
        .into_iter()
        .any(|one| one.depends_on.contains(&of) || is_type(&one.base, name))
        || functions
            .into_iter()
            .any(|one| one.depends_on.contains(&of))
        || views.into_iter().any(|one| one.depends_on.contains(&of))
        || materialized
            .into_iter()
            .any(|one| one.depends_on.contains(&of))
}

/// Whether a type is the one of this name, which a model may give without its namespace.
fn is_type(data_type: &Type, name: &ObjectName) -> bool {
    let namespace = data_type.namespace.as_deref();
    data_type.name == name.name && namespace.is_none_or(|given| given == name.namespace)
}

/// Says of each table which functions its expressions name, so that they are made before it.
fn needs_functions(schema: &mut Schema) {
    let functions: Vec<FunctionName> = schema.functions.keys().cloned().collect();
    for table in schema.tables.values_mut() {
        let texts = expressions(table);
        let named = functions.iter().filter(|function| {
            let mut texts = texts.iter();
            texts.any(|text| text.as_str().contains(&function.name))
        });
        let named: Vec<ObjectRef> = named.cloned().map(ObjectRef::Function).collect();
        table.depends_on.extend(named);
    }
}

/// All expressions of a table that are there when it is made.
fn expressions(table: &Table) -> Vec<Expression> {
    let columns = table.columns.iter();
    let of_columns = columns.flat_map(|column| {
        let generated = column.generated.iter().map(|one| &one.expression);
        column.default.iter().chain(generated)
    });
    let checks = table.checks.values().map(|check| &check.expression);
    let of_keys = table.indexes.values().flat_map(|index| {
        let keys = index.keys.iter().map(|key| &key.target);
        targets(keys).chain(&index.predicate)
    });
    let of_exclusions = table.exclusions.values().flat_map(|one| {
        let keys = one.elements.iter().map(|element| &element.key.target);
        targets(keys).chain(&one.predicate)
    });
    let partition = table.partition_by.iter().flat_map(|by| &by.keys);
    let of_partition = targets(partition.map(|key| &key.target));
    let all = of_columns.chain(checks).chain(of_keys);
    let all = all.chain(of_exclusions).chain(of_partition);
    all.cloned().collect()
}

fn targets<'t>(all: impl Iterator<Item = &'t KeyTarget>) -> impl Iterator<Item = &'t Expression> {
    all.filter_map(|target| match target {
        KeyTarget::Expression(text) => Some(text),
        KeyTarget::Column(_) => None,
    })
}

/// These functions and those that they may call.
fn with_callees(schema: &Schema, first: BTreeSet<FunctionName>) -> BTreeSet<FunctionName> {
    let mut all = first.clone();
    let mut next: Vec<FunctionName> = first.into_iter().collect();
    while let Some(name) = next.pop() {
        let Some(function) = schema.functions.get(&name) else {
            continue;
        };
        for callee in schema.functions.keys() {
            let known = function
                .depends_on
                .contains(&ObjectRef::Function(callee.clone()));
            let named = function.definition.as_str().contains(&callee.name);
            if (known || named) && all.insert(callee.clone()) {
                next.push(callee.clone());
            }
        }
    }
    all
}

#[cfg(test)]
mod tests;
