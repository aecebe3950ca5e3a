//! The texts of a schema, each with the place where it stands: what an engine renders, and may
//! render in another way when it has read what it rendered.

use std::collections::BTreeMap;

use crate::{Bound, Expression, Index, KeyTarget, ObjectName, Schema, Table, Trigger};

/// A place in a schema.
type Place = String;

impl Schema {
    /// Whether it and another one have different texts in one place.
    pub fn differs_in_texts(&self, other: &Schema) -> bool {
        let (left, right) = (texts(self), texts(other));
        left.iter().any(|(place, text)| {
            let other = right.get(place);
            other.is_some_and(|other| other != text)
        })
    }

    /// Takes over the texts of `other` wherever the engine reads both as one: `read` and
    /// `other_read` are what it made of this schema and of the other one. With `renamed`, texts
    /// that differ are as it read them, with new names.
    #[must_use]
    pub fn with_texts_of(
        mut self,
        read: &Schema,
        other: &Schema,
        other_read: &Schema,
        renamed: bool,
    ) -> Schema {
        let [read, other, other_read] = [read, other, other_read].map(texts);
        visit(&mut self, &mut |place, text| {
            let (Some(own), Some(theirs)) = (read.get(&place), other.get(&place)) else {
                return;
            };
            if other_read.get(&place) == Some(own) {
                text.clone_from(theirs);
            } else if renamed {
                text.clone_from(own);
            }
        });
        self
    }
}

fn texts(schema: &Schema) -> BTreeMap<Place, Expression> {
    let mut schema = schema.clone();
    let mut texts = BTreeMap::new();
    visit(&mut schema, &mut |place, text| {
        texts.insert(place, text.clone());
    });
    texts
}

type See<'s> = &'s mut dyn FnMut(Place, &mut Expression);

fn visit(schema: &mut Schema, see: See<'_>) {
    for (name, domain) in &mut schema.domains {
        if let Some(default) = &mut domain.default {
            see(format!("default of domain {name}"), default);
        }
        for (check, of) in &mut domain.checks {
            see(
                format!("check {check} of domain {name}"),
                &mut of.expression,
            );
        }
    }
    for (name, defined) in &mut schema.defined {
        for (number, text) in defined.definition.iter_mut().enumerate() {
            see(format!("statement {number} of {name}"), text);
        }
    }
    for (name, function) in &mut schema.functions {
        see(format!("function {name}"), &mut function.definition);
        let mut arguments = Expression(std::mem::take(&mut function.arguments));
        see(format!("arguments of function {name}"), &mut arguments);
        function.arguments = arguments.0;
    }
    for (name, table) in &mut schema.tables {
        of_table(name, table, see);
    }
    for (name, view) in &mut schema.views {
        see(format!("view {name}"), &mut view.definition);
        for column in &mut view.columns {
            if let Some(default) = &mut column.default {
                see(format!("default of {name}.{}", column.name), default);
            }
        }
        triggers(name, &mut view.triggers, see);
    }
    for (name, view) in &mut schema.materialized_views {
        see(format!("view {name}"), &mut view.definition);
        indexes(name, &mut view.indexes, see);
    }
}

fn of_table(name: &ObjectName, table: &mut Table, see: See<'_>) {
    for column in &mut table.columns {
        let of = &column.name;
        if let Some(default) = &mut column.default {
            see(format!("default of {name}.{of}"), default);
        }
        if let Some(generated) = &mut column.generated {
            see(format!("generated {name}.{of}"), &mut generated.expression);
        }
    }
    for (check, of) in &mut table.checks {
        see(format!("check {check} of {name}"), &mut of.expression);
    }
    for (exclusion, of) in &mut table.exclusions {
        for (number, element) in of.elements.iter_mut().enumerate() {
            let place = format!("key {number} of exclusion {exclusion} of {name}");
            target(place, &mut element.key.target, see);
        }
        if let Some(predicate) = &mut of.predicate {
            see(
                format!("predicate of exclusion {exclusion} of {name}"),
                predicate,
            );
        }
    }
    indexes(name, &mut table.indexes, see);
    triggers(name, &mut table.triggers, see);
    for (policy, of) in &mut table.policies {
        if let Some(using) = &mut of.using {
            see(format!("policy {policy} of {name}"), using);
        }
        if let Some(check) = &mut of.check {
            see(format!("check of policy {policy} of {name}"), check);
        }
    }
    if let Some(by) = &mut table.partition_by {
        for (number, key) in by.keys.iter_mut().enumerate() {
            target(
                format!("partition key {number} of {name}"),
                &mut key.target,
                see,
            );
        }
    }
    if let Some(of) = &mut table.partition_of
        && let Bound::Values(values) = &mut of.bound
    {
        see(format!("bound of {name}"), values);
    }
}

fn indexes(of: &ObjectName, indexes: &mut BTreeMap<String, Index>, see: See<'_>) {
    for (name, index) in indexes {
        for (number, key) in index.keys.iter_mut().enumerate() {
            target(
                format!("key {number} of index {name} of {of}"),
                &mut key.target,
                see,
            );
        }
        if let Some(predicate) = &mut index.predicate {
            see(format!("predicate of index {name} of {of}"), predicate);
        }
    }
}

fn triggers(of: &ObjectName, triggers: &mut BTreeMap<String, Trigger>, see: See<'_>) {
    for (name, trigger) in triggers {
        see(format!("trigger {name} of {of}"), &mut trigger.definition);
    }
}

fn target(place: Place, target: &mut KeyTarget, see: See<'_>) {
    if let KeyTarget::Expression(text) = target {
        see(place, text);
    }
}
