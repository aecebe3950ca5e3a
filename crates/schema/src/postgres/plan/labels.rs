//! The steps that rename and add labels of enumerated types.

use underpin_core::Result;

use super::makes::step;
use crate::postgres::ddl::literal::literal;
use crate::{Change, EnumType, Lock, ObjectName, Step, StepKind, Undo};

pub(super) fn steps(changes: &[Change]) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for change in changes {
        match change {
            Change::RenameLabel { name, from, to } => {
                let rename = |from: &str, to: &str| {
                    let (name, from, to) = (name.quoted()?, literal(from), literal(to));
                    Ok::<_, underpin_core::Error>(format!(
                        "ALTER TYPE {name} RENAME VALUE {from} TO {to}"
                    ))
                };
                let undo = Undo::sql(rename(to, from)?);
                steps.push(Step {
                    kind: StepKind::RenameLabel,
                    ..step(change.to_string(), rename(from, to)?, undo, Lock::none())
                });
            }
            Change::AlterEnum { name, from, to } => {
                let old = |label: &str| old_label(changes, name, label);
                added(name, (from, to), &old, &mut steps)?;
            }
            _ => {}
        }
    }
    Ok(steps)
}

/// The name of a label until it is renamed.
fn old_label(changes: &[Change], of: &ObjectName, label: &str) -> String {
    let renamed = changes.iter().find_map(|change| match change {
        Change::RenameLabel { name, from, to } if name == of && to == label => Some(from.clone()),
        _ => None,
    });
    renamed.unwrap_or_else(|| label.to_owned())
}

fn added(
    name: &ObjectName,
    (from, to): (&EnumType, &EnumType),
    old: &dyn Fn(&str) -> String,
    out: &mut Vec<Step>,
) -> Result<()> {
    for (place, label) in to.labels.iter().enumerate() {
        if from.labels.contains(label) {
            continue;
        }
        let mut after = to.labels[place + 1..].iter();
        let next = after.find(|label| from.labels.contains(label));
        let previous = place.checked_sub(1).map(|place| &to.labels[place]);
        let position = match (next, previous) {
            (None, _) => String::new(),
            (Some(_), Some(previous)) => format!(" AFTER {}", literal(&old(previous))),
            (Some(next), None) => format!(" BEFORE {}", literal(&old(next))),
        };
        let sql = format!(
            "ALTER TYPE {} ADD VALUE {}{position}",
            name.quoted()?,
            literal(label)
        );
        let why = "PostgreSQL cannot take a label away from an enum.".to_owned();
        let words = format!("Add label {label:?} to enum {name}");
        out.push(Step {
            kind: StepKind::AddLabel,
            ..step(words, sql, Undo::None(why), Lock::none())
        });
    }
    Ok(())
}

/// A label takes effect only when what added it is committed: where a later step names it, that
/// has to be before.
pub(super) fn commit_first(steps: &mut [Step], changes: &[Change]) {
    let mut used: Vec<String> = Vec::new();
    for change in changes {
        let Change::AlterEnum { from, to, .. } = change else {
            continue;
        };
        let new = to
            .labels
            .iter()
            .filter(|label| !from.labels.contains(label));
        used.extend(new.map(|label| literal(label)));
    }
    let adds = |step: &Step| step.kind == StepKind::AddLabel;
    let named = steps.iter().filter(|step| !adds(step));
    let named = used
        .iter()
        .any(|label| named.clone().any(|step| step.sql.contains(label)));
    if named {
        for step in steps.iter_mut().filter(|step| adds(step)) {
            step.transactional = false;
        }
    }
}
