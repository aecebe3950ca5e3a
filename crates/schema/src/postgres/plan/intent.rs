use std::collections::{BTreeMap, BTreeSet};

use super::node::Node;
use super::scene::{Scene, inherited_from, waiting_indexes};
use super::{access, composite};
use crate::{
    AccessOn, Change, EnumType, ForeignKey, Function, Index, ObjectName, ObjectRef, Refusal, Table,
    Trigger, View,
};

/// What is to be dropped, created and altered, before it has an order.
#[derive(Debug, Default)]
pub(super) struct Intent {
    /// What goes, for good or to be recreated, under the new names.
    pub(super) drops: BTreeSet<Node>,
    /// Those among them that a change asked for.
    pub(super) asked: BTreeSet<Node>,
    /// Those among them that go last, since columns are of them until then.
    pub(super) late: BTreeSet<Node>,
    /// The parts that are created.
    pub(super) makes: BTreeSet<Node>,
    /// The parts that are altered in place.
    pub(super) alters: BTreeMap<Node, Vec<Change>>,
    /// Renames, tables first.
    pub(super) renames: Vec<Change>,
    /// The labels that are renamed and added.
    pub(super) labels: Vec<Change>,
    /// Comments on what stays, its settings, its owners and privileges.
    pub(super) comments: Vec<Change>,
    pub(super) settings: Vec<Change>,
    pub(super) access: Vec<Change>,
    /// What gets another owner, and has privileges on its columns, which change with it.
    pub(super) columns_change_hands: BTreeSet<ObjectRef>,
    pub(super) refusals: Vec<Refusal>,
}

impl Intent {
    pub(super) fn of(changes: &[Change], scene: &Scene<'_>) -> Self {
        let mut intent = Intent::default();
        for change in changes {
            intent.object(change, scene);
            if let Change::SetAccess { on, from, to } = change
                && let (AccessOn::Object(object), true) = (on, from.owner != to.owner)
                && !access::columns_of(scene.was, object).is_empty()
            {
                intent.columns_change_hands.insert(object.clone());
            }
        }
        intent
    }

    fn make(&mut self, node: Node) {
        self.makes.insert(node);
    }

    fn drop(&mut self, node: Node) {
        self.asked.insert(node.clone());
        self.drops.insert(node);
    }

    fn again(&mut self, node: Node) {
        self.drop(node.clone());
        self.make(node);
    }

    fn alter(&mut self, node: Node, change: &Change) {
        self.alters.entry(node).or_default().push(change.clone());
    }

    fn object(&mut self, change: &Change, scene: &Scene<'_>) {
        match change {
            Change::CreateNamespace { name, .. } => self.make(Node::Namespace(name.clone())),
            Change::DropNamespace { name, .. } => self.drop(Node::Namespace(name.clone())),
            Change::CreateExtension { name, .. } => self.make(Node::Extension(name.clone())),
            Change::DropExtension { name, .. } => self.drop(Node::Extension(name.clone())),
            Change::AlterExtension { name, .. } => {
                self.alter(Node::Extension(name.clone()), change);
            }
            Change::CreateEnum { name, .. } => self.make(Node::Enum(name.clone())),
            Change::DropEnum { name, .. } => self.drop(Node::Enum(name.clone())),
            Change::RenameLabel { .. } => self.labels.push(change.clone()),
            Change::AlterEnum { name, from, to } => match only_adds(from, to) {
                // What has to be committed by itself comes first.
                true => self.labels.insert(0, change.clone()),
                false => self.again(Node::Enum(name.clone())),
            },
            Change::CreateFunction { name, .. } => self.make(Node::Function(name.clone())),
            Change::DropFunction { name, .. } => self.drop(Node::Function(name.clone())),
            Change::AlterFunction { name, from, to } => {
                let node = Node::Function(name.clone());
                match replaceable_function(from, to) {
                    true => self.alter(node, change),
                    false => self.again(node),
                }
            }
            Change::CreateView { name, to } => {
                self.make(Node::View(name.clone()));
                for trigger in to.triggers.keys() {
                    self.make(Node::Trigger(name.clone(), trigger.clone()));
                }
            }
            Change::DropView { name, .. } => self.drop(Node::View(name.clone())),
            Change::AlterView { name, from, to } => {
                let node = Node::View(name.clone());
                // After a rename, the old text would not be understood on the way back.
                let renamed = scene.from.views.get(name).is_some_and(|old| {
                    scene.was.views.get(name).is_some_and(|was| {
                        old.definition != was.definition || old.depends_on != was.depends_on
                    })
                });
                match !renamed && replaceable_view(from, to) {
                    true => self.alter(node, change),
                    false => self.again(node),
                }
            }
            Change::SetViewDefault { view, .. } => {
                let node = match scene.to.views.contains_key(view) {
                    true => Node::View(view.clone()),
                    false => Node::MaterializedView(view.clone()),
                };
                self.alter(node, change);
            }
            Change::CreateMaterializedView { name, to } => {
                self.make(Node::MaterializedView(name.clone()));
                for index in to.indexes.keys() {
                    self.make(Node::Index(name.clone(), index.clone()));
                }
            }
            Change::DropMaterializedView { name, .. } => {
                self.drop(Node::MaterializedView(name.clone()));
            }
            Change::AlterMaterializedView { name, .. } => {
                self.again(Node::MaterializedView(name.clone()));
            }
            Change::SetColumnOptions { table, column, .. } => {
                let node = match scene.to.materialized_views.contains_key(table) {
                    true => Node::MaterializedView(table.clone()),
                    false => Node::ColumnOptions(table.clone(), column.clone()),
                };
                self.alter(node, change);
            }
            Change::SetComment { .. } => self.comments.push(change.clone()),
            Change::SetSetting { .. } => self.settings.push(change.clone()),
            Change::SetAccess { .. } => self.access.push(change.clone()),
            Change::CreateDefined { name, .. } => self.make(Node::Defined(name.clone())),
            Change::DropDefined { name, .. } => self.drop(Node::Defined(name.clone())),
            Change::AlterDefined { name, from, to } => {
                let node = Node::Defined(name.clone());
                match composite::in_place(name, from, to) {
                    true => self.alter(node, change),
                    false => self.again(node),
                }
            }
            other => self.domain(other, scene),
        }
    }

