//! The parts of a table that have names: constraints, indexes, triggers, policies.

use std::collections::BTreeMap;

use super::normal::{same_expression, same_expressions};
use super::{Sides, sides};
use crate::{
    Change, Check, CommentOn, Exclusion, ForeignKey, Index, IndexKey, KeyTarget, ObjectName,
    Policy, Trigger, Unique,
};

/// Notes a comment that differs.
pub(super) fn comment(
    on: CommentOn,
    from: &Option<String>,
    to: &Option<String>,
    out: &mut Vec<Change>,
) {
    if from != to {
        let (from, to) = (from.clone(), to.clone());
        out.push(Change::SetComment { on, from, to });
    }
}

/// A part of a table.
trait Part: Clone + PartialEq {
    /// Whether both are the same but for comments.
    fn same(&self, other: &Self) -> bool;
    /// Whether the table has it only because another one has.
    fn inherited(&self) -> bool;
    fn comment(&self) -> &Option<String>;
}

/// How the changes of one kind of part are called.
struct Kind<P> {
    create: fn(ObjectName, String, P) -> Change,
    drop: fn(ObjectName, String, P) -> Change,
    alter: fn(ObjectName, String, P, P) -> Change,
    /// None: where it is called otherwise, it is another.
    rename: Option<fn(ObjectName, String, String) -> Change>,
    on: fn(ObjectName, String) -> CommentOn,
    /// Whether one that a parent gives under the same name comes by itself.
    comes_along: bool,
}

fn parts<P: Part>(
    table: &ObjectName,
    (from, to): (&BTreeMap<String, P>, &BTreeMap<String, P>),
    kind: &Kind<P>,
    out: &mut Vec<Change>,
) {
    if from == to {
        return;
    }
    let on = |name: &String| (kind.on)(table.clone(), name.clone());
    let (mut gone, mut made) = (Vec::new(), Vec::new());
    for (name, of) in sides(from, to) {
        match of {
            Sides::From(part) => gone.push((name, part)),
            Sides::To(part) => made.push((name, part)),
            Sides::Both(from, to) => {
                let come_along = kind.comes_along && from.inherited() && to.inherited();
                if !come_along && !from.same(to) {
                    let (from, to) = (from.clone(), to.clone());
                    out.push((kind.alter)(table.clone(), name.clone(), from, to));
                }
                comment(on(name), from.comment(), to.comment(), out);
            }
        }
    }
    for (name, part) in gone {
        let alike = made.iter().position(|(_, other)| part.same(other));
        let inherited = part.inherited() && kind.comes_along;
        if let (Some(rename), Some(alike), false) = (kind.rename, alike, inherited) {
            let (new, other) = made.remove(alike);
            out.push(rename(table.clone(), name.clone(), new.clone()));
            comment(on(new), part.comment(), other.comment(), out);
        } else if !part.inherited() {
            out.push((kind.drop)(table.clone(), name.clone(), part.clone()));
        }
    }
    for (name, part) in made {
        if part.inherited() && kind.comes_along {
            comment(on(name), &None, part.comment(), out);
        } else {
            out.push((kind.create)(table.clone(), name.clone(), part.clone()));
        }
    }
}

/// A change of a part, out of its fields.
macro_rules! kind {
    ($create:ident, $drop:ident, $alter:ident, $rename:expr, $on:ident, $comes_along:literal) => {
        Kind {
            create: |table, name, to| Change::$create { table, name, to },
            drop: |table, name, from| Change::$drop { table, name, from },
            alter: |table, name, from, to| Change::$alter {
                table,
                name,
                from,
                to,
            },
            rename: $rename,
            on: CommentOn::$on,
            comes_along: $comes_along,
        }
    };
}

fn rename_constraint(table: ObjectName, from: String, to: String) -> Change {
    Change::RenameConstraint { table, from, to }
}

fn rename_index(table: ObjectName, from: String, to: String) -> Change {
    Change::RenameIndex { table, from, to }
}

type Pair<'s, P> = (&'s BTreeMap<String, P>, &'s BTreeMap<String, P>);

pub(super) fn uniques(table: &ObjectName, both: Pair<'_, Unique>, out: &mut Vec<Change>) {
    let rename = Some(rename_constraint as _);
    let kind = kind!(
        CreateUnique,
        DropUnique,
        AlterUnique,
        rename,
        Constraint,
        false
    );
    parts(table, both, &kind, out);
}

pub(super) fn checks(table: &ObjectName, both: Pair<'_, Check>, out: &mut Vec<Change>) {
    let rename = Some(rename_constraint as _);
    let kind = kind!(CreateCheck, DropCheck, AlterCheck, rename, Constraint, true);
    parts(table, both, &kind, out);
}

pub(super) fn foreign_keys(table: &ObjectName, both: Pair<'_, ForeignKey>, out: &mut Vec<Change>) {
    let rename = Some(rename_constraint as _);
    let kind = kind!(
        CreateForeignKey,
        DropForeignKey,
        AlterForeignKey,
        rename,
        Constraint,
        false
    );
    parts(table, both, &kind, out);
}

pub(super) fn exclusions(table: &ObjectName, both: Pair<'_, Exclusion>, out: &mut Vec<Change>) {
    let rename = Some(rename_constraint as _);
    let kind = kind!(
        CreateExclusion,
        DropExclusion,
        AlterExclusion,
        rename,
        Constraint,
        false
    );
    parts(table, both, &kind, out);
}

