//! The commands of a contributor: `cargo xtask test`, which `./test` calls.

mod checkout;
mod debian;
mod environment;
mod leaks;
mod npm;
mod outcome;
mod run;
mod server;
mod skips;
mod summary;
mod test;
mod tools;

use std::process::ExitCode;

use checkout::Checkout;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

Commands:
  test [FILTER AND OPTIONS]  Runs every test against real servers; ./test is short for it";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let checkout = Checkout::find();
    match arguments.next().as_deref() {
        Some("test") => test::run(&checkout, &arguments.collect::<Vec<_>>()),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}