    fn domain(&mut self, change: &Change, scene: &Scene<'_>) {
        match change {
            Change::CreateDomain { name, .. } => self.make(Node::Domain(name.clone())),
            Change::DropDomain { name, .. } => self.drop(Node::Domain(name.clone())),
            Change::SetDomainType { name, .. } => self.again(Node::Domain(name.clone())),
            Change::SetDomainDefault { name, .. } => {
                self.alter(Node::DomainDefault(name.clone()), change);
            }
            Change::SetDomainNotNull { name, .. } => {
                self.alter(Node::DomainNotNull(name.clone()), change);
            }
            Change::CreateDomainCheck { domain, name, .. } => {
                self.make(Node::DomainCheck(domain.clone(), name.clone()));
            }
            Change::DropDomainCheck { domain, name, .. } => {
                self.drop(Node::DomainCheck(domain.clone(), name.clone()));
            }
            Change::AlterDomainCheck {
                domain,
                name,
                from,
                to,
            } => {
                let node = Node::DomainCheck(domain.clone(), name.clone());
                let validated = from.not_valid && !to.not_valid;
                match validated && from.expression == to.expression {
                    true => self.alter(node, change),
                    false => self.again(node),
                }
            }
            Change::CreateSequence { name, to } => {
                self.make(Node::Sequence(name.clone()));
                if to.owned_by.is_some() {
                    self.make(Node::Owner(name.clone()));
                }
            }
            Change::DropSequence { name, .. } => self.drop(Node::Sequence(name.clone())),
            Change::SetSequenceOptions { name, .. }
            | Change::SetSequencePersistence { name, .. } => {
                self.alter(Node::Sequence(name.clone()), change);
            }
            Change::SetSequenceOwner { name, from, to } => {
                let node = Node::Owner(name.clone());
                // Before the column goes, which would take the sequence with it.
                let goes = from.as_ref().is_some_and(|owner| {
                    let table = scene.goal.tables.get(&owner.table);
                    table.is_none_or(|table| table.column(&owner.column).is_none())
                });
                match (goes, to) {
                    (false, _) => self.alter(node, change),
                    (true, Some(_)) => self.again(node),
                    (true, None) => self.drop(node),
                }
            }
            other => self.table(other, scene),
        }
    }

