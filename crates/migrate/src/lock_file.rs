use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use underpin_core::{Class, Error, Result};

/// The lock of a file, which one process at a time holds, and which the operating system frees when
/// that ends. Dropped, it is freed and the file removed.
#[derive(Debug)]
pub struct LockFile {
    file: File,
    path: PathBuf,
}

impl LockFile {
    /// Takes the lock of the file at `path`, which is created where it does not exist and removed at
    /// the end; `None` where another process holds it. While it is held, the file has the number of
    /// the process as text.
    ///
    /// # Errors
    /// [`Class::Resource`] for a file that cannot be opened or locked.
    pub fn try_take(path: &Path) -> Result<Option<LockFile>> {
        let unusable = |error: std::io::Error| {
            Error::new(
                Class::Resource,
                format!(
                    "The file {}, whose lock keeps two runs apart, cannot be used: {error}.",
                    path.display()
                ),
            )
            .with_hint("The directory of the database must be writable, as SQLite itself requires.")
        };
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        let file = opened.map_err(unusable)?;
        match file.try_lock() {
            // Who held it before may have removed it between our opening and our locking.
            Ok(()) if is_still(&file, path) => {
                // For those who wait; they can do without.
                let _ = file.set_len(0);
                let _ = write!(&file, "{}", std::process::id());
                Ok(Some(LockFile {
                    file,
                    path: path.to_owned(),
                }))
            }
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }
}

impl Drop for LockFile {
    fn drop(&mut self) {
        // Removed while it is held: who opened it meanwhile finds that it is another's.
        if REMOVES {
            let _ = std::fs::remove_file(&self.path);
        }
        let _ = self.file.unlock();
    }
}

/// Whether the file can be removed while it is locked, and be told from its successor.
const REMOVES: bool = cfg!(unix);

#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(ours), Ok(there)) => ours.dev() == there.dev() && ours.ino() == there.ino(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_still(_: &File, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_the_file_and_leaves_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("shop.db-underpin-lock");
        let held = LockFile::try_take(&path).unwrap().expect("it is free");
        assert!(LockFile::try_take(&path).unwrap().is_none());
        drop(held);
        assert!(LockFile::try_take(&path).unwrap().is_some());
        assert_eq!(path.exists(), !REMOVES);
    }

    #[test]
    fn a_removed_file_is_nobodys_lock() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let held = LockFile::try_take(&path).unwrap().expect("it is free");
        if REMOVES {
            let stale = File::open(&path).unwrap();
            drop(held);
            stale.try_lock().unwrap();
            assert!(!is_still(&stale, &path));
        }
    }
}
