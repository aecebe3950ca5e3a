//! Triggers.

use underpin_core::{Result, quote};

use crate::{ObjectName, Trigger, TriggerState};

/// `CREATE TRIGGER`, as the server renders it. It is enabled then.
pub fn create(trigger: &Trigger) -> String {
    trigger.definition.as_str().to_owned()
}

/// `ALTER TABLE … ENABLE TRIGGER` and the like. On a partitioned table the triggers of the
/// partitions change with it.
///
/// # Errors
/// For a name that cannot be one.
pub fn set_state(table: &ObjectName, name: &str, state: TriggerState) -> Result<String> {
    let action = match state {
        TriggerState::Enabled => "ENABLE",
        TriggerState::Disabled => "DISABLE",
        TriggerState::Replica => "ENABLE REPLICA",
        TriggerState::Always => "ENABLE ALWAYS",
    };
    let (table, name) = (table.quoted()?, quote::identifier(name)?);
    Ok(format!("ALTER TABLE {table} {action} TRIGGER {name}"))
}

/// `DROP TRIGGER … ON …`.
///
/// # Errors
/// For a name that cannot be one.
pub fn drop(table: &ObjectName, name: &str) -> Result<String> {
    Ok(format!(
        "DROP TRIGGER {} ON {}",
        quote::identifier(name)?,
        table.quoted()?
    ))
}
