//! Objects that are carried as the statements which make them.

use crate::{Defined, DefinedKind, DefinedName};

/// The statements that make it.
pub fn create(defined: &Defined) -> Vec<String> {
    let statements = defined.definition.iter();
    statements.map(|text| text.as_str().to_owned()).collect()
}

/// The kind, as statements about it have it.
pub fn keyword(kind: DefinedKind) -> &'static str {
    match kind {
        DefinedKind::Collation => "COLLATION",
        DefinedKind::CompositeType | DefinedKind::RangeType => "TYPE",
        DefinedKind::TextSearchDictionary => "TEXT SEARCH DICTIONARY",
        DefinedKind::TextSearchConfiguration => "TEXT SEARCH CONFIGURATION",
        DefinedKind::Aggregate => "AGGREGATE",
        DefinedKind::Operator => "OPERATOR",
        DefinedKind::Cast => "CAST",
        DefinedKind::Rule => "RULE",
        DefinedKind::Statistics => "STATISTICS",
        DefinedKind::EventTrigger => "EVENT TRIGGER",
    }
}

/// `DROP …`.
pub fn drop(name: &DefinedName) -> String {
    format!("DROP {} {}", keyword(name.kind), name.identity)
}
