use std::collections::{BTreeMap, BTreeSet};

use crate::{ObjectName, ObjectRef, Schema, Type};

/// The order in which objects can be made, and in reverse dropped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order {
    /// Enums, domains, sequences, functions, tables, views and materialized views, each after
    /// what it needs and, where it can choose, in that order and by name.
    pub objects: Vec<ObjectRef>,
    /// The tables among them that come before what their defaults and checks need, since
    /// that needs them.
    pub bare: BTreeSet<ObjectName>,
}

/// The needs of an object.
struct Needs {
    /// The objects that have to exist before it.
    hard: BTreeSet<ObjectRef>,
    /// What it can do without at first, where it is a table.
    soft: BTreeSet<ObjectRef>,
}

/// The order in which the objects of a schema can be made.
pub fn order(schema: &Schema) -> Order {
    let mut left = needs(schema);
    // What is not there to be made is not waited for.
    let known: BTreeSet<ObjectRef> = left.keys().cloned().collect();
    for (object, needs) in &mut left {
        for set in [&mut needs.hard, &mut needs.soft] {
            set.retain(|needed| known.contains(needed) && needed != object);
        }
    }
    let mut needed_by: BTreeMap<ObjectRef, Vec<ObjectRef>> = BTreeMap::new();
    for (object, needs) in &left {
        for needed in needs.hard.union(&needs.soft) {
            needed_by
                .entry(needed.clone())
                .or_default()
                .push(object.clone());
        }
    }
    let free = left
        .iter()
        .filter(|(_, needs)| needs.hard.is_empty() && needs.soft.is_empty());
    let mut ready: BTreeSet<ObjectRef> = free.map(|(object, _)| object.clone()).collect();
    let mut order = Order::default();
    while !left.is_empty() {
        let next = ready
            .pop_first()
            .unwrap_or_else(|| break_circle(&left, &mut order.bare));
        left.remove(&next);
        for object in needed_by.remove(&next).unwrap_or_default() {
            if let Some(needs) = left.get_mut(&object) {
                needs.hard.remove(&next);
                needs.soft.remove(&next);
                if needs.hard.is_empty() && needs.soft.is_empty() {
                    ready.insert(object);
                }
            }
        }
        order.objects.push(next);
    }
    order
}

/// Of objects that all wait for one another, a table which can be made without its
/// expressions. Without one, which no database has, the first in line.
fn break_circle(left: &BTreeMap<ObjectRef, Needs>, bare: &mut BTreeSet<ObjectName>) -> ObjectRef {
    let could = |(object, needs): &(&ObjectRef, &Needs)| {
        matches!(object, ObjectRef::Table(_)) && needs.hard.is_empty() && reaches(left, object)
    };
    let first = left.iter().find(could).or_else(|| left.iter().next());
    let object = first.expect("something is left").0.clone();
    if let ObjectRef::Table(name) = &object {
        bare.insert(name.clone());
    }
    object
}

/// Whether the object needs itself, by way of others.
fn reaches(left: &BTreeMap<ObjectRef, Needs>, start: &ObjectRef) -> bool {
    let mut seen = BTreeSet::new();
    let mut next = vec![start];
    while let Some(object) = next.pop() {
        let Some(needs) = left.get(object) else {
            continue;
        };
        for needed in needs.hard.union(&needs.soft) {
            if needed == start {
                return true;
            }
            if seen.insert(needed) {
                next.push(needed);
            }
        }
    }
    false
}

