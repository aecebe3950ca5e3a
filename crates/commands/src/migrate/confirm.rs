//! Questions before what is hard to undo, in production.

use std::io::{IsTerminal, Write, stderr, stdin};

use underpin::config::Environment;
use underpin::{Class, Error, Result};

use crate::interrupt;
use crate::options::GlobalOptions;

/// Asks whether to do this in production, unless `--yes` said so. `what` is a full sentence.
///
/// # Errors
/// `Class::Config` if the answer is no, or nobody can give one.
pub(super) fn confirm(options: &GlobalOptions, yes: bool, what: &str) -> Result<()> {
    if yes || options.load()?.environment() != Environment::Production {
        return Ok(());
    }
    let refused = |message: String| {
        Error::new(Class::Config, message).with_hint("Say --yes where that is meant.")
    };
    if !(stdin().is_terminal() && stderr().is_terminal()) {
        return Err(refused(format!(
            "The environment is production. {what} Nothing was done."
        )));
    }
    let _ = write!(
        stderr(),
        "The environment is production. {what} Type yes to go on: "
    );
    let mut answer = String::new();
    let read = interrupt::ask(|| stdin().read_line(&mut answer));
    match read.is_ok() && answer.trim().eq_ignore_ascii_case("yes") {
        true => Ok(()),
        false => Err(refused("Nothing was done.".to_owned())),
    }
}

/// The names in a sentence, not too many of them.
pub(super) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let mut shown: Vec<String> = names.iter().take(SHOWN).cloned().collect();
    if names.len() > SHOWN {
        shown.push(format!("and {} more", names.len() - SHOWN));
    }
    shown.join(", ")
}
