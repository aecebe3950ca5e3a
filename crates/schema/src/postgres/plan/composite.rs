//! Composite types that change where they are, since columns are of them.

use underpin_core::Result;

use super::makes::step;
use crate::{Defined, DefinedKind, DefinedName, Lock, LockMode, Step, Undo, Work, sql_text};

/// What becomes of an attribute.
enum Act<'d> {
    Add(&'d str),
    /// The name, and how the attribute was.
    Drop(&'d str, &'d str),
    /// The name, the type before, and the type after.
    Retype(&'d str, &'d str, &'d str),
}

/// Whether a type can change where it is: what stays is in its order, and what is new comes last.
pub(super) fn in_place(name: &DefinedName, from: &Defined, to: &Defined) -> bool {
    name.kind == DefinedKind::CompositeType && acts(from, to).is_some()
}

fn acts<'d>(from: &'d Defined, to: &'d Defined) -> Option<Vec<Act<'d>>> {
    let (was, then) = (attributes(from)?, attributes(to)?);
    let mut acts = Vec::new();
    let mut after = then.iter();
    for (name, of) in &was {
        match then.iter().find(|(other, _)| other == name) {
            None => acts.push(Act::Drop(name, of)),
            Some((_, new)) => {
                // It comes after those that came before it.
                after.next().filter(|(next, _)| next == name)?;
                if new != of {
                    acts.push(Act::Retype(name, of, new));
                }
            }
        }
    }
    for (name, of) in after {
        if was.iter().any(|(other, _)| other == name) {
            return None;
        }
        acts.push(Act::Add(of));
    }
    Some(acts)
}

/// Each attribute: its name, and all of it.
fn attributes(of: &Defined) -> Option<Vec<(&str, &str)>> {
    let text = of.definition.first()?.as_str();
    let group = sql_text::first_group(text)?;
    let inside = text.get(group.start + 1..group.end - 1)?;
    let each = sql_text::split(inside, ',').into_iter().map(str::trim);
    let named = each.filter(|one| !one.is_empty()).map(|one| {
        let name = sql_text::split(one, ' ')[0];
        (name, one)
    });
    Some(named.collect())
}

pub(super) fn steps(
    words: &str,
    name: &DefinedName,
    (from, to): (&Defined, &Defined),
    out: &mut Vec<Step>,
) -> Result<()> {
    let on = format!("ALTER TYPE {}", name.identity);
    let lock = || {
        Lock::of(
            LockMode::AccessExclusive,
            format!("tables with {name}"),
            Work::Catalog,
        )
    };
    let type_of = |name: &str, all: &str| all[name.len()..].trim().to_owned();
    for act in acts(from, to).unwrap_or_default() {
        let (sql, undo, loses) = match act {
            Act::Add(all) => {
                let attribute = sql_text::split(all, ' ')[0];
                let back = format!("{on} DROP ATTRIBUTE {attribute}");
                (format!("{on} ADD ATTRIBUTE {all}"), Undo::sql(back), None)
            }
            Act::Drop(attribute, all) => {
                let loses = format!("the values of {attribute} in all values of the {name}");
                let undo = match is_last(from, attribute) {
                    true => Undo::sql(format!("{on} ADD ATTRIBUTE {all}")),
                    false => Undo::None(format!(
                        "An attribute of a type comes back only behind the others, and {attribute} \
                         was before some."
                    )),
                };
                (
                    format!("{on} DROP ATTRIBUTE {attribute}"),
                    undo,
                    Some(loses),
                )
            }
            Act::Retype(attribute, was, then) => {
                let set = |all: &str| {
                    format!(
                        "{on} ALTER ATTRIBUTE {attribute} TYPE {}",
                        type_of(attribute, all)
                    )
                };
                (set(then), Undo::sql(set(was)), None)
            }
        };
        let mut step = step(words.to_owned(), sql, undo, lock());
        step.loses = loses;
        out.push(step);
    }
    comments(name, (from, to), out);
    Ok(())
}

/// Whether nothing that stays comes behind an attribute.
fn is_last(of: &Defined, attribute: &str) -> bool {
    let attributes = attributes(of).unwrap_or_default();
    attributes
        .last()
        .is_some_and(|(name, _)| *name == attribute)
}

/// The comments on attributes, which are statements of their own.
fn comments(name: &DefinedName, (from, to): (&Defined, &Defined), out: &mut Vec<Step>) {
    let rest = |of: &Defined| -> Vec<String> {
        let rest = of.definition.iter().skip(1);
        rest.map(|text| text.as_str().to_owned()).collect()
    };
    let (was, then) = (rest(from), rest(to));
    let subject = |text: &str| text.split(" IS ").next().unwrap_or_default().to_owned();
    let of_attribute = |of: &Defined, text: &str| {
        let attributes = attributes(of).unwrap_or_default();
        attributes.iter().any(|(attribute, _)| {
            subject(text) == format!("COMMENT ON COLUMN {}.{attribute}", name.identity)
        })
    };
    let before = |text: &str| {
        was.iter()
            .find(|one| subject(one) == subject(text))
            .cloned()
    };
    for text in then.iter().filter(|text| !was.contains(text)) {
        let undo = match before(text) {
            Some(before) => Undo::sql(before),
            None if of_attribute(from, text) => Undo::sql(format!("{} IS NULL", subject(text))),
            None => Undo::Included,
        };
        out.push(step(
            format!("Comment on an attribute of {name}"),
            text.clone(),
            undo,
            Lock::none(),
        ));
    }
    for text in &was {
        let stays = then.iter().any(|other| subject(other) == subject(text));
        if !stays && of_attribute(to, text) {
            let sql = format!("{} IS NULL", subject(text));
            let words = format!("Take the comment from an attribute of {name}");
            out.push(step(words, sql, Undo::sql(text.clone()), Lock::none()));
        }
    }
}
