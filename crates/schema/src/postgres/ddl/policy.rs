//! Policies of row-level security.

use std::fmt::Write;

use underpin_core::{Result, quote};

use super::list;
use crate::{ObjectName, Policy, PolicyCommand};

/// `CREATE POLICY`.
///
/// # Errors
/// For a name that cannot be one.
pub fn create(table: &ObjectName, name: &str, policy: &Policy) -> Result<String> {
    let mut sql = format!(
        "CREATE POLICY {} ON {}",
        quote::identifier(name)?,
        table.quoted()?
    );
    if !policy.permissive {
        sql.push_str(" AS RESTRICTIVE");
    }
    sql.push_str(match policy.command {
        PolicyCommand::All => "",
        PolicyCommand::Select => " FOR SELECT",
        PolicyCommand::Insert => " FOR INSERT",
        PolicyCommand::Update => " FOR UPDATE",
        PolicyCommand::Delete => " FOR DELETE",
    });
    if !policy.roles.is_empty() {
        let _ = write!(sql, " TO {}", list(&policy.roles)?);
    }
    if let Some(using) = &policy.using {
        let _ = write!(sql, " USING ({using})");
    }
    if let Some(check) = &policy.check {
        let _ = write!(sql, " WITH CHECK ({check})");
    }
    Ok(sql)
}

/// `DROP POLICY … ON …`.
///
/// # Errors
/// For a name that cannot be one.
pub fn drop(table: &ObjectName, name: &str) -> Result<String> {
    Ok(format!(
        "DROP POLICY {} ON {}",
        quote::identifier(name)?,
        table.quoted()?
    ))
}
