//! The command `underpin`, as the tests of this package run it.

use std::process::ExitCode;

fn main() -> ExitCode {
    underpin_cli::main()
}
