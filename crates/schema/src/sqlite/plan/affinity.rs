//! What becomes of values that are copied into a column of another type.

use crate::Type;

/// The affinity that SQLite derives from a declared type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Affinity {
    Integer,
    Text,
    /// Values stay as they are.
    Blob,
    Real,
    Numeric,
}

fn affinity(of: &Type) -> Affinity {
    let name = of.name.to_ascii_uppercase();
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    match () {
        () if has(&["INT"]) => Affinity::Integer,
        () if has(&["CHAR", "CLOB", "TEXT"]) => Affinity::Text,
        () if name.is_empty() || name == "ANY" || has(&["BLOB"]) => Affinity::Blob,
        () if has(&["REAL", "FLOA", "DOUB"]) => Affinity::Real,
        () => Affinity::Numeric,
    }
}

/// The possible loss of values when a column changes its type.
pub(super) fn lost(column: &str, from: &Type, to: &Type) -> Option<String> {
    use Affinity as A;
    match (affinity(from), affinity(to)) {
        (A::Text | A::Blob, A::Integer | A::Real | A::Numeric) => Some(format!(
            "how numbers are spelled in the texts of {column}, as in 007"
        )),
        (A::Real | A::Numeric, A::Text) | (A::Blob, A::Text) => Some(format!(
            "the digits of numbers in {column} beyond the fifteenth"
        )),
        (A::Integer | A::Numeric, A::Real) => Some(format!(
            "the last digits of integers in {column} beyond 2^53"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_says_how_values_are_kept() {
        for (name, expected) in [
            ("INTEGER", Affinity::Integer),
            ("unsigned big int", Affinity::Integer),
            ("varchar", Affinity::Text),
            ("", Affinity::Blob),
            ("double precision", Affinity::Real),
            ("decimal", Affinity::Numeric),
            ("BOOLEAN", Affinity::Numeric),
            // A trap of SQLite's: FLOATING POINT has INT in it.
            ("FLOATING POINT", Affinity::Integer),
        ] {
            assert_eq!(affinity(&Type::named(name)), expected, "{name}");
        }
    }

    #[test]
    fn only_what_loses_says_so() {
        let lost = |from: &str, to: &str| lost("a", &Type::named(from), &Type::named(to)).is_some();
        assert!(lost("TEXT", "INTEGER") && lost("REAL", "TEXT") && lost("INTEGER", "REAL"));
        assert!(!lost("INTEGER", "TEXT") && !lost("INTEGER", "NUMERIC") && !lost("TEXT", "BLOB"));
    }
}
