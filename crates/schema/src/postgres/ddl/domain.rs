//! Domains.

use std::fmt::Write;

use underpin_core::Result;

use super::check;
use crate::{Domain, ObjectName};

/// `CREATE DOMAIN`, with its checks but for those that are not valid; they are
/// [added](add_check) once it is there.
///
/// # Errors
/// For a name that cannot be one.
pub fn create(name: &ObjectName, domain: &Domain) -> Result<String> {
    let mut sql = format!("CREATE DOMAIN {} AS {}", name.quoted()?, domain.base.sql()?);
    if let Some(collation) = &domain.collation {
        let _ = write!(sql, " COLLATE {}", collation.quoted()?);
    }
    if let Some(default) = &domain.default {
        let _ = write!(sql, " DEFAULT {default}");
    }
    if domain.not_null {
        sql.push_str(" NOT NULL");
    }
    for (name, check) in domain.checks.iter().filter(|(_, check)| !check.not_valid) {
        let _ = write!(sql, " {}", check::clause(name, check)?);
    }
    Ok(sql)
}

/// `ALTER DOMAIN … ADD CONSTRAINT … CHECK`.
///
/// # Errors
/// For a name that cannot be one.
pub fn add_check(domain: &ObjectName, name: &str, check: &crate::Check) -> Result<String> {
    Ok(format!(
        "ALTER DOMAIN {} ADD {}",
        domain.quoted()?,
        check::clause(name, check)?
    ))
}

/// `DROP DOMAIN`.
///
/// # Errors
/// For a name that cannot be one.
pub fn drop(name: &ObjectName) -> Result<String> {
    Ok(format!("DROP DOMAIN {}", name.quoted()?))
}
