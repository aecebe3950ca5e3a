use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::access;
use super::needs::{Needs, waits_for_partitions};
use super::node::Node;
use crate::diff::renamed;
use crate::{Change, Column, Diff, ObjectName, Rename, Schema, Table};

/// The start and the goal of a plan.
pub(super) struct Sides<'s> {
    /// The contents of the database, under the names of the target.
    was: Cow<'s, Schema>,
    /// The contents that it is to have: the target, and whatever is in the database and no change drops.
    goal: Schema,
    old_tables: BTreeMap<ObjectName, ObjectName>,
}

impl<'s> Sides<'s> {
    pub(super) fn of(from: &'s Schema, to: &Schema, diff: &Diff) -> Self {
        let changes = &diff.changes;
        let mut renames = Vec::new();
        let mut old_tables = BTreeMap::new();
        let mut dropped = BTreeSet::new();
        for change in changes {
            match change {
                Change::RenameTable { from, to } => {
                    old_tables.insert(to.clone(), from.clone());
                    let (from, to) = (from.clone(), to.clone());
                    renames.push(Rename::Table { from, to });
                }
                Change::RenameColumn { table, from, to } => renames.push(Rename::Column {
                    table: table.clone(),
                    from: from.clone(),
                    to: to.clone(),
                }),
                Change::RenameLabel { name, from, to } => renames.push(Rename::Label {
                    name: name.clone(),
                    from: from.clone(),
                    to: to.clone(),
                }),
                Change::RenameSequence { from, to } => {
                    let (from, to) = (from.clone(), to.clone());
                    renames.push(Rename::Sequence { from, to });
                }
                other => dropped.extend(whole_that_goes(other)),
            }
        }
        let was = match (&diff.renamed, renames.is_empty()) {
            (Some(renamed), _) => Cow::Owned((**renamed).clone()),
            (None, true) => Cow::Borrowed(from),
            (None, false) => Cow::Owned(renamed(from, &renames)),
        };
        let mut goal = goal(&was, to, &dropped);
        goal.access = access::wanted(&was, to, diff.with_access);
        for (setting, value) in &was.settings {
            // What the target does not name stays as it is.
            let relation = setting.relation();
            let named =
                to.tables.contains_key(relation) || to.materialized_views.contains_key(relation);
            if !named {
                goal.settings.insert(setting.clone(), value.clone());
            }
        }
        Sides {
            was,
            goal,
            old_tables,
        }
    }
}

/// The schemas that a plan is about.
pub(super) struct Scene<'s> {
    /// The contents of the database.
    pub(super) from: &'s Schema,
    /// The same under the names of the target.
    pub(super) was: &'s Schema,
    /// The contents that it is to have: the target, and whatever is in the database and no change drops.
    pub(super) goal: &'s Schema,
    /// What was called by the target itself.
    pub(super) to: &'s Schema,
    pub(super) needs_before: Needs<'s>,
    pub(super) needs_after: Needs<'s>,
    old_tables: &'s BTreeMap<ObjectName, ObjectName>,
    /// The tables that have the columns of each, before.
    children: HashMap<&'s ObjectName, Vec<&'s ObjectName>>,
}

impl<'s> Scene<'s> {
    pub(super) fn new(from: &'s Schema, to: &'s Schema, sides: &'s Sides<'_>) -> Self {
        let mut children: HashMap<_, Vec<_>> = HashMap::new();
        for (name, table) in &sides.was.tables {
            for parent in table.parents() {
                children.entry(parent).or_default().push(name);
            }
        }
        Scene {
            needs_before: Needs::of(&sides.was),
            needs_after: Needs::of(&sides.goal),
            from,
            was: &sides.was,
            goal: &sides.goal,
            to,
            old_tables: &sides.old_tables,
            children,
        }
    }

    /// The name that a table has in the database.
    pub(super) fn old_table<'a>(&'a self, name: &'a ObjectName) -> &'a ObjectName {
        self.old_tables.get(name).unwrap_or(name)
    }

    /// The name that a column has in the database.
    pub(super) fn old_column(&self, table: &ObjectName, column: &str) -> String {
        let was = self.was.tables.get(table);
        let from = self.from.tables.get(self.old_table(table));
        let old = was.zip(from).and_then(|(was, from)| {
            let place = was.columns.iter().position(|one| one.name == column)?;
            from.columns.get(place)
        });
        old.map_or_else(|| column.to_owned(), |column| column.name.clone())
    }

