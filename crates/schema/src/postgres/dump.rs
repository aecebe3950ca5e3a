use std::collections::BTreeSet;

use underpin_core::Result;

use super::ddl::{
    self, access, check, column, defined, domain, enum_type, extension, foreign_key, function,
    index, materialized_view, namespace, partition, policy, sequence, setting, table, trigger,
    view,
};
use crate::{
    AccessOn, DefinedKind, ForeignKey, Index, ObjectName, ObjectRef, Schema, Table, TriggerState,
};

mod comments;
mod order;

pub use order::{Order, order};

/// The statements, without semicolons, that make the schema in an empty database, in an order
/// in which each has what it needs. What is [unsupported](Schema::unsupported) is not among
/// them; where something needs it, its statement will fail.
///
/// # Errors
/// For a name that is empty or holds a NUL byte.
pub fn dump(schema: &Schema) -> Result<Vec<String>> {
    let mut out = Vec::new();
    for name in schema.namespaces.keys() {
        out.push(namespace::create(name)?);
    }
    for name in extensions(schema) {
        out.push(extension::create(name, &schema.extensions[name])?);
    }
    if !schema.functions.is_empty() {
        // The body of a function may name what is made after it.
        out.push("SET check_function_bodies = off".to_owned());
    }
    let order = order(schema);
    for object in &order.objects {
        create(schema, object, &order.bare, &mut out)?;
    }
    for name in &order.bare {
        out.extend(table::complete(name, &schema.tables[name])?);
        // Its children had no default to inherit.
        for (child, table) in &schema.tables {
            let inherits = table.inherits.contains(name) && !order.bare.contains(child);
            let columns = table.columns.iter().filter(|_| inherits);
            for column in columns.filter(|column| column.inherited && column.default.is_some()) {
                out.push(column::set_default(child, column)?);
            }
        }
    }
    for (name, sequence) in &schema.sequences {
        if sequence.owned_by.is_some() {
            out.push(sequence::own(name, sequence.owned_by.as_ref())?);
        }
    }
    tables(schema, &mut out)?;
    for (name, view) in &schema.views {
        for column in view
            .columns
            .iter()
            .filter(|column| column.default.is_some())
        {
            out.push(view::set_default(name, column)?);
        }
    }
    column_options(schema, &mut out)?;
    triggers(schema, &mut out)?;
    for (name, table) in &schema.tables {
        for (policy_name, policy) in &table.policies {
            out.push(policy::create(name, policy_name, policy)?);
        }
        out.extend(table::row_security(
            name,
            Default::default(),
            table.row_security,
        )?);
    }
    comments::all(schema, &mut out)?;
    for (of, value) in &schema.settings {
        out.push(setting::set(of, Some(value))?);
    }
    for (name, of) in &schema.defined {
        if name.kind == DefinedKind::EventTrigger {
            out.extend(defined::create(of));
            out.extend(comments::on_defined(name, of)?);
        }
    }
    privileges(schema, &mut out)?;
    Ok(out)
}

/// Owners and privileges, once all is there, and default privileges last.
fn privileges(schema: &Schema, out: &mut Vec<String>) -> Result<()> {
    let usual = Default::default();
    for (on, of) in &schema.access {
        let mut of = of.clone();
        // A sequence that a column owns belongs to the owner of the table.
        if let AccessOn::Object(ObjectRef::Sequence(name)) = on
            && schema
                .sequences
                .get(name)
                .is_none_or(|of| of.owned_by.is_some())
        {
            of.owner = None;
        }
        out.extend(access::statements(on, &usual, &of)?);
    }
    Ok(())
}

fn column_options(schema: &Schema, out: &mut Vec<String>) -> Result<()> {
    for (name, table) in &schema.tables {
        for column in &table.columns {
            out.extend(column::set_options(name, column)?);
        }
    }
    for (name, view) in &schema.materialized_views {
        for column in &view.columns {
            out.extend(materialized_view::set_options(name, column)?);
        }
    }
    Ok(())
}

/// The extensions, each after those that it stands on.
fn extensions(schema: &Schema) -> Vec<&String> {
    let mut done: Vec<&String> = Vec::new();
    let mut left: Vec<_> = schema.extensions.iter().collect();
    while !left.is_empty() {
        let ready = |requires: &BTreeSet<String>| {
            let mut awaited = requires
                .iter()
                .filter(|name| schema.extensions.contains_key(*name));
            awaited.all(|name| done.contains(&name))
        };
        let place = left
            .iter()
            .position(|(_, extension)| ready(&extension.requires));
        done.push(left.remove(place.unwrap_or_default()).0);
    }
    done
}

