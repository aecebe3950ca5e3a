//! Steps that look at the rows before a change that they may not allow, so that what is said
//! is what to do.

use underpin_core::{Result, quote};

use crate::postgres::ddl::literal::literal;
use crate::{ColumnRef, Lock, LockMode, ObjectName, Refusal, Step, Undo, Work};

/// Fails where a row holds NULL.
pub(super) fn none_is_null(table: &ObjectName, column: &str) -> Result<Step> {
    let (on, quoted) = (table.quoted()?, quote::identifier(column)?);
    let of = ColumnRef {
        table: table.clone(),
        column: column.to_owned(),
    };
    let refusal = Refusal::NullInRows { column: of };
    let found = format!("SELECT FROM {on} WHERE {quoted} IS NULL");
    let comment = format!(
        "Check that no row of {table} has NULL in {}",
        crate::object_name::plain(column)
    );
    Ok(step(table, comment, &found, &refusal))
}

/// Fails where there is a row.
pub(super) fn none_at_all(table: &ObjectName, column: &str) -> Result<Step> {
    let of = ColumnRef {
        table: table.clone(),
        column: column.to_owned(),
    };
    let refusal = Refusal::NothingForRows { column: of };
    let found = format!("SELECT FROM {}", table.quoted()?);
    let comment = format!("Check that {table} has no rows yet");
    Ok(step(table, comment, &found, &refusal))
}

fn step(table: &ObjectName, comment: String, found: &str, refusal: &Refusal) -> Step {
    let message = literal(&refusal.to_string());
    let body = format!(
        "BEGIN IF EXISTS ({found}) THEN RAISE EXCEPTION USING ERRCODE = 'not_null_violation', \
         MESSAGE = {message}; END IF; END"
    );
    let mut tag = "check".to_owned();
    while body.contains(&tag) {
        tag.push('_');
    }
    Step {
        comment,
        sql: format!("DO ${tag}$ {body} ${tag}$"),
        undo: Undo::Included,
        lock: Lock::of(LockMode::AccessShare, table, Work::Scan),
        loses: None,
        transactional: true,
        of_labels: false,
    }
}
