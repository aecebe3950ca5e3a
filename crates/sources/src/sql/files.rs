use std::fs;
use std::path::{Path, PathBuf};

use underpin_core::{Class, Error, Result};

/// A file of SQL, read.
pub(super) struct File {
    /// Its path, as errors name it.
    pub(super) name: String,
    pub(super) text: String,
}

/// How every SQLite database begins.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// Reads a file, or the `.sql` files of a directory and of those in it, in the order of their
/// paths. What begins with a dot is left out.
pub(super) fn read(path: &Path) -> Result<Vec<File>> {
    if !path.is_dir() {
        return Ok(vec![read_file(path)?]);
    }
    let mut paths = Vec::new();
    collect(path, &mut paths)?;
    paths.sort_unstable();
    if paths.is_empty() {
        return Err(Error::new(
            Class::Config,
            format!("There is no .sql file in the directory {}.", path.display()),
        ));
    }
    paths.iter().map(|path| read_file(path)).collect()
}

fn collect(directory: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let unreadable = |error| not_read(directory, &error);
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if hidden {
            continue;
        }
        let sql = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("sql"));
        if path.is_dir() {
            collect(&path, paths)?;
        } else if sql {
            paths.push(path);
        }
    }
    Ok(())
}

fn read_file(path: &Path) -> Result<File> {
    let name = path.display().to_string();
    let bytes = fs::read(path).map_err(|error| not_read(path, &error))?;
    if bytes.starts_with(SQLITE) {
        return Err(Error::new(
            Class::Config,
            format!("{name} is a SQLite database, not SQL."),
        )
        .with_hint(format!("Write sqlite:{name} to read its schema.")));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = &error.as_bytes()[..valid];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let message = format!("{name}, line {line}: the file is not UTF-8 text.");
        Error::new(Class::Config, message)
    })?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(text) => text.to_owned(),
        None => text,
    };
    Ok(File { name, text })
}

fn not_read(path: &Path, error: &std::io::Error) -> Error {
    let path = path.display();
    Error::new(Class::Config, format!("{path} cannot be read: {error}."))
}