fn create(
    schema: &Schema,
    object: &ObjectRef,
    bare: &BTreeSet<ObjectName>,
    out: &mut Vec<String>,
) -> Result<()> {
    match object {
        ObjectRef::Enum(name) => out.push(enum_type::create(name, &schema.enums[name])?),
        ObjectRef::Domain(name) => {
            let of = &schema.domains[name];
            out.push(domain::create(name, of)?);
            for (check_name, check) in of.checks.iter().filter(|(_, check)| check.not_valid) {
                out.push(domain::add_check(name, check_name, check)?);
            }
        }
        ObjectRef::Defined(name) if name.kind == DefinedKind::EventTrigger => {}
        ObjectRef::Defined(name) => out.extend(defined::create(&schema.defined[name])),
        ObjectRef::Sequence(name) => out.push(sequence::create(name, &schema.sequences[name])?),
        ObjectRef::Function(name) => out.push(function::create(&schema.functions[name])),
        ObjectRef::Table(name) => {
            let of = &schema.tables[name];
            out.push(match bare.contains(name) {
                true => table::create_bare(name, of)?,
                false => table::create(name, of)?,
            });
            out.extend(table::repeated(name, of)?);
        }
        ObjectRef::View(name) => out.push(view::create(name, &schema.views[name])?),
        ObjectRef::MaterializedView(name) => {
            out.push(materialized_view::create(
                name,
                &schema.materialized_views[name],
            )?);
        }
        ObjectRef::Namespace(_) | ObjectRef::Extension(_) => {}
    }
    Ok(())
}

/// The parts of tables that are created once all tables exist.
fn tables(schema: &Schema, out: &mut Vec<String>) -> Result<()> {
    for (name, table) in &schema.tables {
        checks_not_valid(name, table, out)?;
        inherited_columns(schema, name, table, out)?;
    }
    for (name, table) in &schema.tables {
        valid_in_child(schema, name, table, out)?;
    }
    let of_tables = schema
        .tables
        .iter()
        .map(|(name, table)| (name, &table.indexes));
    let of_views = schema.materialized_views.iter();
    let of_views = of_views.map(|(name, view)| (name, &view.indexes));
    for (table, indexes) in of_tables.chain(of_views) {
        for (name, index) in indexes {
            if !waits_for_partitions(schema, table, index) {
                out.push(index::create(table, name, index, Default::default())?);
            }
        }
    }
    let partitions = partitions(schema);
    for (name, table) in &partitions {
        if let Some(of) = &table.partition_of {
            out.push(partition::attach(name, of)?);
        }
    }
    indexes_of_some_partitions(schema, out)?;
    foreign_keys(schema, &partitions, out)
}

/// Whether it is the index of a partitioned table of which some partition has no part.
fn waits_for_partitions(schema: &Schema, table: &ObjectName, index: &Index) -> bool {
    let table = schema.tables.get(table);
    !index.valid && table.is_some_and(|table| table.partition_by.is_some())
}

/// The tables that are partitions, those nearest to the root first.
fn partitions(schema: &Schema) -> Vec<(&ObjectName, &Table)> {
    let depth = |table: &Table| {
        let mut depth = 0;
        let mut above = table.partition_of.as_ref();
        while let Some(of) = above {
            depth += 1;
            let parent = schema.tables.get(&of.parent);
            above = parent.and_then(|parent| parent.partition_of.as_ref());
        }
        depth
    };
    let partitions = schema.tables.iter();
    let partitions = partitions.filter(|(_, table)| table.partition_of.is_some());
    let mut partitions: Vec<_> = partitions.collect();
    partitions.sort_by_cached_key(|(name, table)| (depth(table), *name));
    partitions
}

/// Attaching a partition gives it all indexes of its parent, so that those which not every
/// partition has are made after that.
fn indexes_of_some_partitions(schema: &Schema, out: &mut Vec<String>) -> Result<()> {
    let mut parents = BTreeSet::new();
    for (table, of) in &schema.tables {
        for (name, index) in &of.indexes {
            if waits_for_partitions(schema, table, index) {
                out.push(index::create(table, name, index, index::Build::Only)?);
                parents.insert(table.sibling(name));
            }
        }
    }
    for (table, of) in &schema.tables {
        for (name, index) in &of.indexes {
            if let Some(parent) = index
                .parent
                .as_ref()
                .filter(|parent| parents.contains(parent))
            {
                out.push(index::attach(parent, &table.sibling(name))?);
            }
        }
    }
    Ok(())
}

/// A check that is not valid comes after the table, since on an empty one it would be valid.
pub(super) fn checks_not_valid(
    name: &ObjectName,
    table: &Table,
    out: &mut Vec<String>,
) -> Result<()> {
    let own = table.inherits.is_empty();
    for (check_name, check) in &table.checks {
        if check.not_valid && (own || !check.inherited) {
            let clause = check::clause(check_name, check)?;
            out.push(ddl::add_constraint(name, &clause)?);
        }
    }
    for column in table
        .columns
        .iter()
        .filter(|column| own || !column.inherited)
    {
        let constraint = column.not_null_constraint.as_ref();
        let own = constraint.filter(|constraint| constraint.not_valid && !constraint.inherited);
        if let Some(constraint) = own {
            out.push(column::add_not_null(name, &column.name, constraint)?);
        }
    }
    Ok(())
}

