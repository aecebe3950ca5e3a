use std::io::Write;

use underpin::schema::Schema;

/// Names on standard error what a schema leaves out: what it cannot carry, and options that the
/// server's lists do not have. Whether there was any that it cannot carry.
pub(super) fn named(schema: &Schema) -> bool {
    let mut err = std::io::stderr().lock();
    for one in &schema.unsupported {
        let _ = writeln!(err, "not carried: {one}");
    }
    for (object, needed) in &schema.needs_unsupported {
        for one in needed {
            let _ = writeln!(err, "{object} needs {one}, and cannot be made without it");
        }
    }
    for one in &schema.unlisted_options {
        let _ = writeln!(err, "not listed by the server: {one}");
    }
    !schema.unsupported.is_empty()
}
