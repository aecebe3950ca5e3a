//! Debian's packages, unpacked into a directory: no root, no services, nothing installed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A directory into which packages are unpacked, and apt's own files for that.
#[derive(Debug)]
pub(crate) struct Packages {
    directory: PathBuf,
}

impl Packages {
    pub(crate) fn new(directory: PathBuf) -> Self {
        Packages { directory }
    }

    /// The directory that stands for `/`.
    pub(crate) fn root(&self) -> PathBuf {
        self.directory.join("root")
    }

    /// The directories of shared libraries that the unpacked programs may need.
    pub(crate) fn libraries(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.root().join("usr/lib"));
        entries
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.to_string_lossy().ends_with("-linux-gnu"))
            .collect()
    }

    /// Fetches packages and all that they need and this machine lacks, and unpacks them.
    ///
    /// # Errors
    ///
    /// When this is not Debian, when a package is not available, and when this machine's C library
    /// is too old for it: a program that is unpacked cannot bring another.
    pub(crate) fn unpack(&self, names: &[&str]) -> io::Result<()> {
        let (lists, cache) = (self.directory.join("lists"), self.directory.join("cache"));
        let files = self.directory.join("files");
        for directory in [
            &lists.join("partial"),
            &cache.join("archives/partial"),
            &files,
        ] {
            fs::create_dir_all(directory)?;
        }
        let apt = |arguments: &[&str]| {
            let mut command = Command::new("apt-get");
            command
                .arg("-qq")
                .args(["-o", &format!("Dir::State::lists={}", lists.display())])
                .args(["-o", &format!("Dir::Cache={}", cache.display())])
                .args(["-o", "APT::Sandbox::User="])
                .args(["-o", "Debug::NoLocking=1"])
                .args(arguments)
                .current_dir(&files);
            run(command)
        };
        apt(&["update"])?;
        let ask = ["install", "--print-uris", "-y", "--no-install-recommends"];
        let answer = apt(&[&ask, names].concat())?;
        let needed = packages_in(&String::from_utf8_lossy(&answer.stdout));
        if let Some(name) = needed.iter().find(|name| is_of_libc(name)) {
            return Err(io::Error::other(format!("another {name} would be needed")));
        }
        let mut download = vec!["download"];
        download.extend(needed.iter().map(String::as_str));
        apt(&download)?;
        for entry in fs::read_dir(&files)? {
            let mut command = Command::new("dpkg-deb");
            command.arg("-x").arg(entry?.path()).arg(self.root());
            run(command)?;
        }
        fs::remove_dir_all(&files)
    }
}

/// The names of the packages in what `apt-get --print-uris` prints: `'URI' NAME_VERSION_ARCH.deb …`.
fn packages_in(text: &str) -> Vec<String> {
    let files = text.lines().filter_map(|line| line.split(' ').nth(1));
    let names = files.filter_map(|file| file.split_once('_'));
    names.map(|(name, _)| name.to_owned()).collect()
}

fn is_of_libc(name: &str) -> bool {
    ["libc6", "libc-bin"].contains(&name)
}

/// Runs a command to its good end.
pub(crate) fn run(mut command: Command) -> io::Result<Output> {
    let output = command.output()?;
    match output.status.success() {
        true => Ok(output),
        false => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            let program = command.get_program().display().to_string();
            Err(io::Error::other(format!("{program}: {said}")))
        }
    }
}

/// Whether a directory of this path is open to every account of this machine, as it must be to the
/// one that a server runs as.
pub(crate) fn is_open_to_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.ancestors()
        .filter_map(|directory| fs::metadata(directory).ok())
        .all(|metadata| metadata.permissions().mode() & 0o001 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_are_those_that_apt_names() {
        let text = "'http://a/pool/e/etcd_3%2b4_amd64.deb' etcd-server_3+4_amd64.deb 8 MD5Sum:1\n\
                    'http://a/pool/p/pgbouncer_1_amd64.deb' pgbouncer_1_amd64.deb 8 \n";
        assert_eq!(packages_in(text), ["etcd-server", "pgbouncer"]);
    }
}