/// What is not valid in a table comes to its children so, but may have been validated there.
fn valid_in_child(
    schema: &Schema,
    name: &ObjectName,
    table: &Table,
    out: &mut Vec<String>,
) -> Result<()> {
    let parents = table.inherits.iter();
    let parents: Vec<&Table> = parents
        .filter_map(|parent| schema.tables.get(parent))
        .collect();
    let checks = table.checks.iter();
    let valid = checks.filter(|(_, of)| of.inherited && !of.not_valid && !of.not_enforced);
    for (check, _) in valid {
        let mut above = parents.iter().filter_map(|parent| parent.checks.get(check));
        if above.any(|above| above.not_valid && !above.not_enforced) {
            out.push(check::validate(name, check)?);
        }
    }
    for column in table.columns.iter().filter(|column| column.not_null) {
        let own = column.not_null_constraint.as_ref();
        let here = own.map_or(column.inherited, |own| own.inherited && !own.not_valid);
        let mut above = parents.iter().filter_map(|parent| {
            let above = parent.column(&column.name)?.not_null_constraint.as_ref()?;
            above.not_valid.then_some(&above.name)
        });
        if here && let Some(above) = above.next() {
            out.push(check::validate(name, own.map_or(above, |own| &own.name))?);
        }
    }
    Ok(())
}

/// The changes of a table to the columns that it inherits.
pub(super) fn inherited_columns(
    schema: &Schema,
    name: &ObjectName,
    table: &Table,
    out: &mut Vec<String>,
) -> Result<()> {
    let parents = table
        .inherits
        .iter()
        .filter_map(|parent| schema.tables.get(parent));
    let parents: Vec<&Table> = parents.collect();
    for column in table.columns.iter().filter(|column| column.inherited) {
        let above: Vec<_> = parents
            .iter()
            .filter_map(|of| of.column(&column.name))
            .collect();
        let Some(first) = above.first() else {
            continue;
        };
        if above.iter().all(|of| of.default != column.default) && column.generated.is_none() {
            out.push(column::set_default(name, column)?);
        }
        if column.not_null && !first.not_null && above.iter().all(|of| !of.not_null) {
            match &column.not_null_constraint {
                // It is in the statement that creates the table.
                Some(constraint) if !constraint.not_valid => {}
                Some(constraint) => {
                    out.push(column::add_not_null(name, &column.name, constraint)?);
                }
                None => out.push(column::set_not_null(name, column)?),
            }
        }
    }
    Ok(())
}

/// Those of partitions first that are called otherwise than those of their parents, which
/// then take them for their own.
fn foreign_keys(
    schema: &Schema,
    partitions: &[(&ObjectName, &Table)],
    out: &mut Vec<String>,
) -> Result<()> {
    let add = |table: &ObjectName, name: &str, key: &ForeignKey| {
        ddl::add_constraint(table, &foreign_key::clause(name, key)?)
    };
    for (table, of) in partitions.iter().rev() {
        let parent = of.partition_of.as_ref();
        let parent = parent.and_then(|of| schema.tables.get(&of.parent));
        for (name, key) in of.foreign_keys.iter().filter(|(_, key)| key.inherited) {
            if parent.is_some_and(|parent| !parent.foreign_keys.contains_key(name)) {
                out.push(add(table, name, key)?);
            }
        }
    }
    for (table, of) in &schema.tables {
        for (name, key) in of.foreign_keys.iter().filter(|(_, key)| !key.inherited) {
            out.push(add(table, name, key)?);
        }
    }
    Ok(())
}

/// A trigger of a partitioned table comes to the partitions with its state.
fn triggers(schema: &Schema, out: &mut Vec<String>) -> Result<()> {
    let of_tables = schema
        .tables
        .iter()
        .map(|(name, table)| (name, &table.triggers));
    let of_views = schema
        .views
        .iter()
        .map(|(name, view)| (name, &view.triggers));
    for (table, triggers) in of_tables.chain(of_views) {
        for (name, of) in triggers.iter().filter(|(_, of)| !of.inherited) {
            out.push(trigger::create(of));
            if of.state != TriggerState::Enabled {
                out.push(trigger::set_state(table, name, of.state)?);
            }
        }
    }
    for (table, of) in partitions(schema) {
        let parent = of.partition_of.as_ref();
        let parent = parent.and_then(|of| schema.tables.get(&of.parent));
        for (name, of) in of.triggers.iter().filter(|(_, of)| of.inherited) {
            let above = parent.and_then(|parent| parent.triggers.get(name));
            if above.is_some_and(|above| above.state != of.state) {
                out.push(trigger::set_state(table, name, of.state)?);
            }
        }
    }
    Ok(())
}
