use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use underpin_core::{Address, Class, Effect, Endpoint, Error, Result};

use crate::classify::classify;
use crate::filled::{Filling, Stop};
use crate::only_reads::OF_THE_WRITER;
use crate::options::Options;
use crate::pragmas::Baseline;
use crate::shared::Shared;

/// Number of SQLite's instructions between two checks of whether to stop.
const INSTRUCTIONS: i32 = 1000;

/// Opens the database and sets up the session.
pub(crate) fn open(
    endpoint: &Endpoint,
    options: &Options,
    filling: Option<&Filling>,
    shared: &Arc<Shared>,
) -> Result<(Connection, Option<FileIdentity>)> {
    let place = endpoint.to_string();
    if let Some(filling) = filling {
        let conn = open_filled(filling, options, shared, &place)?;
        return Ok((conn, None));
    }
    let path = match &endpoint.address {
        Address::Memory => None,
        Address::File(path) if path.as_os_str().is_empty() => {
            return Err(
                Error::new(Class::Config, "The path of the database file is empty.")
                    .with_hint("Set the path of a file, or :memory: for a database in memory."),
            );
        }
        Address::File(path) => Some(path.as_path()),
        _ => {
            return Err(Error::new(
                Class::Config,
                format!(
                    "{endpoint} is not an address of a SQLite database. It must be a file or :memory:."
                ),
            ));
        }
    };
    let in_memory = match path {
        None => Some(Connection::open_in_memory()),
        Some(name) if endpoint.address.is_memory() => {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_URI
                | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            Some(Connection::open_with_flags(name, flags))
        }
        Some(_) => None,
    };
    if let Some(opened) = in_memory {
        let mut conn = opened.map_err(|error| classify(error, &place))?;
        prepare(&mut conn, options, shared).map_err(|error| classify(error, &place))?;
        return Ok((conn, None));
    }
    let path = path.unwrap_or(Path::new(""));
    let conn =
        open_file(path, options, shared).map_err(|error| explain(error, path, options, shared))?;
    if options.writes() && conn.is_readonly("main").unwrap_or(false) {
        return Err(not_writable(path));
    }
    Ok((conn, FileIdentity::of(path)))
}

/// Opens a database in memory and fills it before the session is told to only read.
fn open_filled(
    filling: &Filling,
    options: &Options,
    shared: &Arc<Shared>,
    place: &str,
) -> Result<Connection> {
    let opened = Connection::open_in_memory();
    let mut conn = opened.map_err(|error| classify(error, place))?;
    filling.fill(&conn, &Stop::new(shared))?;
    prepare(&mut conn, options, shared).map_err(|error| classify(error, place))?;
    Ok(conn)
}

fn open_file(path: &Path, options: &Options, shared: &Arc<Shared>) -> rusqlite::Result<Connection> {
    let flags = match (options.writes(), options.create) {
        (true, true) => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        (true, false) => OpenFlags::SQLITE_OPEN_READ_WRITE,
        (false, _) => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let open = |path: &Path, flags: OpenFlags| {
        let mut conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        prepare(&mut conn, options, shared)?;
        Ok(conn)
    };
    if options.immutable
        && let Some(uri) = immutable_uri(path)
    {
        return open(Path::new(&uri), flags | OpenFlags::SQLITE_OPEN_URI);
    }
    match open(path, flags) {
        // To read a database in WAL mode, SQLite writes an index beside it, which is impossible on
        // a read-only file system. Nothing can change there, so no index is needed.
        Err(error) if !options.writes() && cannot_open(&error) && is_on_read_only_media(path) => {
            let uri = immutable_uri(path).ok_or(error)?;
            open(Path::new(&uri), flags | OpenFlags::SQLITE_OPEN_URI)
        }
        outcome => outcome,
    }
}

fn cannot_open(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::SystemIoFailure)
    )
}

fn is_on_read_only_media(path: &Path) -> bool {
    let opened = OpenOptions::new().append(true).open(path);
    opened.is_err_and(|error| error.kind() == ErrorKind::ReadOnlyFilesystem)
}

fn immutable_uri(path: &Path) -> Option<String> {
    let path = fs::canonicalize(path).ok()?;
    let encode = |c: char| match c {
        '%' => "%25".to_owned(),
        '?' => "%3f".to_owned(),
        '#' => "%23".to_owned(),
        c => c.to_string(),
    };
    let path: String = path.to_str()?.chars().map(encode).collect();
    Some(format!("file:{path}?immutable=1"))
}

