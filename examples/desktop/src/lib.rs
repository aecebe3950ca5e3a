//! Notes in a SQLite file. The file is created, migrated and backed up by the program, since on a
//! desktop nobody else does.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use underpin::migrate::{Embedded, Migrator, embed_revisions};
use underpin::schema::{SchemaStatus, status};
use underpin::value::TimestampTz;
use underpin::{Class, Config, Database, Engine, Error, FromRow, Result};

static REVISIONS: &[Embedded] = embed_revisions!("revisions");

/// A note.
#[derive(Debug, FromRow)]
pub struct Note {
    /// Primary key.
    pub id: i64,
    /// The text.
    pub text: String,
    /// When it was written.
    pub written: TimestampTz,
}

/// The notes of a user: an open file.
#[derive(Debug)]
pub struct Notebook {
    db: Database,
    path: PathBuf,
}

impl Notebook {
    /// Opens the file, which is created if it does not exist, and brings its tables up to date.
    ///
    /// # Errors
    /// `Class::Unsupported` if a newer version of the program has written the file.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Notebook> {
        Notebook::open_with(path, REVISIONS).await
    }

    /// As [`open`](Notebook::open), with the revisions of another version of the program.
    ///
    /// # Errors
    /// As for [`open`](Notebook::open).
    pub async fn open_with(path: impl Into<PathBuf>, revisions: &[Embedded]) -> Result<Notebook> {
        let path = path.into();
        let config = Config::builder()
            .engine(Engine::SQLITE)
            .database(path.display().to_string())
            .create(true)
            .build()?;
        let notebook = Notebook {
            db: Database::connect(config).await?,
            path,
        };
        notebook.migrate(revisions).await?;
        Ok(notebook)
    }

    async fn migrate(&self, revisions: &[Embedded]) -> Result<()> {
        let migrator = Migrator::of(&self.db).embedded(revisions)?;
        match status(&self.db, &migrator, None).await? {
            SchemaStatus::UpToDate => Ok(()),
            SchemaStatus::Behind { .. } => migrator.up("heads").await.map(drop),
            other => Err(Error::new(
                Class::Unsupported,
                format!("{} cannot be opened: {other}", self.path.display()),
            )
            .with_hint("Install the newest version of the program.")),
        }
    }

    /// Adds a note and returns its id.
    ///
    /// # Errors
    /// The error of the insert.
    pub async fn add(&self, text: &str) -> Result<i64> {
        let now = TimestampTz::from(SystemTime::now());
        let sql = "INSERT INTO notes (text, written) VALUES ($1, $2) RETURNING id";
        self.db.query_scalar(sql, (text, now)).await
    }

    /// Returns the notes that contain a text, newest first.
    ///
    /// # Errors
    /// The error of the query.
    pub async fn find(&self, text: &str) -> Result<Vec<Note>> {
        let sql = "SELECT id, text, written FROM notes WHERE instr(text, $1) ORDER BY id DESC";
        self.db.query_as(sql, (text,)).await
    }

    /// Copies the notes to another file, while the program goes on.
    ///
    /// # Errors
    /// The error of the copy; the file must not exist.
    pub async fn back_up(&self, to: &Path) -> Result<()> {
        let to = to.display().to_string();
        // VACUUM runs on a connection of its own, outside of any transaction.
        let lease = self.db.acquire().await?;
        lease.execute("VACUUM INTO $1", (to,)).await.map(drop)
    }

    /// Closes the file. All data is in the one file then.
    ///
    /// # Errors
    /// `Class::Timeout` if a call is still under way after 5 s.
    pub async fn close(self) -> Result<()> {
        self.db.close(Duration::from_secs(5)).await
    }
}
