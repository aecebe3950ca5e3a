//! Namespaces.

use underpin_core::{Result, quote};

/// `CREATE SCHEMA`. The one called `public` is in every new database, so that it is not an error
/// where it is there.
///
/// # Errors
/// For a name that cannot be one.
pub fn create(name: &str) -> Result<String> {
    let if_not_exists = if name == "public" {
        "IF NOT EXISTS "
    } else {
        ""
    };
    Ok(format!(
        "CREATE SCHEMA {if_not_exists}{}",
        quote::identifier(name)?
    ))
}

/// `DROP SCHEMA`, which has to be empty.
///
/// # Errors
/// For a name that cannot be one.
pub fn drop(name: &str) -> Result<String> {
    Ok(format!("DROP SCHEMA {}", quote::identifier(name)?))
}
