use std::path::{Path, PathBuf};
use std::process::Command;

use crate::account::Account;
use crate::unavailable::Unavailable;

/// Where the programs of PostgreSQL are, and as whom they may run.
#[derive(Debug)]
pub(super) struct Installation {
    pub(super) programs: PathBuf,
    pub(super) account: Account,
}

impl Installation {
    pub(super) fn find() -> Result<Self, Unavailable> {
        Installation::at(&find_programs()?)
    }

    /// The one whose programs are in this directory.
    pub(super) fn at(directory: &Path) -> Result<Self, Unavailable> {
        match has_programs(directory) {
            true => Ok(Installation {
                programs: directory.to_owned(),
                account: Account::of_servers()?,
            }),
            false => Err(Unavailable::new(format!(
                "{} does not contain initdb and postgres.",
                directory.display()
            ))),
        }
    }
}

/// The directory of the programs of an older minor version of PostgreSQL, which
/// `UNDERPIN_TEST_OLDER_POSTGRES_BIN` names.
///
/// # Errors
///
/// When nothing is named.
pub fn older_programs() -> Result<PathBuf, Unavailable> {
    std::env::var_os("UNDERPIN_TEST_OLDER_POSTGRES_BIN")
        .map(PathBuf::from)
        .ok_or_else(|| {
            Unavailable::new(
                "UNDERPIN_TEST_OLDER_POSTGRES_BIN does not name a server of an older minor \
                 version.",
            )
        })
}

/// One of the programs that come with PostgreSQL, such as `pg_dump`, of the newest version that
/// is installed.
///
/// # Errors
///
/// When it is not installed here.
pub fn program(name: &str) -> Result<PathBuf, Unavailable> {
    let path = find_programs()?.join(name);
    match path.is_file() {
        true => Ok(path),
        false => Err(Unavailable::new(format!(
            "{} is not there.",
            path.display()
        ))),
    }
}

/// A `pg_dump` for a server whose `server_version_num` this is: the one that comes with it, the one
/// that `UNDERPIN_TEST_PG_DUMP` names or the newest that is installed, where it is not older.
///
/// # Errors
///
/// When each is missing or older.
pub fn pg_dump(version: i32) -> Result<PathBuf, Unavailable> {
    let own = find_programs().ok();
    let own = own.map(|programs| programs.join("pg_dump"));
    let named = std::env::var_os("UNDERPIN_TEST_PG_DUMP").map(PathBuf::from);
    let installed = newest_installed().map(|programs| programs.join("pg_dump"));
    let mut found = [own, named, installed].into_iter().flatten();
    found
        .find(|program| major_of(program).is_some_and(|major| major >= version / 10_000))
        .ok_or_else(|| {
            let major = version / 10_000;
            Unavailable::new(format!("No pg_dump of version {major} or later was found."))
        })
}

/// The major version of a program of PostgreSQL.
fn major_of(program: &Path) -> Option<i32> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, version) = text.split_once("(PostgreSQL) ")?;
    let end = version.find(|letter: char| !letter.is_ascii_digit());
    version[..end.unwrap_or(version.len())].parse().ok()
}

/// The directory of the programs that servers are started with.
///
/// # Errors
///
/// When PostgreSQL is not installed here.
pub fn programs() -> Result<PathBuf, Unavailable> {
    find_programs()
}

fn find_programs() -> Result<PathBuf, Unavailable> {
    if let Some(directory) = std::env::var_os("UNDERPIN_TEST_POSTGRES_BIN") {
        let directory = PathBuf::from(directory);
        return match has_programs(&directory) {
            true => Ok(directory),
            false => Err(Unavailable::new(format!(
                "UNDERPIN_TEST_POSTGRES_BIN is {}, which does not contain initdb and postgres.",
                directory.display()
            ))),
        };
    }
    if let Some(directory) = newest_installed() {
        return Ok(directory);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .find(|directory| has_programs(directory))
        .ok_or_else(|| {
            Unavailable::new(
                "PostgreSQL's initdb and postgres are not installed, and \
                 UNDERPIN_TEST_POSTGRES_BIN is not set.",
            )
        })
}

/// The programs of the newest version that the system's packages have installed.
fn newest_installed() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql");
    let entries = versions.into_iter().flatten().flatten();
    let found = entries.filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((version, entry.path().join("bin")))
    });
    let newest = found.filter(|(_, directory)| has_programs(directory)).max();
    newest.map(|(_, directory)| directory)
}

fn has_programs(directory: &Path) -> bool {
    directory.join("initdb").is_file() && directory.join("postgres").is_file()
}
