//! Functions and procedures.

use underpin_core::Result;

use crate::{Function, FunctionKind, FunctionName};

/// `CREATE OR REPLACE FUNCTION` or `PROCEDURE`, as the server renders it.
pub fn create(function: &Function) -> String {
    function.definition.as_str().to_owned()
}

/// `FUNCTION` or `PROCEDURE`, as statements about it have it.
pub fn keyword(kind: FunctionKind) -> &'static str {
    match kind {
        FunctionKind::Function => "FUNCTION",
        FunctionKind::Procedure => "PROCEDURE",
    }
}

/// `DROP FUNCTION` or `DROP PROCEDURE`.
///
/// # Errors
/// For a name that cannot be one.
pub fn drop(name: &FunctionName, kind: FunctionKind) -> Result<String> {
    Ok(format!("DROP {} {}", keyword(kind), name.quoted()?))
}