    fn table(&mut self, change: &Change, scene: &Scene<'_>) {
        match change {
            Change::CreateTable { name, to } => self.make_table(name, to, scene),
            Change::DropTable { name, .. } => {
                self.drop(Node::Table(name.clone()));
                for index in waiting_indexes(scene.was, name) {
                    self.drop(index);
                }
            }
            Change::RenameTable { .. } => self.renames.insert(0, change.clone()),
            Change::RenameColumn { .. }
            | Change::RenameSequence { .. }
            | Change::RenameConstraint { .. }
            | Change::RenameIndex { .. } => self.renames.push(change.clone()),
            Change::SetTablePersistence { table, .. } => {
                self.alter(Node::Persistence(table.clone()), change);
            }
            Change::SetTableOptions { table, .. } => {
                self.alter(Node::TableOptions(table.clone()), change);
            }
            Change::SetRowSecurity { table, .. } => {
                self.alter(Node::RowSecurity(table.clone()), change);
            }
            Change::SetPartitionBy { table, .. } => {
                let table = table.clone();
                self.refusals.push(Refusal::PartitionKey { table });
            }
            Change::SetPartitionOf { table, from, to } => {
                let node = Node::Attachment(table.clone());
                if from.is_some() {
                    self.drop(node.clone());
                }
                if to.is_some() {
                    self.make(node);
                }
            }
            Change::SetInherits { table, from, to } => {
                let node = Node::Inheritance(table.clone());
                if from.iter().any(|parent| !to.contains(parent)) {
                    self.drop(node.clone());
                }
                if to.iter().any(|parent| !from.contains(parent)) {
                    self.make(node);
                }
            }
            other => self.column(other, scene),
        }
    }

    /// A table, and what is made once it is there.
    fn make_table(&mut self, name: &ObjectName, table: &Table, scene: &Scene<'_>) {
        self.make(Node::Table(name.clone()));
        if table.partition_of.is_some() {
            self.make(Node::Attachment(name.clone()));
        }
        for index in table.indexes.keys() {
            self.make(Node::Index(name.clone(), index.clone()));
        }
        let comes_along = |node: &Node| {
            let above = inherited_from(scene.goal, node);
            above.is_some_and(|above| match (&above, node) {
                (Node::ForeignKey(_, above), Node::ForeignKey(_, name)) => above == name,
                (Node::Trigger(..), _) => true,
                _ => false,
            })
        };
        let keys = table.foreign_keys.keys();
        let keys = keys.map(|key| Node::ForeignKey(name.clone(), key.clone()));
        let triggers = table.triggers.keys();
        let triggers = triggers.map(|trigger| Node::Trigger(name.clone(), trigger.clone()));
        let nodes = keys.chain(triggers).filter(|node| !comes_along(node));
        self.makes.extend(nodes);
        for policy in table.policies.keys() {
            self.make(Node::Policy(name.clone(), policy.clone()));
        }
        if table.row_security != Default::default() {
            let change = Change::SetRowSecurity {
                table: name.clone(),
                from: Default::default(),
                to: table.row_security,
            };
            self.alter(Node::RowSecurity(name.clone()), &change);
        }
    }

    fn column(&mut self, change: &Change, scene: &Scene<'_>) {
        let generated = |table: &ObjectName, name: &str| {
            [scene.was, scene.goal].into_iter().any(|schema| {
                let column = schema.tables.get(table).and_then(|of| of.column(name));
                column.is_some_and(|column| column.generated.is_some())
            })
        };
        match change {
            Change::CreateColumn { table, to } => {
                self.make(Node::Column(table.clone(), to.name.clone()));
            }
            Change::DropColumn { table, from } => {
                self.drop(Node::Column(table.clone(), from.name.clone()));
            }
            Change::SetColumnType { table, column, .. } => {
                let node = Node::Column(table.clone(), column.clone());
                match generated(table, column) {
                    true => self.again(node),
                    false => self.alter(node, change),
                }
            }
            Change::SetColumnGenerated {
                table, column, to, ..
            } => {
                let node = Node::Column(table.clone(), column.clone());
                match to {
                    Some(_) => self.again(node),
                    None => self.alter(node, change),
                }
            }
            Change::SetColumnNotNull { table, column, .. } => {
                self.alter(Node::NotNull(table.clone(), column.clone()), change);
            }
            Change::SetNotNullConstraint { table, column, .. } => {
                self.alter(Node::NotNull(table.clone(), column.clone()), change);
            }
            Change::SetColumnDefault { table, column, .. } => {
                self.alter(Node::Default(table.clone(), column.clone()), change);
            }
            Change::SetColumnIdentity {
                table,
                column,
                from,
                to,
            } => {
                let node = Node::Identity(table.clone(), column.clone());
                match (from, to) {
                    (Some(_), Some(_)) => self.alter(node, change),
                    (Some(_), None) => self.drop(node),
                    (None, _) => self.make(node),
                }
            }
            other => self.constraint(other),
        }
    }

