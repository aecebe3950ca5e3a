//! Triggers.

use underpin_core::{Result, quote};

use crate::sqlite::ddl;
use crate::{Trigger, TriggerState};

/// `CREATE TRIGGER`, as it was written.
///
/// # Errors
/// For what SQLite cannot have.
pub fn create(name: &str, trigger: &Trigger) -> Result<String> {
    ddl::refuse(
        trigger.function.is_some(),
        || format!("the trigger {name:?}, which calls a function"),
        "Write its statements between BEGIN and END.",
    )?;
    ddl::refuse(
        trigger.state != TriggerState::Enabled,
        || format!("the trigger {name:?}, which does not always fire"),
        "Drop it, or let it always fire.",
    )?;
    ddl::refuse(
        trigger.comment.is_some(),
        || format!("a comment on the trigger {name:?}"),
        "Write it into the trigger itself.",
    )?;
    Ok(trigger.definition.to_string())
}

/// `DROP TRIGGER`.
///
/// # Errors
/// For a name that cannot be one.
pub fn drop(name: &str) -> Result<String> {
    Ok(format!("DROP TRIGGER {}", quote::identifier(name)?))
}
