//! A test that cannot run on this machine says so, by name and with the reason.
//!
//! A test that returns early looks like one that passed. The line that [`report`] leaves in the
//! file named by `UNDERPIN_TEST_SKIPS` lets the run count it as skipped.

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// Reports that the named test was skipped: prints it, and appends `name: reason` to the file
/// that `UNDERPIN_TEST_SKIPS` names, if any.
///
/// # Panics
///
/// With `CI=true`, where everything that a test needs has to be there; and when that file
/// cannot be written, since the skip would then be counted as a pass.
pub fn report(test_name: &str, reason: impl Display) {
    if std::env::var_os("CI").is_some_and(|ci| ci == "true") {
        panic!("{test_name}: {reason} With CI=true this is a failure.");
    }
    note(test_name, reason);
}

/// Reports that the named test was skipped since a file that it reads is not among the
/// sources and not beside them; unlike a server, nobody can be expected to have it, so that
/// it is not a failure with `CI=true` either.
///
/// # Panics
///
/// When the skip cannot be noted.
pub fn report_without_input(test_name: &str, file: &Path) {
    note(test_name, format_args!("{} is not here.", file.display()));
}

/// Reports that the named test was skipped since it needs more than the servers of a test run,
/// such as a second version of one; nobody can be expected to have it, so that it is not a failure
/// with `CI=true` either.
///
/// # Panics
///
/// When the skip cannot be noted.
pub fn report_without_more(test_name: &str, reason: impl Display) {
    note(test_name, reason);
}

fn note(test_name: &str, reason: impl Display) {
    let line = format!("{test_name}: {reason}").replace(['\n', '\r'], " ");
    println!("skipped {line}");
    let Some(path) = std::env::var_os("UNDERPIN_TEST_SKIPS") else {
        return;
    };
    // One write of a whole line, so that lines of several processes do not mix.
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()))
        .unwrap_or_else(|error| {
            panic!(
                "The skipped test cannot be written to {}: {error}.",
                path.display()
            )
        });
}

/// The path of a function, from the type name of a closure inside it.
#[doc(hidden)]
pub fn enclosing_function<T>(_: &T) -> &'static str {
    std::any::type_name::<T>()
        .trim_end_matches("::{{closure}}")
        .trim_end_matches("::{closure#0}")
}

/// Skips the test that it stands in: reports the name and the reason, which may be a format
/// string with arguments, and returns from the function.
///
/// ```no_run
/// fn needs_a_printer() {
///     underpin_testkit::skip!("needs_a_printer", "No printer is connected.");
/// }
/// # needs_a_printer();
/// ```
#[macro_export]
macro_rules! skip {
    ($test_name:expr, $($reason:tt)+) => {{
        $crate::skip::report($test_name, format_args!($($reason)+));
        return;
    }};
}

/// Gives the value of an `Ok`, or skips the test that it stands in, by the test's own path, for
/// the reason in the `Err`.
///
/// ```no_run
/// use underpin_testkit::{Postgres, or_skip};
///
/// fn accounts_are_kept() {
///     let server = or_skip!(Postgres::shared());
/// }
/// ```
#[macro_export]
macro_rules! or_skip {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(reason) => {
                $crate::skip::report($crate::skip::enclosing_function(&|| {}), reason);
                return;
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_knows_its_own_path() {
        let name = enclosing_function(&|| {});
        assert_eq!(
            name,
            "underpin_testkit::skip::tests::a_test_knows_its_own_path"
        );
    }

    #[tokio::test]
    async fn an_asynchronous_test_knows_its_own_path() {
        let name = enclosing_function(&|| {});
        assert_eq!(
            name,
            "underpin_testkit::skip::tests::an_asynchronous_test_knows_its_own_path"
        );
    }
}