/// Sets up a session after it is opened.
fn prepare(conn: &mut Connection, options: &Options, shared: &Arc<Shared>) -> rusqlite::Result<()> {
    install_handlers(conn, options.busy_timeout, shared)?;
    conn.set_prepared_statement_cache_capacity(options.statement_cache_size);
    // The first statement that reads the file: it detects files that are not databases.
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    if options.writes() && !conn.is_readonly("main")? {
        let mode: String = conn.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
        if mode != "wal" {
            let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
            if mode != "wal" && mode != "memory" {
                tracing::debug!(
                    mode,
                    "the database cannot use WAL mode; readers and the writer wait for each other"
                );
            }
        }
    }
    if !options.writes() {
        refuse_to_tell_of_writes(conn)?;
    }
    if !options.attach {
        refuse_other_files(conn)?;
    }
    settings(conn, options)
}

/// VACUUM attaches a temporary database, which has no name, and VACUUM INTO its file.
fn refuse_other_files(conn: &mut Connection) -> rusqlite::Result<()> {
    conn.authorizer(Some(|asked: AuthContext<'_>| match asked.action {
        AuthAction::Attach { filename: "" } => Authorization::Allow,
        AuthAction::Attach { .. }
        | AuthAction::Unknown {
            code: ffi::SQLITE_ATTACH,
            ..
        } => Authorization::Deny,
        _ => Authorization::Allow,
    }))
}

/// Refuses functions that report writes, since a connection that only reads has none.
fn refuse_to_tell_of_writes(conn: &Connection) -> rusqlite::Result<()> {
    for name in OF_THE_WRITER {
        let refuse = move |_: &Context<'_>| -> rusqlite::Result<i64> {
            let why = format!(
                "{name}() was called on a connection that only reads, but reports the writes of its \
                 own connection alone. Use RETURNING, or ask within the transaction that writes"
            );
            Err(rusqlite::Error::UserFunctionError(why.into()))
        };
        conn.create_scalar_function(name, 0, FunctionFlags::SQLITE_UTF8, refuse)?;
    }
    Ok(())
}

fn settings(conn: &Connection, options: &Options) -> rusqlite::Result<()> {
    conn.execute_batch("PRAGMA foreign_keys = ON; PRAGMA synchronous = NORMAL")?;
    if options.read_only {
        conn.execute_batch("PRAGMA query_only = ON")?;
    }
    Ok(())
}

/// Ends waiting for a lock, and running, when the job must stop.
fn install_handlers(
    conn: &mut Connection,
    busy_timeout: Duration,
    shared: &Arc<Shared>,
) -> rusqlite::Result<()> {
    let watched = Arc::clone(shared);
    conn.progress_handler(INSTRUCTIONS, Some(move || watched.is_stopped()))?;
    let watched = Arc::clone(shared);
    let mut since = Instant::now();
    conn.busy_handler(Some(move |times: i32| {
        if times == 0 {
            since = Instant::now();
        }
        let left = busy_timeout.saturating_sub(since.elapsed());
        if left.is_zero() || watched.is_stopped() {
            return false;
        }
        let pause = Duration::from_millis(match times {
            0 => 1,
            1 => 2,
            2 => 5,
            _ => 10,
        });
        std::thread::sleep(pause.min(left));
        true
    }))
}

/// Undoes changes that a holder may have made to the session: settings, attached databases,
/// temporary tables. Functions and collations that were added through the native client stay.
pub(crate) fn restore(
    conn: &mut Connection,
    options: &Options,
    baseline: Option<&Baseline>,
    shared: &Arc<Shared>,
    place: &str,
) -> Result<()> {
    let mut restored = || -> rusqlite::Result<Option<&str>> {
        conn.flush_prepared_statement_cache();
        conn.set_prepared_statement_cache_capacity(options.statement_cache_size);
        install_handlers(conn, options.busy_timeout, shared)?;
        conn.execute_batch(
            "PRAGMA query_only = OFF; PRAGMA writable_schema = OFF; PRAGMA foreign_keys = ON",
        )?;
        detach(conn)?;
        drop_temporary(conn)?;
        match baseline {
            Some(baseline) => baseline.restore(conn),
            None => Ok(Some("that was not read")),
        }
    };
    let missed = restored().map_err(|error| classify(error, place).with_effect(Effect::RolledBack));
    match missed? {
        None => Ok(()),
        Some(name) => Err(Error::new(
            Class::Closed,
            format!("The setting {name} of a connection to {place} could not be restored."),
        )
        .with_effect(Effect::RolledBack)),
    }
}

