use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::account::is_root;
use crate::attendant::Attendant;
use crate::unavailable::Unavailable;

/// The first bytes of the file, which say that it is a SQLite database and how it is laid out.
const HEADER_BYTES: usize = 100;

/// Mounts a file system, says so, and unmounts it when its input ends. The directory is `$1`; the
/// rest are the arguments of `mount`.
const MOUNT: &str = r#"
    trap '' HUP PIPE
    directory=$1
    shift
    mount "$@" "$directory" 2>/dev/null && echo "done" || { echo "refused"; exit 1; }
    while read -r order; do
        case $order in
        remount-read-only) mount -o remount,bind,ro "$directory" 2>/dev/null && echo "done" || echo "refused" ;;
        esac
    done
    umount -l "$directory"
"#;

/// A place for one SQLite database: a path in a directory of its own, which is removed with this
/// value. The file does not exist until something creates it.
#[derive(Debug)]
pub struct SqliteFile {
    // Unmounted before the directory below it is removed.
    mount: Option<Attendant>,
    directory: TempDir,
    protected: bool,
}

impl SqliteFile {
    /// A new place, on the disk of the system's temporary directory.
    ///
    /// # Panics
    ///
    /// When no directory can be made there.
    pub fn new() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("underpin-sqlite-")
            .tempdir()
            .expect("A temporary directory for a SQLite database must be made.");
        SqliteFile {
            mount: None,
            directory,
            protected: false,
        }
    }

    /// A new place on a file system that holds this many bytes and no more, so that it can be
    /// filled. Only root may mount one.
    pub fn small_tmpfs(bytes: u64) -> Result<Self, Unavailable> {
        let mut file = Self::new();
        file.mount(&["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])?;
        Ok(file)
    }

    /// The path of the database.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("test.db")
    }

    /// The directory of the database, in which SQLite also keeps its journal.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The URL of the database: `sqlite:///` and the absolute path. The file is created where it
    /// does not exist.
    pub fn url(&self) -> String {
        format!("{}?mode=rwc", self.url_of_a_file())
    }

    /// The same for a file that exists.
    pub fn url_of_a_file(&self) -> String {
        format!("sqlite:///{}", self.path().display())
    }

    /// Overwrites all of the file but its header, and removes the journals that could repair it:
    /// SQLite opens it, and finds it malformed (`SQLITE_CORRUPT`) once it reads.
    ///
    /// # Panics
    ///
    /// When the file does not exist.
    pub fn corrupt(&self) {
        self.overwrite(HEADER_BYTES, usize::MAX);
    }

    /// Overwrites the header: SQLite finds that this is not a database (`SQLITE_NOTADB`).
    ///
    /// # Panics
    ///
    /// When the file does not exist.
    pub fn replace_header(&self) {
        self.overwrite(0, HEADER_BYTES);
    }

    /// Makes the file and its directory read-only, until this value is dropped. For root, whom
    /// permissions do not stop, that takes a mount, which may be forbidden.
    ///
    /// # Panics
    ///
    /// When the file does not exist.
    pub fn read_only(&mut self) -> Result<(), Unavailable> {
        assert!(
            self.path().exists(),
            "A database must exist before it is made read-only."
        );
        if is_root() {
            if self.mount.is_none() {
                let place = self.directory.path().to_string_lossy().into_owned();
                self.mount(&["--bind", &place])?;
            }
            let answer = self
                .mount
                .as_mut()
                .map(|mount| mount.ask("remount-read-only"));
            return match answer {
                Some(Ok(answer)) if answer == "done" => Ok(()),
                _ => Err(Unavailable::new(
                    "This system does not let root mount a directory read-only.",
                )),
            };
        }
        self.protected = true;
        self.set_modes(0o444, 0o555)
            .map_err(|error| Unavailable::new(format!("Permissions cannot be set: {error}.")))
    }

    fn mount(&mut self, arguments: &[&str]) -> Result<(), Unavailable> {
        if !is_root() {
            return Err(Unavailable::new("Only root may mount a file system."));
        }
        let mut shell = Command::new("sh");
        shell
            .args(["-c", MOUNT, "mount"])
            .arg(self.directory.path())
            .args(arguments);
        let answer = Attendant::start(shell).and_then(|mut attendant| {
            let answer = attendant.answer()?;
            self.mount = Some(attendant);
            Ok(answer)
        });
        match answer {
            Ok(answer) if answer == "done" => Ok(()),
            _ => {
                self.mount = None;
                Err(Unavailable::new(
                    "This system does not let root mount a file system.",
                ))
            }
        }
    }

    fn overwrite(&self, from: usize, to: usize) {
        let path = self.path();
        let damage = || -> io::Result<()> {
            let mut bytes = fs::read(&path)?;
            let end = to.min(bytes.len());
            bytes[from.min(end)..end].fill(0xA5);
            fs::write(&path, bytes)?;
            for suffix in ["-wal", "-shm", "-journal"] {
                let _ = fs::remove_file(self.directory.path().join(format!("test.db{suffix}")));
            }
            Ok(())
        };
        damage().unwrap_or_else(|error| {
            panic!(
                "The database {} cannot be damaged: {error}.",
                path.display()
            )
        });
    }

    fn set_modes(&self, file: u32, directory: u32) -> io::Result<()> {
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
        set(&self.path(), file)?;
        set(self.directory.path(), directory)
    }
}

impl Default for SqliteFile {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for SqliteFile {
    fn drop(&mut self) {
        if self.protected {
            let _ = fs::set_permissions(self.directory.path(), fs::Permissions::from_mode(0o755));
        }
    }
}
