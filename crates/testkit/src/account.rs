use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use crate::unavailable::Unavailable;

/// As whom servers run: most of them refuse to run as root.
#[derive(Debug)]
pub(crate) enum Account {
    /// As the test does.
    Own,
    /// As somebody else, since the test runs as root.
    Other { user: u32, group: u32 },
}

impl Account {
    /// The account named `postgres`, or failing that `nobody`, where the test runs as root.
    pub(crate) fn of_servers() -> Result<Self, Unavailable> {
        if !is_root() {
            return Ok(Account::Own);
        }
        Account::named("postgres")
            .or_else(|| Account::named("nobody"))
            .ok_or_else(|| {
                Unavailable::new(
                    "Database servers do not run as root, and there is no account named postgres.",
                )
            })
    }

    fn named(name: &str) -> Option<Self> {
        let number = |option| {
            let output = Command::new("id").args([option, name]).output().ok()?;
            String::from_utf8(output.stdout).ok()?.trim().parse().ok()
        };
        Some(Account::Other {
            user: number("-u")?,
            group: number("-g")?,
        })
    }

    /// A command that runs a shell as this account, with an environment that holds nothing of
    /// the test's but where programs and libraries are found.
    pub(crate) fn shell(&self) -> Command {
        let mut command = match self {
            Account::Own => Command::new("sh"),
            Account::Other { user, group } => {
                let mut command = Command::new("setpriv");
                command
                    .arg(format!("--reuid={user}"))
                    .arg(format!("--regid={group}"))
                    .args(["--clear-groups", "sh"]);
                command
            }
        };
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        command.env_clear().env("PATH", path).env("LC_ALL", "C");
        // Servers that were unpacked and not installed find their libraries by it.
        if let Some(libraries) = std::env::var_os("LD_LIBRARY_PATH") {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }

    /// Gives a file or directory to this account, for its eyes only.
    pub(crate) fn hand_over(&self, path: &Path) -> io::Result<()> {
        let mode = if path.is_dir() { 0o700 } else { 0o600 };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
        match self {
            Account::Own => Ok(()),
            Account::Other { user, group } => chown(path, Some(*user), Some(*group)),
        }
    }
}

pub(crate) fn is_root() -> bool {
    // The owner of this process's entry is the user who runs it; where there is no /proc, ask.
    match std::fs::metadata("/proc/self") {
        Ok(entry) => entry.uid() == 0,
        Err(_) => Command::new("id")
            .arg("-u")
            .output()
            .is_ok_and(|output| output.stdout.trim_ascii() == b"0"),
    }
}
