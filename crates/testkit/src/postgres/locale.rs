use std::process::{Command, Stdio};

use crate::unavailable::Unavailable;

/// Compiles a locale, such as `de_DE.UTF-8`, into a directory for `LOCPATH`.
pub(super) fn compile(name: &str) -> Result<tempfile::TempDir, Unavailable> {
    let (source, charset) = name.split_once('.').unwrap_or((name, "UTF-8"));
    let directory = tempfile::Builder::new()
        .prefix("underpin-locale-")
        .tempdir()
        .map_err(|error| Unavailable::new(format!("No locale can be compiled: {error}.")))?;
    let compiled = Command::new("localedef")
        .args(["--inputfile", source, "--charmap", charset, "--no-archive"])
        .arg(directory.path().join(name))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    // Its status is a failure for mere warnings, which nearly every locale has.
    if compiled.is_ok() && directory.path().join(name).join("LC_MESSAGES").is_dir() {
        return Ok(directory);
    }
    Err(Unavailable::new(format!(
        "The locale {name} cannot be compiled: localedef or its sources are not installed."
    )))
}
