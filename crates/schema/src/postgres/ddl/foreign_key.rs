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
        list(&key.columns)?,
        key.references.quoted()?,
        list(&key.referenced_columns)?,
        match key.matching {
            Match::Simple => "",
            Match::Full => " MATCH FULL",
        },
        action(" ON UPDATE", key.on_update),
        action(" ON DELETE", key.on_delete),
        deferral(key.deferral),
        if key.not_valid { " NOT VALID" } else { "" },
    ))
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