pub(super) fn indexes(
    table: &ObjectName,
    from: &BTreeMap<String, Index>,
    to: &BTreeMap<String, Index>,
    out: &mut Vec<Change>,
) {
    let rename = Some(rename_index as _);
    let kind = kind!(CreateIndex, DropIndex, AlterIndex, rename, Index, false);
    parts(table, (from, to), &kind, out);
}

pub(super) fn triggers(
    table: &ObjectName,
    from: &BTreeMap<String, Trigger>,
    to: &BTreeMap<String, Trigger>,
    out: &mut Vec<Change>,
) {
    let kind = kind!(
        CreateTrigger,
        DropTrigger,
        AlterTrigger,
        None,
        Trigger,
        true
    );
    parts(table, (from, to), &kind, out);
}

pub(super) fn policies(table: &ObjectName, both: Pair<'_, Policy>, out: &mut Vec<Change>) {
    let kind = kind!(CreatePolicy, DropPolicy, AlterPolicy, None, Policy, false);
    parts(table, both, &kind, out);
}

pub(super) fn domain_checks(
    domain: &ObjectName,
    from: &BTreeMap<String, Check>,
    to: &BTreeMap<String, Check>,
    out: &mut Vec<Change>,
) {
    let kind = Kind {
        create: |domain, name, to| Change::CreateDomainCheck { domain, name, to },
        drop: |domain, name, from| Change::DropDomainCheck { domain, name, from },
        alter: |domain, name, from, to| Change::AlterDomainCheck {
            domain,
            name,
            from,
            to,
        },
        rename: None,
        on: CommentOn::DomainCheck,
        comes_along: false,
    };
    parts(domain, (from, to), &kind, out);
}

impl Part for Unique {
    fn same(&self, other: &Self) -> bool {
        let bare = |of: &Unique| Unique {
            comment: None,
            parent: None,
            ..of.clone()
        };
        bare(self) == bare(other)
    }

    fn inherited(&self) -> bool {
        self.parent.is_some()
    }

    fn comment(&self) -> &Option<String> {
        &self.comment
    }
}

impl Part for Check {
    fn same(&self, other: &Self) -> bool {
        same_expression(&self.expression, &other.expression)
            && self.no_inherit == other.no_inherit
            && self.not_valid == other.not_valid
            && self.not_enforced == other.not_enforced
    }

    fn inherited(&self) -> bool {
        self.inherited
    }

    fn comment(&self) -> &Option<String> {
        &self.comment
    }
}

impl Part for ForeignKey {
    fn same(&self, other: &Self) -> bool {
        let bare = |of: &ForeignKey| ForeignKey {
            comment: None,
            inherited: false,
            ..of.clone()
        };
        bare(self) == bare(other)
    }

    fn inherited(&self) -> bool {
        self.inherited
    }

    fn comment(&self) -> &Option<String> {
        &self.comment
    }
}

impl Part for Exclusion {
    fn same(&self, other: &Self) -> bool {
        let bare = |of: &Exclusion| Exclusion {
            elements: Vec::new(),
            predicate: None,
            comment: None,
            parent: None,
            ..of.clone()
        };
        let mut elements = self.elements.iter().zip(&other.elements);
        self.elements.len() == other.elements.len()
            && elements.all(|(left, right)| {
                left.operator == right.operator && same_key(&left.key, &right.key)
            })
            && same_expressions(&self.predicate, &other.predicate)
            && bare(self) == bare(other)
    }

    fn inherited(&self) -> bool {
        self.parent.is_some()
    }

    fn comment(&self) -> &Option<String> {
        &self.comment
    }
}

impl Part for Index {
    fn same(&self, other: &Self) -> bool {
        let bare = |of: &Index| Index {
            keys: Vec::new(),
            predicate: None,
            comment: None,
            parent: None,
            ..of.clone()
        };
        let mut keys = self.keys.iter().zip(&other.keys);
        self.keys.len() == other.keys.len()
            && keys.all(|(left, right)| same_key(left, right))
            && same_expressions(&self.predicate, &other.predicate)
            && bare(self) == bare(other)
    }

    fn inherited(&self) -> bool {
        self.parent.is_some()
    }

    fn comment(&self) -> &Option<String> {
        &self.comment
    }
}

fn same_key(left: &IndexKey, right: &IndexKey) -> bool {
    let order = |key: &IndexKey| (key.descending, key.nulls_first);
    let target = match (&left.target, &right.target) {
        (KeyTarget::Expression(left), KeyTarget::Expression(right)) => same_expression(left, right),
        (left, right) => left == right,
    };
    target
        && left.collation == right.collation
        && left.operator_class == right.operator_class
        && order(left) == order(right)
}

impl Part for Trigger {
    fn same(&self, other: &Self) -> bool {
        self.definition == other.definition && self.state == other.state
    }

    fn inherited(&self) -> bool {
        self.inherited
    }

    fn comment(&self) -> &Option<String> {
        &self.comment
    }
}

impl Part for Policy {
    fn same(&self, other: &Self) -> bool {
        let bare = |of: &Policy| Policy {
            using: None,
            check: None,
            comment: None,
            ..of.clone()
        };
        same_expressions(&self.using, &other.using)
            && same_expressions(&self.check, &other.check)
            && bare(self) == bare(other)
    }

    fn inherited(&self) -> bool {
        false
    }

    fn comment(&self) -> &Option<String> {
        &self.comment
    }
}