    /// The node as the database calls it.
    pub(super) fn old(&self, node: &Node) -> Node {
        let table = |name: &ObjectName| self.old_table(name).clone();
        let column = |table: &ObjectName, name: &str| self.old_column(table, name);
        match node {
            Node::Table(of) => Node::Table(table(of)),
            Node::Inheritance(of) => Node::Inheritance(table(of)),
            Node::Persistence(of) => Node::Persistence(table(of)),
            Node::TableOptions(of) => Node::TableOptions(table(of)),
            Node::RowSecurity(of) => Node::RowSecurity(table(of)),
            Node::Attachment(of) => Node::Attachment(table(of)),
            Node::Column(of, name) => Node::Column(table(of), column(of, name)),
            Node::ColumnOptions(of, name) => Node::ColumnOptions(table(of), column(of, name)),
            Node::NotNull(of, name) => Node::NotNull(table(of), column(of, name)),
            Node::Identity(of, name) => Node::Identity(table(of), column(of, name)),
            Node::Default(of, name) => Node::Default(table(of), column(of, name)),
            Node::Check(of, name) => Node::Check(table(of), name.clone()),
            Node::Key(of, name) => Node::Key(table(of), name.clone()),
            Node::Index(of, name) => Node::Index(table(of), name.clone()),
            Node::ForeignKey(of, name) => Node::ForeignKey(table(of), name.clone()),
            Node::Trigger(of, name) => Node::Trigger(table(of), name.clone()),
            Node::Policy(of, name) => Node::Policy(table(of), name.clone()),
            other => other.clone(),
        }
    }

    /// Where the definition is by which something is made: in the goal, or, where only other
    /// things ask for it to be recreated, in what was.
    pub(super) fn source(&self, node: &Node) -> &Schema {
        match exists(self.goal, node) {
            true => self.goal,
            false => self.was,
        }
    }

    /// The tables that have the columns of this one, children of children too, before.
    pub(super) fn descendants(&self, table: &ObjectName) -> Vec<ObjectName> {
        let mut found: Vec<ObjectName> = Vec::new();
        let mut next = vec![table];
        while let Some(parent) = next.pop() {
            for name in self.children.get(parent).into_iter().flatten() {
                if !found.contains(name) {
                    found.push((*name).clone());
                    next.push(name);
                }
            }
        }
        found
    }
}

/// The object that a change takes away.
fn whole_that_goes(change: &Change) -> Option<Node> {
    Some(match change {
        Change::DropNamespace { name, .. } => Node::Namespace(name.clone()),
        Change::DropExtension { name, .. } => Node::Extension(name.clone()),
        Change::DropEnum { name, .. } => Node::Enum(name.clone()),
        Change::DropDomain { name, .. } => Node::Domain(name.clone()),
        Change::DropDefined { name, .. } => Node::Defined(name.clone()),
        Change::DropSequence { name, .. } => Node::Sequence(name.clone()),
        Change::DropFunction { name, .. } => Node::Function(name.clone()),
        Change::DropTable { name, .. } => Node::Table(name.clone()),
        Change::DropView { name, .. } => Node::View(name.clone()),
        Change::DropMaterializedView { name, .. } => Node::MaterializedView(name.clone()),
        _ => return None,
    })
}

fn goal(was: &Schema, to: &Schema, dropped: &BTreeSet<Node>) -> Schema {
    fn keep<K: Ord + Clone, V: Clone>(
        into: &mut BTreeMap<K, V>,
        from: &BTreeMap<K, V>,
        stays: impl Fn(&K) -> bool,
    ) {
        for (name, value) in from {
            if !into.contains_key(name) && stays(name) {
                into.insert(name.clone(), value.clone());
            }
        }
    }
    let stays = |node: Node| !dropped.contains(&node);
    let mut goal = to.clone();
    keep(&mut goal.namespaces, &was.namespaces, |name| {
        stays(Node::Namespace(name.clone()))
    });
    keep(&mut goal.extensions, &was.extensions, |name| {
        stays(Node::Extension(name.clone()))
    });
    keep(&mut goal.enums, &was.enums, |name| {
        stays(Node::Enum(name.clone()))
    });
    keep(&mut goal.domains, &was.domains, |name| {
        stays(Node::Domain(name.clone()))
    });
    keep(&mut goal.defined, &was.defined, |name| {
        stays(Node::Defined(name.clone()))
    });
    keep(&mut goal.sequences, &was.sequences, |name| {
        stays(Node::Sequence(name.clone()))
    });
    keep(&mut goal.functions, &was.functions, |name| {
        stays(Node::Function(name.clone()))
    });
    keep(&mut goal.tables, &was.tables, |name| {
        stays(Node::Table(name.clone()))
    });
    keep(&mut goal.views, &was.views, |name| {
        stays(Node::View(name.clone()))
    });
    keep(
        &mut goal.materialized_views,
        &was.materialized_views,
        |name| stays(Node::MaterializedView(name.clone())),
    );
    goal
}