fn needs(schema: &Schema) -> BTreeMap<ObjectRef, Needs> {
    let mut all = BTreeMap::new();
    let mut add = |object, hard, soft| drop(all.insert(object, Needs { hard, soft }));
    let none = BTreeSet::new;
    for name in schema.enums.keys() {
        add(ObjectRef::Enum(name.clone()), none(), none());
    }
    for (name, domain) in &schema.domains {
        let mut hard = domain.depends_on.clone();
        hard.extend(of_type(schema, &domain.base));
        add(ObjectRef::Domain(name.clone()), hard, none());
    }
    for (name, defined) in &schema.defined {
        add(
            ObjectRef::Defined(name.clone()),
            defined.depends_on.clone(),
            none(),
        );
    }
    for name in schema.sequences.keys() {
        add(ObjectRef::Sequence(name.clone()), none(), none());
    }
    for (name, function) in &schema.functions {
        let needs = function.depends_on.clone();
        add(ObjectRef::Function(name.clone()), needs, none());
    }
    for (name, table) in &schema.tables {
        let types = table
            .columns
            .iter()
            .flat_map(|column| of_type(schema, &column.data_type));
        let parents = table
            .inherits
            .iter()
            .chain(table.partition_of.iter().map(|of| &of.parent));
        let parents = parents.map(|parent| ObjectRef::Table(parent.clone()));
        let hard = types.chain(parents).collect();
        add(
            ObjectRef::Table(name.clone()),
            hard,
            table.depends_on.clone(),
        );
    }
    for (name, view) in &schema.views {
        add(
            ObjectRef::View(name.clone()),
            view.depends_on.clone(),
            none(),
        );
    }
    for (name, view) in &schema.materialized_views {
        let needs = view.depends_on.clone();
        add(ObjectRef::MaterializedView(name.clone()), needs, none());
    }
    all
}

/// What a type is made of: itself, or the relation whose rows it is of.
fn of_type(schema: &Schema, data_type: &Type) -> Option<ObjectRef> {
    let name = ObjectName::new(data_type.namespace.clone()?, data_type.name.clone());
    let mut defined = schema.defined.keys();
    if let Some(defined) = defined.find(|one| one.kind.is_type() && one.name == name) {
        return Some(ObjectRef::Defined(defined.clone()));
    }
    if schema.enums.contains_key(&name) {
        Some(ObjectRef::Enum(name))
    } else if schema.domains.contains_key(&name) {
        Some(ObjectRef::Domain(name))
    } else if schema.tables.contains_key(&name) {
        Some(ObjectRef::Table(name))
    } else if schema.views.contains_key(&name) {
        Some(ObjectRef::View(name))
    } else if schema.materialized_views.contains_key(&name) {
        Some(ObjectRef::MaterializedView(name))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Column, Function, FunctionKind, FunctionName, Table};

    fn function(needs: ObjectRef) -> (FunctionName, Function) {
        let name = FunctionName {
            namespace: "public".to_owned(),
            name: "f".to_owned(),
            arguments: Vec::new(),
        };
        let function = Function {
            kind: FunctionKind::Function,
            definition: "".into(),
            arguments: String::new(),
            returns: None,
            depends_on: [needs].into(),
            comment: None,
        };
        (name, function)
    }

    #[test]
    fn a_circle_is_broken_at_the_table_in_it() {
        let name = |name: &str| ObjectName::new("public", name);
        let (f, function) = function(ObjectRef::Table(name("b")));
        let with_default = Table {
            depends_on: [ObjectRef::Function(f.clone())].into(),
            ..Table::default()
        };
        let mut schema = Schema::default();
        // `a` only waits for the circle of `b` and `f`.
        schema.tables.insert(name("a"), with_default.clone());
        schema.tables.insert(name("b"), with_default);
        schema.functions.insert(f.clone(), function);
        let order = order(&schema);
        let tables = [name("b"), name("a")].map(ObjectRef::Table);
        let [b, a] = tables;
        assert_eq!(order.objects, [b, ObjectRef::Function(f), a]);
        assert_eq!(order.bare, [name("b")].into());
    }

    #[test]
    fn a_table_comes_after_the_types_of_its_columns() {
        let mut schema = Schema::default();
        let (a, z) = (ObjectName::new("s", "a"), ObjectName::new("s", "z"));
        let column = Column {
            data_type: Type {
                namespace: Some("s".to_owned()),
                name: "z".to_owned(),
                ..Type::default()
            },
            ..Column::default()
        };
        let table = Table {
            columns: vec![column],
            ..Table::default()
        };
        schema.tables.insert(a.clone(), table);
        schema.tables.insert(z.clone(), Table::default());
        let order = order(&schema);
        assert_eq!(order.objects, [ObjectRef::Table(z), ObjectRef::Table(a)]);
    }
}
