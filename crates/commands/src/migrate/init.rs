use std::fs::OpenOptions;
use std::io::{ErrorKind, Write, stdout};
use std::path::Path;

use underpin::Result;
use underpin::migrate::TEMPLATE;

use super::draft::unusable;
use super::revisions::Revisions;
use crate::exit::Exit;
use crate::options::GlobalOptions;
use crate::output::or_broken_pipe;

/// File name of the template in the directory of the revisions. No revision has it.
pub(super) const TEMPLATE_FILE: &str = "template.txt";

const CONFIGURATION: &str = include_str!("underpin.toml");

/// Writes what is missing, and says what it left as it was.
pub(super) fn run(options: &GlobalOptions, revisions: Revisions<'_>) -> Result<Exit> {
    let directory = revisions.directory()?;
    let configuration = options.config.as_deref();
    let configuration = configuration.unwrap_or(Path::new("underpin.toml"));
    say(configuration, write_missing(configuration, CONFIGURATION))?;
    let made = match directory.is_dir() {
        true => Ok(false),
        false => std::fs::create_dir_all(&directory).map(|()| true),
    };
    say(&directory, made)?;
    let template = directory.join(TEMPLATE_FILE);
    say(&template, write_missing(&template, TEMPLATE))?;
    Ok(Exit::Success)
}

fn write_missing(path: &Path, text: &str) -> std::io::Result<bool> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

fn say(path: &Path, made: std::io::Result<bool>) -> Result<()> {
    let what = match made {
        Ok(true) => "made",
        Ok(false) => "unchanged:",
        Err(error) => return Err(unusable(path, &error)),
    };
    or_broken_pipe(writeln!(stdout(), "{what} {}", path.display()))
}