    fn constraint(&mut self, change: &Change) {
        let key = |table: &ObjectName, name: &String| Node::Key(table.clone(), name.clone());
        match change {
            Change::CreatePrimaryKey { table, to } => self.make(key(table, &to.name)),
            Change::DropPrimaryKey { table, from } => self.drop(key(table, &from.name)),
            Change::AlterPrimaryKey { table, from, to } => {
                self.drop(key(table, &from.name));
                self.make(key(table, &to.name));
            }
            Change::CreateUnique { table, name, .. }
            | Change::CreateExclusion { table, name, .. } => self.make(key(table, name)),
            Change::DropUnique { table, name, .. } | Change::DropExclusion { table, name, .. } => {
                self.drop(key(table, name));
            }
            Change::AlterUnique { table, name, .. }
            | Change::AlterExclusion { table, name, .. } => self.again(key(table, name)),
            Change::CreateCheck { table, name, .. } => {
                self.make(Node::Check(table.clone(), name.clone()));
            }
            Change::DropCheck { table, name, .. } => {
                self.drop(Node::Check(table.clone(), name.clone()));
            }
            Change::AlterCheck {
                table,
                name,
                from,
                to,
            } => {
                let node = Node::Check(table.clone(), name.clone());
                let same = (&from.expression, from.no_inherit, from.not_enforced)
                    == (&to.expression, to.no_inherit, to.not_enforced);
                match same && from.not_valid {
                    true => self.alter(node, change),
                    false => self.again(node),
                }
            }
            Change::CreateForeignKey { table, name, .. } => {
                self.make(Node::ForeignKey(table.clone(), name.clone()));
            }
            Change::DropForeignKey { table, name, .. } => {
                self.drop(Node::ForeignKey(table.clone(), name.clone()));
            }
            Change::AlterForeignKey {
                table,
                name,
                from,
                to,
            } => {
                let node = Node::ForeignKey(table.clone(), name.clone());
                match alterable_key(from, to) {
                    true => self.alter(node, change),
                    false => self.again(node),
                }
            }
            other => self.beside(other),
        }
    }

    fn beside(&mut self, change: &Change) {
        match change {
            Change::CreateIndex { table, name, .. } => {
                self.make(Node::Index(table.clone(), name.clone()));
            }
            Change::DropIndex { table, name, .. } => {
                self.drop(Node::Index(table.clone(), name.clone()));
            }
            Change::AlterIndex {
                table,
                name,
                from,
                to,
            } => {
                let node = Node::Index(table.clone(), name.clone());
                match only_options(from, to) {
                    true => self.alter(node, change),
                    false => self.again(node),
                }
            }
            Change::CreateTrigger { table, name, .. } => {
                self.make(Node::Trigger(table.clone(), name.clone()));
            }
            Change::DropTrigger { table, name, .. } => {
                self.drop(Node::Trigger(table.clone(), name.clone()));
            }
            Change::AlterTrigger {
                table,
                name,
                from,
                to,
            } => {
                let node = Node::Trigger(table.clone(), name.clone());
                match only_state(from, to) {
                    true => self.alter(node, change),
                    false => self.again(node),
                }
            }
            Change::CreatePolicy { table, name, .. } => {
                self.make(Node::Policy(table.clone(), name.clone()));
            }
            Change::DropPolicy { table, name, .. } => {
                self.drop(Node::Policy(table.clone(), name.clone()));
            }
            Change::AlterPolicy { table, name, .. } => {
                self.again(Node::Policy(table.clone(), name.clone()));
            }
            _ => unreachable!("every other change has its place above"),
        }
    }
}

/// Whether all labels stay, in their order.
pub(super) fn only_adds(from: &EnumType, to: &EnumType) -> bool {
    let mut labels = to.labels.iter();
    from.labels
        .iter()
        .all(|label| labels.any(|other| other == label))
}

fn replaceable_function(from: &Function, to: &Function) -> bool {
    let head = |of: &Function| (of.kind, of.arguments.clone(), of.returns.clone());
    head(from) == head(to)
}

/// Whether the columns stay, and others only follow.
fn replaceable_view(from: &View, to: &View) -> bool {
    let mut pairs = from.columns.iter().zip(&to.columns);
    from.columns.len() <= to.columns.len()
        && pairs.all(|(from, to)| (&from.name, &from.data_type) == (&to.name, &to.data_type))
}

/// Whether a foreign key only has to be validated, or is checked at another time.
fn alterable_key(from: &ForeignKey, to: &ForeignKey) -> bool {
    let bare = |of: &ForeignKey| ForeignKey {
        deferral: Default::default(),
        not_valid: false,
        comment: None,
        ..of.clone()
    };
    bare(from) == bare(to) && (from.not_valid || !to.not_valid)
}

fn only_options(from: &Index, to: &Index) -> bool {
    let bare = |of: &Index| Index {
        options: Default::default(),
        comment: None,
        ..of.clone()
    };
    bare(from) == bare(to)
}

fn only_state(from: &Trigger, to: &Trigger) -> bool {
    from.definition == to.definition
}
