//! Access's part in copying tables: files are read, by the SQL of SQLite, and never written.

use underpin_schema::{Column, ObjectName, Schema};

use crate::dialect::CopyDialect;
use crate::sqlite;

/// The particulars of Access in copying tables. Its columns hold what their types say, unlike those
/// of SQLite, whose names of types it has.
pub const DIALECT: CopyDialect = CopyDialect {
    dynamic: false,
    counts,
    // A file tells no number behind those of its rows.
    last_number: |_, _, _| Ok(None),
    target: None,
    ..sqlite::DIALECT
};

/// Only an AutoNumber counts.
fn counts(_: &Schema, _: &ObjectName, column: &Column) -> bool {
    column.identity.is_some()
}

#[cfg(test)]
mod tests {
    use underpin_core::{Class, Engine};
    use underpin_schema::Type;

    use super::*;
    use crate::kind::{Digits, Kind};

    #[test]
    fn an_access_file_is_a_source_and_not_a_target() {
        let kind = |text: &str| (DIALECT.kind_of)(&Schema::default(), &Type::parse(text).unwrap());
        let currency = Digits {
            precision: 19,
            scale: 4,
        };
        assert_eq!(kind("NUMERIC(19,4)"), Kind::Numeric(Some(currency)));
        assert_eq!(kind("DATETIME"), Kind::Timestamp(6));
        assert_eq!(kind("UUID"), Kind::Uuid);
        assert!(CopyDialect::of(Engine::ACCESS).is_ok());
        let error = CopyDialect::target_of(Engine::ACCESS).unwrap_err();
        assert_eq!(error.class(), Class::Unsupported);
    }
}
