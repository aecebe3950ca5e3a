//! The steps that drop.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use underpin_core::{Result, quote};

use super::closure::owner_goes;
use super::counters;
use super::definition::{beside, owned_sequences, pieces, sql, whole};
use super::intent::Intent;
use super::locks;
use super::makes::count_on;
use super::node::{Node, NodeRef};
use super::scene::{Scene, inherited_from};
use super::sort::sorted;
use crate::object_name::plain;
use crate::postgres::ddl::{
    self, column, defined, domain, enum_type, extension, function, index, materialized_view,
    namespace, partition, policy, sequence, table, trigger, view,
};
use crate::{Column, Domain, ObjectName, Schema, Step, StepKind, Undo};

/// The statement that drops it.
pub(super) fn drop_sql(schema: &Schema, node: &Node) -> Result<String> {
    Ok(match node {
        Node::Namespace(name) => namespace::drop(name)?,
        Node::Extension(name) => extension::drop(name)?,
        Node::Enum(name) => enum_type::drop(name)?,
        Node::Domain(name) => domain::drop(name)?,
        Node::DomainDefault(of) => format!("ALTER DOMAIN {} DROP DEFAULT", of.quoted()?),
        Node::DomainNotNull(of) => format!("ALTER DOMAIN {} DROP NOT NULL", of.quoted()?),
        Node::DomainCheck(of, name) => format!(
            "ALTER DOMAIN {} DROP CONSTRAINT {}",
            of.quoted()?,
            quote::identifier(name)?
        ),
        Node::Defined(name) => defined::drop(name),
        Node::Sequence(name) => sequence::drop(name)?,
        Node::Owner(name) => sequence::own(name, None)?,
        Node::Function(name) => {
            let kind = schema.functions.get(name).map(|of| of.kind);
            function::drop(name, kind.unwrap_or(crate::FunctionKind::Function))?
        }
        Node::Table(name) => table::drop(name)?,
        Node::View(name) => view::drop(name)?,
        Node::MaterializedView(name) => materialized_view::drop(name)?,
        Node::Column(of, name) => column::drop(of, name)?,
        Node::NotNull(of, name) => alter_column(of, name, "DROP NOT NULL")?,
        Node::Identity(of, name) => alter_column(of, name, "DROP IDENTITY")?,
        Node::Default(of, name) => format!(
            "ALTER TABLE ONLY {} ALTER COLUMN {} DROP DEFAULT",
            of.quoted()?,
            quote::identifier(name)?
        ),
        Node::Check(of, name) | Node::Key(of, name) | Node::ForeignKey(of, name) => {
            ddl::drop_constraint(of, name)?
        }
        Node::Index(of, name) => index::drop(&of.sibling(name))?,
        Node::Trigger(of, name) => trigger::drop(of, name)?,
        Node::Policy(of, name) => policy::drop(of, name)?,
        Node::Attachment(of) => match schema
            .tables
            .get(of)
            .and_then(|of| of.partition_of.as_ref())
        {
            Some(parent) => partition::detach(of, parent)?,
            None => String::new(),
        },
        Node::Inheritance(_)
        | Node::Persistence(_)
        | Node::TableOptions(_)
        | Node::ColumnOptions(..)
        | Node::RowSecurity(_) => String::new(),
    })
}

pub(super) fn alter_column(table: &ObjectName, column: &str, action: &str) -> Result<String> {
    let (table, column) = (table.quoted()?, quote::identifier(column)?);
    Ok(format!(
        "ALTER TABLE {table} ALTER COLUMN {column} {action}"
    ))
}

/// The drops, in order: those that come first, and those that come last.
pub(super) struct Order {
    pub(super) early: Vec<Node>,
    pub(super) late: Vec<Node>,
    /// All that has a step of its own, as the database calls it.
    pub(super) by_itself: BTreeSet<Node>,
}