fn names(conn: &Connection, sql: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let mut stmt = conn.prepare(sql)?;
    stmt.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn detach(conn: &Connection) -> rusqlite::Result<()> {
    let attached = "SELECT '', name FROM pragma_database_list WHERE name NOT IN ('main', 'temp')";
    for (_, name) in names(conn, attached)? {
        conn.execute_batch(&format!("DETACH {}", quoted(&name)))?;
    }
    Ok(())
}

fn drop_temporary(conn: &Connection) -> rusqlite::Result<()> {
    // Views first, since they may name tables. Indexes and triggers are dropped with their tables,
    // except for a temporary trigger on a table that stays.
    let objects = "SELECT type, name FROM temp.sqlite_schema
        WHERE type IN ('table', 'view', 'trigger') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
        ORDER BY type DESC";
    for (kind, name) in names(conn, objects)? {
        conn.execute_batch(&format!("DROP {kind} IF EXISTS temp.{}", quoted(&name)))?;
    }
    Ok(())
}

/// Explains why the file could not be opened, by examining the file system.
fn explain(error: rusqlite::Error, path: &Path, options: &Options, shared: &Shared) -> Error {
    let place = path.display().to_string();
    let code = error.sqlite_error_code();
    let error = classify(error, &place);
    if shared.is_stopped()
        || !matches!(
            code,
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::SystemIoFailure)
        )
    {
        return error;
    }
    let say = |class, what: String, hint: &str| {
        Error::new(class, what)
            .with_code(
                error
                    .code()
                    .cloned()
                    .unwrap_or(underpin_core::Code::from_number(14)),
            )
            .with_hint(hint)
    };
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let said = if path.is_dir() {
        say(
            Class::Config,
            format!("{place} is a directory, but a SQLite database is a file."),
            "Use the path of the file.",
        )
    } else if !directory.exists() {
        let what = format!(
            "The directory {} of the database file {place} does not exist.",
            directory.display()
        );
        let usual = "Create the directory, or correct the path.";
        match from_the_root(path) {
            Some(hint) => say(Class::Missing, what, &hint),
            None => say(Class::Missing, what, usual),
        }
    } else if let Err(denied) = fs::metadata(path) {
        match denied.kind() {
            ErrorKind::NotFound if !(options.writes() && options.create) => {
                let what = format!("The database file {place} does not exist.");
                let usual = "Correct the path. To create the file, add ?mode=rwc to \
                             the URL, or set `create`.";
                match from_the_root(path) {
                    Some(hint) => say(Class::Missing, what, &hint),
                    None => say(Class::Missing, what, usual),
                }
            }
            ErrorKind::NotFound => {
                let what = format!("The database file {place} cannot be created in its directory.");
                say(
                    Class::Permission,
                    what,
                    "Make the directory writable for the user that this program runs as.",
                )
            }
            _ => say(
                Class::Permission,
                format!("The database file {place} cannot be reached: {denied}."),
                "Check the permissions of the directories above it.",
            ),
        }
    } else if options.writes() {
        return not_writable(path).with_source(error);
    } else {
        let what = format!(
            "The database file {place} cannot be read, or cannot be read without writing the journal beside it."
        );
        say(
            Class::Permission,
            what,
            "Make the file readable and its directory writable for the user that this program runs as.",
        )
    };
    said.with_source(error)
}

/// Advice if a relative path was given and the absolute one exists.
fn from_the_root(path: &Path) -> Option<String> {
    let absolute = Path::new("/").join(path);
    let is_there = absolute.exists()
        || absolute
            .parent()
            .is_some_and(|directory| directory != Path::new("/") && directory.is_dir());
    (path.is_relative() && is_there).then(|| {
        format!(
            "The path is relative to the current directory. If {0} is meant, write sqlite:{0}, or \
             four slashes: sqlite:///{0}.",
            absolute.display()
        )
    })
}

fn not_writable(path: &Path) -> Error {
    Error::new(
        Class::ReadOnly,
        format!("The database file {} or its directory cannot be written.", path.display()),
    )
    .with_hint("Make both writable for the user that this program runs as, or open the database with read_only.")
}

/// Identifies the file at a path, so that a replacement is noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileIdentity {
    path: std::path::PathBuf,
    #[cfg(unix)]
    inode: (u64, u64),
}

impl FileIdentity {
    pub(crate) fn of(path: &Path) -> Option<Self> {
        #[cfg(unix)]
        let inode = {
            use std::os::unix::fs::MetadataExt;
            let metadata = fs::metadata(path).ok()?;
            (metadata.dev(), metadata.ino())
        };
        #[cfg(not(unix))]
        fs::metadata(path).ok()?;
        Some(FileIdentity {
            path: path.to_owned(),
            #[cfg(unix)]
            inode,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a write-ahead log beside it.
    pub(crate) fn has_log(&self) -> bool {
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        Path::new(&log).exists()
    }

    /// Whether the path still leads to this file.
    pub(crate) fn is_there(&self) -> bool {
        FileIdentity::of(&self.path).is_some_and(|now| now == *self)
    }
}
