//! How files are read: by the operating system, or by what a caller gives in its place.

use std::io;
use std::path::Path;

use underpin_core::{Class, Error};

/// Reads the text of a file.
pub(crate) type ReadFile = dyn Fn(&Path) -> io::Result<String> + Send + Sync;

/// Reads a file by the operating system.
pub(crate) fn read_file(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path)
}

/// The error for a file that cannot be read.
pub(crate) fn unreadable(path: &Path, error: io::Error) -> Error {
    let message = format!("The file {} cannot be read: {error}.", path.display());
    Error::new(Class::Config, message)
        .with_hint("Check that it exists and that this user may read it.")
        .with_source(error)
}
