//! What jetdb's errors mean to a caller.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use jetdb::{FileError, FormatError};
use underpin_core::{Class, Effect, Error, Result};

/// Runs work of jetdb on a file that may be damaged.
///
/// jetdb checks what it reads, and this crate checks pages before it passes them on. Should it panic
/// all the same, the file is as unreadable as if it had returned an error, and a panic must not
/// unwind into SQLite, which calls this code from C.
pub(crate) fn guarded<R>(work: impl FnOnce() -> Result<R, FileError>) -> Result<R, FileError> {
    let failed = FileError::InvalidTableDef {
        reason: "the bytes cannot be decoded",
    };
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(failed))
}

/// The error of a file that cannot be opened or read as a whole.
pub(crate) fn of_file(error: FileError, place: &str) -> Error {
    let (class, what, hint) = match &error {
        FileError::Io(io) => match io.kind() {
            ErrorKind::NotFound => (
                Class::Missing,
                format!("The Access file {place} does not exist."),
                from_the_root(place),
            ),
            ErrorKind::PermissionDenied => (
                Class::Permission,
                format!("The Access file {place} may not be read."),
                "Make it readable for the user that this program runs as.",
            ),
            ErrorKind::UnexpectedEof => (
                Class::Corrupt,
                format!("The Access file {place} ends within a page."),
                REPAIR,
            ),
            _ => (
                Class::Resource,
                format!("The Access file {place} cannot be read: {io}."),
                "Check the disk and the path.",
            ),
        },
        FileError::PasswordRequired => (
            Class::Auth,
            format!("The Access file {place} is encrypted, and no password was given."),
            "Set `password`, `password_file` or DB_PASSWORD.",
        ),
        FileError::InvalidPassword => (
            Class::Auth,
            format!("The password does not open the Access file {place}."),
            "Check `password`; capitals count.",
        ),
        FileError::UnsupportedEncryption { reason } => (
            Class::Unsupported,
            format!("The encryption of the Access file {place} is not supported: {reason}."),
            "Save a copy in Access without the password, or with that of a newer version.",
        ),
        FileError::FileTooSmall { .. }
        | FileError::Format(FormatError::InvalidSignature | FormatError::UnknownVersion(_)) => (
            Class::Corrupt,
            format!("The file {place} is not an Access database: {error}."),
            "Give the path of an .mdb or .accdb file.",
        ),
        _ => (
            Class::Corrupt,
            format!("The Access file {place} is damaged: {error}."),
            REPAIR,
        ),
    };
    Error::new(class, what)
        .with_effect(Effect::NotSent)
        .with_hint(hint)
        .with_source(error)
}

/// What to do where a path from the current directory was given and one from the root is there.
fn from_the_root(place: &str) -> &'static str {
    let path = Path::new(place);
    match path.is_relative() && Path::new("/").join(path).exists() {
        true => {
            "The path is taken from the current directory. Write access:/PATH, or four slashes, for \
             one from the root."
        }
        false => "Correct the path.",
    }
}

/// What to do about a damaged file.
pub(crate) const REPAIR: &str =
    "Repair the file in Access (Compact and Repair Database), or restore it from a backup.";
