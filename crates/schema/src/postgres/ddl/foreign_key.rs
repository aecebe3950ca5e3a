//! Foreign keys.

use underpin_core::{Result, quote};

use super::{deferral, list};
use crate::{Action, ForeignKey, Match};

/// `CONSTRAINT … FOREIGN KEY (…) REFERENCES …`.
///
/// # Errors
/// For a name that cannot be one.
pub fn clause(name: &str, key: &ForeignKey) -> Result<String> {
    let set_columns = match &key.on_delete_columns[..] {
        [] => String::new(),
        columns => format!(" ({})", list(columns)?),
    };
    Ok(format!(
        "CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}){}{}{}{set_columns}{}{}",
        quote::identifier(name)?,
        over(&key.columns, key.period)?,
        key.references.quoted()?,
        over(&key.referenced_columns, key.period)?,
        match key.matching {
            Match::Simple => "",
            Match::Full => " MATCH FULL",
        },
        action(" ON UPDATE", key.on_update),
        action(" ON DELETE", key.on_delete),
        deferral(key.deferral),
        match (key.not_enforced, key.not_valid) {
            (true, _) => " NOT ENFORCED",
            (false, true) => " NOT VALID",
            (false, false) => "",
        },
    ))
}

/// The columns, of which the last may be a period.
fn over(columns: &[String], period: bool) -> Result<String> {
    match columns.split_last() {
        Some((last, rest)) if period => {
            let rest = list(rest)?;
            let comma = if rest.is_empty() { "" } else { ", " };
            Ok(format!("{rest}{comma}PERIOD {}", quote::identifier(last)?))
        }
        _ => list(columns),
    }
}

fn action(when: &str, action: Action) -> String {
    match action {
        Action::NoAction => String::new(),
        Action::Restrict => format!("{when} RESTRICT"),
        Action::Cascade => format!("{when} CASCADE"),
        Action::SetNull => format!("{when} SET NULL"),
        Action::SetDefault => format!("{when} SET DEFAULT"),
    }
}
