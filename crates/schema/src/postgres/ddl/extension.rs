//! Extensions.

use underpin_core::{Result, quote};

use super::literal::literal;
use crate::Extension;

/// `CREATE EXTENSION`, in the version that it has.
///
/// # Errors
/// For a name that cannot be one.
pub fn create(name: &str, extension: &Extension) -> Result<String> {
    Ok(format!(
        "CREATE EXTENSION {} WITH SCHEMA {} VERSION {}",
        quote::identifier(name)?,
        quote::identifier(&extension.namespace)?,
        literal(&extension.version)
    ))
}

/// `DROP EXTENSION`.
///
/// # Errors
/// For a name that cannot be one.
pub fn drop(name: &str) -> Result<String> {
    Ok(format!("DROP EXTENSION {}", quote::identifier(name)?))
}