pub(super) fn order(intent: &mut Intent, scene: &Scene<'_>) -> Order {
    let drops = &intent.drops;
    let mut waits: BTreeMap<Node, BTreeSet<Node>> = drops
        .iter()
        .map(|node| (node.clone(), BTreeSet::new()))
        .collect();
    let named: HashSet<NodeRef<'_>> = drops.iter().map(Node::by_ref).collect();
    let carried = scene.needs_before.carried(|node| {
        if named.contains(&node) {
            return Some(node);
        }
        let column = node.column();
        if column.as_ref().is_some_and(|column| named.contains(column)) {
            return column;
        }
        // What they need is an order in which things are made.
        if matches!(node, Node::Attachment(_) | Node::Inheritance(_)) {
            return None;
        }
        node.wholes()
            .into_iter()
            .find(|whole| named.contains(whole))
    });
    for (node, needed) in carried {
        if let Some(waits) = waits.get_mut(&needed.cloned()) {
            waits.insert(node.cloned());
        }
    }
    // A sequence that goes with its owner has no step of its own, and what needs it goes before.
    let owned = drops.iter().filter_map(|node| {
        let Node::Sequence(name) = node else {
            return None;
        };
        let owner = scene.was.sequences.get(name)?.owned_by.as_ref()?;
        let table = Node::Table(owner.table.clone());
        let column = Node::Column(owner.table.clone(), owner.column.clone());
        let with = [column, table]
            .into_iter()
            .find(|node| drops.contains(node))?;
        Some((node.clone(), with))
    });
    let owned: Vec<(Node, Node)> = owned.collect();
    for (sequence, with) in owned {
        let more = waits.get(&sequence).cloned().unwrap_or_default();
        if let Some(waits) = waits.get_mut(&with) {
            waits.extend(more.into_iter().filter(|node| *node != with));
        }
    }
    // What is no longer inherited has to be a table's own before its parent loses it.
    let first = |node: &Node| matches!(node, Node::Attachment(_) | Node::Inheritance(_));
    let order = sorted(waits, true);
    let (mut early, rest): (Vec<Node>, Vec<Node>) = order.into_iter().partition(first);
    let mut late_set: BTreeSet<Node> = intent.late.clone();
    for node in rest.iter() {
        let of_all = matches!(node, Node::Namespace(_) | Node::Extension(_));
        let of_late = late_set.iter().any(|late| {
            scene
                .needs_before
                .of_node(late)
                .any(|needed| needed == node.by_ref())
        });
        if of_all || of_late {
            late_set.insert(node.clone());
        }
    }
    let (mut late, rest): (Vec<Node>, Vec<Node>) =
        rest.into_iter().partition(|node| late_set.contains(node));
    early.extend(rest);
    intent.late = late_set;
    for nodes in [&mut early, &mut late] {
        nodes.retain(|node| !goes_along(node, intent, scene));
    }
    let by_itself = early.iter().chain(&late).map(|node| scene.old(node));
    Order {
        by_itself: by_itself.collect(),
        early,
        late,
    }
}

/// Whether it goes with something else that goes.
fn goes_along(node: &Node, intent: &Intent, scene: &Scene<'_>) -> bool {
    let drops = &intent.drops;
    // What is detached before has its parts for itself.
    let detached = node
        .owner()
        .is_some_and(|of| drops.contains(&Node::Attachment(of.clone())));
    if let Some(above) = inherited_from(scene.was, node)
        && drops.contains(&above)
        && !detached
    {
        return true;
    }
    match node {
        Node::Trigger(..) | Node::Index(..) => {
            let view = |whole: &Node| !matches!(whole, Node::Table(_)) && drops.contains(whole);
            node.wholes().iter().any(view)
        }
        Node::Sequence(name) => {
            let sequence = scene.was.sequences.get(name);
            let owner = sequence.and_then(|sequence| sequence.owned_by.as_ref());
            owner.is_some_and(|owner| owner_goes(owner, drops))
                && !drops.contains(&Node::Owner(name.clone()))
        }
        _ => false,
    }
}

/// The step that drops one. Making it again, should it come to that, brings back all its parts
/// but for those that were dropped before.
pub(super) fn step(
    node: &Node,
    before: &BTreeSet<Node>,
    intent: &Intent,
    scene: &Scene<'_>,
) -> Result<Step> {
    let old = scene.old(node);
    let again = intent.makes.contains(node);
    let mut comment = match &old {
        Node::Attachment(name) => format!("Detach partition {name}"),
        Node::Inheritance(name) => format!("Let {name} no longer inherit"),
        Node::Owner(name) => format!("Let no column own sequence {name}"),
        old => format!("Drop {old}"),
    };
    let stays = matches!(
        old,
        Node::Attachment(_) | Node::Inheritance(_) | Node::Owner(_)
    );
    if again && !stays {
        comment.push_str(", which is recreated");
    }
    let sql = match &old {
        Node::Inheritance(_) => inheritance(node, scene, "NO INHERIT")?,
        Node::Column(table, name) => drop_column(node, (table, name), scene)?,
        old => drop_sql(scene.from, old)?,
    };
    Ok(Step {
        comment,
        sql,
        undo: undo(node, &old, before, scene)?,
        lock: locks::dropping(&old, scene.from),
        loses: loses(&old, intent, scene),
        transactional: true,
        kind: StepKind::Other,
    })
}

