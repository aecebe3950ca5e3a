//! The published table of types.

use std::fmt::Write;

use underpin_core::{Engine, Result};
use underpin_schema::{Schema, Type};

use crate::dialect::CopyDialect;

/// The lines of the published table: each type of the first engine, what it becomes on the second,
/// what that becomes on the first again, what is lost and what is refused, in Markdown.
///
/// # Errors
/// [`Class::Unsupported`](underpin_core::Class::Unsupported) for an engine that is not both source
/// and target.
pub fn type_table(from: Engine, to: Engine, types: &[Type]) -> Result<String> {
    let (here, back) = (CopyDialect::of(from)?, CopyDialect::target_of(from)?);
    let (there, rules) = (CopyDialect::of(to)?, CopyDialect::target_of(to)?);
    let schema = Schema::default();
    let mut table = String::new();
    let shown = |of: &Type| match of.to_string() {
        text if text.is_empty() => "(no type)".to_owned(),
        text => format!("`{text}`"),
    };
    for of in types {
        let kind = (here.kind_of)(&schema, of);
        let stored = (rules.type_of)(&kind, false);
        let returned = (back.type_of)(&(there.kind_of)(&schema, &stored), false);
        let line = [
            shown(of),
            shown(&stored),
            shown(&returned),
            (rules.loses)(&kind).unwrap_or("").to_owned(),
            (rules.refuses)(&kind).unwrap_or("").to_owned(),
        ];
        let _ = writeln!(table, "| {} |", line.join(" | "));
    }
    Ok(table)
}
