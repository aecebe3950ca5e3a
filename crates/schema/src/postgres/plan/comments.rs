//! Comments on what stays.

use std::collections::BTreeSet;

use underpin_core::Result;

use super::intent::Intent;
use super::makes::step;
use super::node::Node;
use crate::postgres::ddl::comment::{Subject, set};
use crate::{Change, CommentOn, FunctionKind, Lock, LockMode, Step, Undo, Work};

pub(super) fn steps(intent: &Intent) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for change in &intent.comments {
        let Change::SetComment { on, from, to } = change else {
            continue;
        };
        if made(on, &intent.makes) {
            continue;
        }
        let lock = match on {
            CommentOn::Table(of)
            | CommentOn::View(of)
            | CommentOn::MaterializedView(of)
            | CommentOn::Column(of, _)
            | CommentOn::Constraint(of, _)
            | CommentOn::Index(of, _)
            | CommentOn::Trigger(of, _)
            | CommentOn::Policy(of, _) => {
                Lock::of(LockMode::ShareUpdateExclusive, of, Work::Catalog)
            }
            _ => Lock::none(),
        };
        let undo = Undo::sql(set_on(on, from.as_deref())?);
        let sql = set_on(on, to.as_deref())?;
        steps.push(step(change.to_string(), sql, undo, lock));
    }
    Ok(steps)
}

/// Whether it was made in this plan, and its comment with it.
fn made(on: &CommentOn, makes: &BTreeSet<Node>) -> bool {
    let nodes: Vec<Node> = match on {
        CommentOn::Namespace(name) => vec![Node::Namespace(name.clone())],
        CommentOn::Extension(name) => vec![Node::Extension(name.clone())],
        CommentOn::Enum(name) => vec![Node::Enum(name.clone())],
        CommentOn::Domain(name) => vec![Node::Domain(name.clone())],
        CommentOn::DomainCheck(of, name) => vec![
            Node::DomainCheck(of.clone(), name.clone()),
            Node::Domain(of.clone()),
        ],
        CommentOn::Defined(name) => vec![Node::Defined(name.clone())],
        CommentOn::Sequence(name) => vec![Node::Sequence(name.clone())],
        CommentOn::Function(name) | CommentOn::Procedure(name) => {
            vec![Node::Function(name.clone())]
        }
        CommentOn::Table(name) => vec![Node::Table(name.clone())],
        CommentOn::View(name) => vec![Node::View(name.clone())],
        CommentOn::MaterializedView(name) => vec![Node::MaterializedView(name.clone())],
        CommentOn::Column(of, name) => vec![
            Node::Column(of.clone(), name.clone()),
            Node::View(of.clone()),
            Node::MaterializedView(of.clone()),
        ],
        CommentOn::Constraint(of, name) => [Node::Key, Node::Check, Node::ForeignKey]
            .map(|kind| kind(of.clone(), name.clone()))
            .into(),
        CommentOn::Index(of, name) => vec![Node::Index(of.clone(), name.clone())],
        CommentOn::Trigger(of, name) => vec![Node::Trigger(of.clone(), name.clone())],
        CommentOn::Policy(of, name) => vec![Node::Policy(of.clone(), name.clone())],
    };
    nodes.iter().any(|node| makes.contains(node))
}

fn set_on(on: &CommentOn, comment: Option<&str>) -> Result<String> {
    let subject = match on {
        CommentOn::Namespace(name) => Subject::Namespace(name),
        CommentOn::Extension(name) => Subject::Extension(name),
        CommentOn::Enum(name) => Subject::Enum(name),
        CommentOn::Domain(name) => Subject::Domain(name),
        CommentOn::DomainCheck(of, name) => Subject::DomainCheck(of, name),
        CommentOn::Defined(name) => Subject::Defined(name),
        CommentOn::Sequence(name) => Subject::Sequence(name),
        CommentOn::Function(name) => Subject::Function(name, FunctionKind::Function),
        CommentOn::Procedure(name) => Subject::Function(name, FunctionKind::Procedure),
        CommentOn::Table(name) => Subject::Table(name),
        CommentOn::Column(of, name) => Subject::Column(of, name),
        CommentOn::Constraint(of, name) => Subject::Constraint(of, name),
        CommentOn::Index(of, name) => return set(Subject::Index(&of.sibling(name)), comment),
        CommentOn::Trigger(of, name) => Subject::Trigger(of, name),
        CommentOn::Policy(of, name) => Subject::Policy(of, name),
        CommentOn::View(name) => Subject::View(name),
        CommentOn::MaterializedView(name) => Subject::MaterializedView(name),
    };
    set(subject, comment)
}
