use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::unavailable::Unavailable;

/// Where the programs of PostgreSQL are, and as whom they may run.
#[derive(Debug)]
pub(super) struct Installation {
    pub(super) programs: PathBuf,
    account: Option<Account>,
}

/// The account that runs the server when the test runs as root, which PostgreSQL refuses.
#[derive(Debug)]
struct Account {
    user: u32,
    group: u32,
}

impl Installation {
    pub(super) fn find() -> Result<Self, Unavailable> {
        let programs = find_programs()?;
        let account = if is_root() {
            let account = Account::find("postgres").or_else(|| Account::find("nobody"));
            Some(account.ok_or_else(|| {
                Unavailable::new(
                    "PostgreSQL does not run as root, and there is no account named postgres.",
                )
            })?)
        } else {
            None
        };
        Ok(Installation { programs, account })
    }

    /// A command that runs a shell as the account that may run the server, with an environment
    /// that holds nothing of the test's.
    pub(super) fn shell(&self) -> Command {
        let mut command = match &self.account {
            Some(Account { user, group }) => {
                let mut command = Command::new("setpriv");
                command
                    .arg(format!("--reuid={user}"))
                    .arg(format!("--regid={group}"))
                    .args(["--clear-groups", "sh"]);
                command
            }
            None => Command::new("sh"),
        };
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        command.env_clear().env("PATH", path).env("LC_ALL", "C");
        command
    }

    /// Gives a file or directory to the account that runs the server, for its eyes only.
    pub(super) fn hand_over(&self, path: &Path) -> io::Result<()> {
        let mode = if path.is_dir() { 0o700 } else { 0o600 };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
        match &self.account {
            Some(Account { user, group }) => chown(path, Some(*user), Some(*group)),
            None => Ok(()),
        }
    }
}

impl Account {
    fn find(name: &str) -> Option<Self> {
        let number = |option| {
            let output = Command::new("id").args([option, name]).output().ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        Some(Account {
            user: number("-u")?,
            group: number("-g")?,
        })
    }
}

pub(crate) fn is_root() -> bool {
    // The owner of this process's entry is whoever runs it; where there is no /proc, ask.
    match std::fs::metadata("/proc/self") {
        Ok(entry) => entry.uid() == 0,
        Err(_) => Command::new("id")
            .arg("-u")
            .output()
            .is_ok_and(|output| output.stdout.trim_ascii() == b"0"),
    }
}

fn find_programs() -> Result<PathBuf, Unavailable> {
    if let Some(directory) = std::env::var_os("UNDERPIN_TEST_POSTGRES_BIN") {
        let directory = PathBuf::from(directory);
        return match has_programs(&directory) {
            true => Ok(directory),
            false => Err(Unavailable::new(format!(
                "UNDERPIN_TEST_POSTGRES_BIN is {}, which holds no initdb and postgres.",
                directory.display()
            ))),
        };
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql");
    let newest = versions
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, directory)| has_programs(directory))
        .max();
    if let Some((_, directory)) = newest {
        return Ok(directory);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .find(|directory| has_programs(directory))
        .ok_or_else(|| {
            Unavailable::new(
                "PostgreSQL's initdb and postgres are not installed here, and \
                 UNDERPIN_TEST_POSTGRES_BIN does not say where else they are.",
            )
        })
}

fn has_programs(directory: &Path) -> bool {
    directory.join("initdb").is_file() && directory.join("postgres").is_file()
}