/// A column of a table whose children keep it goes from that table alone.
fn drop_column(
    node: &Node,
    (table, name): (&ObjectName, &String),
    scene: &Scene<'_>,
) -> Result<String> {
    let kept = match node {
        Node::Column(of, column) => scene.descendants(of).iter().any(|child| {
            let goal = scene.goal.tables.get(child);
            goal.is_some_and(|child| child.partition_of.is_none() && child.column(column).is_some())
        }),
        _ => false,
    };
    match kept {
        false => column::drop(table, name),
        true => Ok(format!(
            "ALTER TABLE ONLY {} DROP COLUMN {}",
            table.quoted()?,
            quote::identifier(name)?
        )),
    }
}

/// The parents that only one side has, in one statement.
fn inheritance(node: &Node, scene: &Scene<'_>, action: &str) -> Result<String> {
    let Node::Inheritance(name) = node else {
        return Ok(String::new());
    };
    let parents = |schema: &Schema, name: &ObjectName| {
        let table = schema.tables.get(name);
        table
            .map(|table| table.inherits.clone())
            .unwrap_or_default()
    };
    let (was, goal) = (parents(scene.was, name), parents(scene.goal, name));
    let (sides, others) = match action {
        "NO INHERIT" => (was, goal),
        _ => (goal, was),
    };
    let differ = sides.iter().filter(|parent| !others.contains(parent));
    let down = action == "NO INHERIT";
    let actions = differ.map(|parent| {
        let parent = if down {
            scene.old_table(parent)
        } else {
            parent
        };
        Ok(format!("{action} {}", parent.quoted()?))
    });
    let actions = actions.collect::<Result<Vec<_>>>()?.join(", ");
    let name = if down { scene.old_table(name) } else { name };
    Ok(format!("ALTER TABLE {} {actions}", name.quoted()?))
}

/// The statement that lets a table inherit from what it did not before, and its reverse.
pub(super) fn inherit(node: &Node, scene: &Scene<'_>) -> Result<(String, String)> {
    let sql = inheritance(node, scene, "INHERIT")?;
    let back = sql.replace(" INHERIT ", " NO INHERIT ");
    Ok((sql, back))
}

fn undo(node: &Node, old: &Node, except: &BTreeSet<Node>, scene: &Scene<'_>) -> Result<Undo> {
    let statements = match old {
        Node::Inheritance(_) => {
            let sql = inheritance(node, scene, "NO INHERIT")?;
            vec![sql.replace(" NO INHERIT ", " INHERIT ")]
        }
        Node::Column(table, name) => return undo_column(table, name, except, scene),
        Node::Key(..) | Node::Index(..) | Node::ForeignKey(..) => {
            let mut statements = Vec::new();
            // What has a step of its own comes back by that.
            let below = below(scene.from, old).into_iter();
            for below in below.filter(|below| !except.contains(below)) {
                statements.extend(sql(pieces(scene.from, &below, false)?));
            }
            statements.extend(sql(pieces(scene.from, old, false)?));
            statements
        }
        Node::Identity(table, name) => {
            let mut statements = whole(scene.from, old, except)?;
            let count = count_on(scene.from, table, name)?;
            statements.extend(count.map(|step| step.sql));
            statements
        }
        Node::Sequence(name) => {
            let mut statements = whole(scene.from, old, except)?;
            for column in counters::columns(scene.from, name) {
                let gone = [
                    Node::Table(column.table.clone()),
                    Node::Column(column.table.clone(), column.column.clone()),
                ];
                if !gone.iter().any(|node| except.contains(node)) {
                    statements.extend(counters::count_on(scene.from, name, &column)?);
                }
            }
            statements
        }
        old => whole(scene.from, old, except)?,
    };
    Ok(Undo::Sql(statements))
}

