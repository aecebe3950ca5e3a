use std::collections::BTreeMap;

use underpin_core::Result;

use super::ddl::{index, table, trigger, view};
use super::error::SqlError;
use crate::{ObjectName, ObjectRef, Schema, View};

/// The statements, without semicolons, that make the schema in an empty database: tables, their
/// indexes, views, triggers. SQLite looks for what a foreign key refers to only when rows come,
/// so that tables need no order; views have the one in which each has what it needs. What is
/// [unsupported](Schema::unsupported) is not among them.
///
/// # Errors
/// For a name that is empty or holds a NUL byte; with
/// [`Class::Unsupported`](underpin_core::Class::Unsupported) for what SQLite cannot have.
pub fn dump(schema: &Schema) -> Result<Vec<String>> {
    refuse_foreign(schema)?;
    let mut out = Vec::new();
    for (name, of) in &schema.tables {
        out.push(table::create(name, of)?);
    }
    for (name, of) in &schema.tables {
        for (index_name, index) in &of.indexes {
            out.push(index::create(name, index_name, index)?);
        }
    }
    for name in views_in_order(&schema.views) {
        out.push(view::create(name, &schema.views[name])?);
    }
    let of_tables = schema.tables.values().map(|table| &table.triggers);
    let of_views = schema.views.values().map(|view| &view.triggers);
    for (name, of) in of_tables.chain(of_views).flatten() {
        out.push(trigger::create(name, of)?);
    }
    Ok(out)
}

/// The views, each after those that it is made of. Of those that are in a circle, which can be
/// made and not read, the first by name comes first.
pub(super) fn views_in_order(views: &BTreeMap<ObjectName, View>) -> Vec<&ObjectName> {
    let mut done: Vec<&ObjectName> = Vec::new();
    let mut left: Vec<(&ObjectName, &View)> = views.iter().collect();
    while !left.is_empty() {
        let ready = |view: &View| {
            view.depends_on.iter().all(|on| match on {
                ObjectRef::View(name) => !views.contains_key(name) || done.contains(&name),
                _ => true,
            })
        };
        let place = left.iter().position(|(_, view)| ready(view));
        done.push(left.remove(place.unwrap_or_default()).0);
    }
    done
}

/// Refuses the kinds of objects that SQLite has not at all.
fn refuse_foreign(schema: &Schema) -> Result<()> {
    let enums = schema.enums.keys().map(|name| format!("the enum {name}"));
    let domains = schema
        .domains
        .keys()
        .map(|name| format!("the domain {name}"));
    let sequences = schema
        .sequences
        .keys()
        .map(|name| format!("the sequence {name}"));
    let functions = schema
        .functions
        .keys()
        .map(|name| format!("the function {name}"));
    let views = schema
        .materialized_views
        .keys()
        .map(|name| format!("the materialized view {name}"));
    let extensions = schema
        .extensions
        .keys()
        .map(|name| format!("the extension {name}"));
    let mut all = extensions
        .chain(enums)
        .chain(domains)
        .chain(sequences)
        .chain(functions)
        .chain(views);
    match all.next() {
        Some(what) => Err(SqlError::Unsupported {
            what,
            instead: "Leave it out for SQLite.",
        }
        .into()),
        None => Ok(()),
    }
}