/// Whether a schema has it.
pub(super) fn exists(schema: &Schema, node: &Node) -> bool {
    let table =
        |name: &ObjectName, has: &dyn Fn(&Table) -> bool| schema.tables.get(name).is_some_and(has);
    let column = |name: &ObjectName, column: &str, has: &dyn Fn(&Column) -> bool| {
        table(name, &|table| table.column(column).is_some_and(has))
    };
    match node {
        Node::Namespace(name) => schema.namespaces.contains_key(name),
        Node::Extension(name) => schema.extensions.contains_key(name),
        Node::Enum(name) => schema.enums.contains_key(name),
        Node::Domain(name) => schema.domains.contains_key(name),
        Node::DomainDefault(of) => domain(schema, of, &|of| of.default.is_some()),
        Node::DomainNotNull(of) => domain(schema, of, &|of| of.not_null),
        Node::DomainCheck(of, name) => domain(schema, of, &|of| of.checks.contains_key(name)),
        Node::Defined(name) => schema.defined.contains_key(name),
        Node::Sequence(name) => schema.sequences.contains_key(name),
        Node::Owner(name) => {
            let sequence = schema.sequences.get(name);
            sequence.is_some_and(|one| one.owned_by.is_some())
        }
        Node::Function(name) => schema.functions.contains_key(name),
        Node::Table(name) | Node::Persistence(name) | Node::TableOptions(name) => {
            schema.tables.contains_key(name)
        }
        Node::RowSecurity(name) => schema.tables.contains_key(name),
        Node::Inheritance(name) => table(name, &|table| !table.inherits.is_empty()),
        Node::Attachment(name) => table(name, &|table| table.partition_of.is_some()),
        Node::Column(of, name) | Node::ColumnOptions(of, name) => column(of, name, &|_| true),
        Node::NotNull(of, name) => column(of, name, &|column| column.not_null),
        Node::Identity(of, name) => column(of, name, &|column| column.identity.is_some()),
        Node::Default(of, name) => column(of, name, &|column| column.default.is_some()),
        Node::Check(of, name) => table(of, &|table| table.checks.contains_key(name)),
        Node::Key(of, name) => table(of, &|table| {
            let key = table.primary_key.as_ref();
            key.is_some_and(|key| key.name == *name)
                || table.uniques.contains_key(name)
                || table.exclusions.contains_key(name)
        }),
        Node::ForeignKey(of, name) => table(of, &|table| table.foreign_keys.contains_key(name)),
        Node::Policy(of, name) => table(of, &|table| table.policies.contains_key(name)),
        Node::Index(of, name) => {
            let view = schema.materialized_views.get(of);
            table(of, &|table| table.indexes.contains_key(name))
                || view.is_some_and(|view| view.indexes.contains_key(name))
        }
        Node::Trigger(of, name) => {
            let view = schema.views.get(of);
            table(of, &|table| table.triggers.contains_key(name))
                || view.is_some_and(|view| view.triggers.contains_key(name))
        }
        Node::View(name) => schema.views.contains_key(name),
        Node::MaterializedView(name) => schema.materialized_views.contains_key(name),
    }
}

fn domain(schema: &Schema, name: &ObjectName, has: &dyn Fn(&crate::Domain) -> bool) -> bool {
    schema.domains.get(name).is_some_and(has)
}

/// Whether a part is there only because a parent table has it, and by what name that has it.
pub(super) fn inherited_from(schema: &Schema, node: &Node) -> Option<Node> {
    let table = schema.tables.get(node.owner()?)?;
    let mut parents = table.parents();
    match node {
        Node::Column(_, name) => {
            let inherited = table.column(name).is_some_and(|column| column.inherited);
            let parent = parents.next().filter(|_| inherited)?;
            Some(Node::Column(parent.clone(), name.clone()))
        }
        Node::Check(_, name) => {
            let inherited = table.checks.get(name).is_some_and(|check| check.inherited);
            let parent = parents.next().filter(|_| inherited)?;
            Some(Node::Check(parent.clone(), name.clone()))
        }
        Node::Trigger(_, name) => {
            let inherited = table.triggers.get(name).is_some_and(|one| one.inherited);
            let parent = parents.next().filter(|_| inherited)?;
            Some(Node::Trigger(parent.clone(), name.clone()))
        }
        Node::Key(_, name) => {
            let key = table.primary_key.as_ref().filter(|key| key.name == *name);
            let parent = key.and_then(|key| key.parent.as_ref());
            let unique = table.uniques.get(name).and_then(|one| one.parent.as_ref());
            let exclusion = table
                .exclusions
                .get(name)
                .and_then(|one| one.parent.as_ref());
            let above = parent.or(unique).or(exclusion)?;
            Some(Node::Key(parents.next()?.clone(), above.name.clone()))
        }
        Node::Index(_, name) => {
            let above = table.indexes.get(name)?.parent.as_ref()?;
            Some(Node::Index(parents.next()?.clone(), above.name.clone()))
        }
        Node::ForeignKey(_, name) => {
            let key = table.foreign_keys.get(name).filter(|key| key.inherited)?;
            let parent = parents.next()?;
            let above = schema.tables.get(parent)?.foreign_keys.iter();
            let mut same = above.filter(|(_, above)| super::needs::same_key(above, key));
            let (name, _) = same.next()?;
            Some(Node::ForeignKey(parent.clone(), name.clone()))
        }
        _ => None,
    }
}

/// The indexes of a partitioned table that some partition has no part of.
pub(super) fn waiting_indexes(schema: &Schema, name: &ObjectName) -> Vec<Node> {
    let Some(table) = schema.tables.get(name) else {
        return Vec::new();
    };
    let waiting = table.indexes.iter();
    let waiting = waiting.filter(|(_, index)| waits_for_partitions(table, index));
    waiting
        .map(|(index, _)| Node::Index(name.clone(), index.clone()))
        .collect()
}