/// The parts of partitions that go with one, the deepest first.
fn below(schema: &Schema, node: &Node) -> Vec<Node> {
    let Some(table) = node.owner() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let children = schema.tables.iter();
    let children = children.filter(|(_, child)| child.parents().any(|parent| parent == table));
    for (name, child) in children {
        let part =
            |kind: fn(ObjectName, String) -> Node, part: &String| kind(name.clone(), part.clone());
        let keys = child.primary_key.iter().map(|key| &key.name);
        let keys = keys
            .chain(child.uniques.keys())
            .chain(child.exclusions.keys());
        let keys = keys.map(|of| part(Node::Key, of));
        let indexes = child.indexes.keys().map(|of| part(Node::Index, of));
        let foreign = child
            .foreign_keys
            .keys()
            .map(|of| part(Node::ForeignKey, of));
        for one in keys.chain(indexes).chain(foreign) {
            let named_alike = super::definition::named_alike(schema, &one);
            if inherited_from(schema, &one).as_ref() == Some(node) {
                found.extend(below(schema, &one));
                if named_alike.is_none() {
                    found.push(one);
                }
            }
        }
    }
    found
}

fn undo_column(
    table: &ObjectName,
    name: &str,
    except: &BTreeSet<Node>,
    scene: &Scene<'_>,
) -> Result<Undo> {
    let column = scene.from.tables.get(table).and_then(|of| of.column(name));
    let Some(column) = column else {
        return Ok(Undo::Sql(Vec::new()));
    };
    let default = column.default.is_some() || domain_default(scene.from, column);
    if column.not_null && !default && column.identity.is_none() && column.generated.is_none() {
        let name = plain(name);
        return Ok(Undo::None(format!(
            "The values of {table}.{name} are gone, and it refuses NULL, or its domain may."
        )));
    }
    let mut without = column.clone();
    if except.contains(&Node::Default(table.clone(), name.to_owned())) {
        without.default = None;
    }
    if except.contains(&Node::Identity(table.clone(), name.to_owned())) {
        without.identity = None;
    }
    let owned = owned_sequences(scene.from, table, Some(name));
    let owned: Vec<ObjectName> = owned
        .into_iter()
        .filter(|sequence| !except.contains(&Node::Owner(sequence.clone())))
        .collect();
    let mut statements = Vec::new();
    for sequence in &owned {
        let node = Node::Sequence(sequence.clone());
        statements.extend(sql(pieces(scene.from, &node, false)?));
    }
    let mut one = Schema::default();
    let of = crate::Table {
        columns: vec![without],
        ..Default::default()
    };
    one.tables.insert(table.clone(), of);
    beside(scene.from, table, &mut one);
    let node = Node::Column(table.clone(), name.to_owned());
    statements.extend(sql(pieces(&one, &node, false)?));
    for sequence in owned {
        statements.extend(sql(pieces(scene.from, &Node::Owner(sequence), false)?));
    }
    Ok(Undo::Sql(statements))
}

/// Whether the type of a column brings a default.
pub(super) fn domain_default(schema: &Schema, column: &Column) -> bool {
    domains(schema, column).any(|domain| domain.default.is_some())
}

/// Whether the type of a column refuses NULL, or may: a check of a domain can.
pub(super) fn domain_refuses_null(schema: &Schema, column: &Column) -> bool {
    domains(schema, column).any(|domain| domain.not_null || !domain.checks.is_empty())
}

/// The domains that a column is of, each over the next.
fn domains<'s>(schema: &'s Schema, column: &Column) -> impl Iterator<Item = &'s Domain> {
    let domain = |of: &crate::Type| {
        let name = ObjectName::new(of.namespace.clone().unwrap_or_default(), of.name.clone());
        schema.domains.get(&name).filter(|_| !of.array)
    };
    std::iter::successors(domain(&column.data_type), move |of| domain(&of.base))
}

fn loses(old: &Node, intent: &Intent, scene: &Scene<'_>) -> Option<String> {
    match old {
        Node::Table(name) => {
            let split = scene.from.tables.get(name)?.partition_by.is_some();
            (!split).then(|| format!("the rows of {name}"))
        }
        Node::Column(table, name) => {
            let column = scene.from.tables.get(table)?.column(name)?;
            let lost = format!("the values of {table}.{}", plain(name));
            column.generated.is_none().then_some(lost)
        }
        Node::Sequence(name) => {
            let owner = scene.was.sequences.get(name)?.owned_by.as_ref();
            let counts_on = owner.is_some_and(|owner| {
                let (table, column) = (owner.table.clone(), owner.column.clone());
                intent.makes.contains(&Node::Identity(table, column))
            });
            (!counts_on).then(|| format!("how far sequence {name} has counted"))
        }
        Node::Identity(table, name) => {
            let gone = Node::Column(table.clone(), name.clone());
            let lost = format!("how far {table}.{} has counted", plain(name));
            (!intent.drops.contains(&gone)).then_some(lost)
        }
        _ => None,
    }
}
