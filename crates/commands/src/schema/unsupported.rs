use std::io::Write;

use underpin::schema::Schema;

/// Names on standard error what a schema cannot carry. Whether there was any.
pub(super) fn named(schema: &Schema) -> bool {
    let mut err = std::io::stderr().lock();
    for one in &schema.unsupported {
        let _ = writeln!(err, "not carried: {one}");
    }
    !schema.unsupported.is_empty()
}
