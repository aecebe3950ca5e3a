//! The commands of a contributor: `cargo xtask test`, which `./test` calls, `cargo xtask dist` and
//! `cargo xtask messages`.

mod checkout;
mod debian;
mod dist;
mod environment;
mod leaks;
mod majors;
mod messages;
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
  test [FILTER AND OPTIONS]  Runs every test against real servers; ./test is short for it.
                             --majors=all, or a list such as 13,18, chooses other major versions
                             of PostgreSQL on which the tests that depend on it run again
  messages [PATH]            Prints the texts of errors, hints and logs, to be read as one list
  dist [DIRECTORY]           Builds the command underpin for distribution: the program, its
                             completion scripts and man pages, a wheel and an npm package";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let checkout = Checkout::find();
    match arguments.next().as_deref() {
        Some("test") => test::run(&checkout, &arguments.collect::<Vec<_>>()),
        Some("messages") => messages::run(&checkout, &arguments.collect::<Vec<_>>()),
        Some("dist") => dist::run(&checkout, arguments.next().as_deref()),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}
