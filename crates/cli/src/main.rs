//! The command `underpin`.

use std::process::ExitCode;

fn main() -> ExitCode {
    underpin_cli::main()
}
