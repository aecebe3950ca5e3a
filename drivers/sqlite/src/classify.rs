//! The [`Class`] and the message of each of SQLite's result codes.

use rusqlite::{Connection, ffi};
use underpin_core::{Class, Code, Error, Stage};

use crate::constraint_name;
use crate::message::Told;

/// One result code. An extended code without an entry has that of its primary code.
struct Known {
    code: i32,
    class: Class,
    what: &'static str,
    hint: &'static str,
}

const fn known(code: i32, class: Class, what: &'static str, hint: &'static str) -> Known {
    Known {
        code,
        class,
        what,
        hint,
    }
}

const LATER: &str = "Try again later, or set a longer busy_timeout.";
const WHOLE: &str = "Run the whole transaction again.";
const DISK: &str = "Check the disk and the file's permissions.";
const BACKUP: &str =
    "Restore it from a backup, or recover what is left with `sqlite3 FILE .recover`.";
const TO_WRITER: &str = "Write through the writer, outside a read-only transaction, and check that the file and its directory are writable.";
const DEFECT: &str = "This is a defect of the driver or of a native call; please report it.";

/// Every code that SQLite documents as an error of a statement or of opening.
#[rustfmt::skip]
const TABLE: &[Known] = &[
    known(ffi::SQLITE_ERROR, Class::Syntax, "The statement cannot be run.", ""),
    known(ffi::SQLITE_ERROR_SNAPSHOT, Class::Conflict, "The snapshot no longer exists.", WHOLE),
    known(ffi::SQLITE_INTERNAL, Class::Server, "SQLite had an internal error.", ""),
    known(ffi::SQLITE_PERM, Class::Permission, "The database file may not be opened.", DISK),
    known(ffi::SQLITE_ABORT, Class::Canceled, "The statement was aborted.", ""),
    known(ffi::SQLITE_ABORT_ROLLBACK, Class::Canceled, "The statement was aborted by a rollback on the same connection.", WHOLE),
    known(ffi::SQLITE_BUSY, Class::Busy, "The database is locked by another connection.", LATER),
    known(ffi::SQLITE_BUSY_RECOVERY, Class::Busy, "Another process is recovering the database after a crash.", LATER),
    known(ffi::SQLITE_BUSY_SNAPSHOT, Class::Conflict, "Another connection has written since this transaction began to read, so it can no longer write.", WHOLE),
    known(ffi::SQLITE_BUSY_TIMEOUT, Class::Timeout { stage: Stage::Lock }, "The lock was not granted in time.", LATER),
    known(ffi::SQLITE_LOCKED, Class::Busy, "A table is in use by another statement.", LATER),
    known(ffi::SQLITE_NOMEM, Class::Resource, "There is not enough memory.", "Free memory, or read fewer rows at once."),
    known(ffi::SQLITE_READONLY, Class::ReadOnly, "The database cannot be written over this connection.", TO_WRITER),
    known(ffi::SQLITE_READONLY_DBMOVED, Class::Missing, "The database file was moved or deleted while it was open.", "Put it back, and open the connection again."),
    known(ffi::SQLITE_INTERRUPT, Class::Canceled, "The statement was interrupted.", ""),
    known(ffi::SQLITE_IOERR, Class::Resource, "The disk could not be read or written.", DISK),
    known(ffi::SQLITE_IOERR_NOMEM, Class::Resource, "There is not enough memory.", "Free memory, or read fewer rows at once."),
    known(ffi::SQLITE_IOERR_CORRUPTFS, Class::Corrupt, "The file system is damaged.", DISK),
    known(ffi::SQLITE_IOERR_DATA, Class::Corrupt, "A page of the database does not match its checksum.", BACKUP),
    known(ffi::SQLITE_CORRUPT, Class::Corrupt, "The database file is damaged.", BACKUP),
    known(ffi::SQLITE_CORRUPT_INDEX, Class::Corrupt, "An index of the database is damaged.", "Rebuild it with REINDEX."),
    known(ffi::SQLITE_NOTFOUND, Class::Unsupported, "SQLite does not know this operation.", ""),
    known(ffi::SQLITE_FULL, Class::Resource, "The disk that holds the database is full.", "Free space there; what was committed before is safe."),
    known(ffi::SQLITE_CANTOPEN, Class::Connect, "A file of the database cannot be opened.", DISK),
    known(ffi::SQLITE_CANTOPEN_ISDIR, Class::Config, "The path is a directory, not a database file.", "Use the path of the file."),
    known(ffi::SQLITE_CANTOPEN_SYMLINK, Class::Config, "The path is a symbolic link.", "Use the path of the file."),
    known(ffi::SQLITE_PROTOCOL, Class::Busy, "Too many connections requested the locks of the database at once.", LATER),
    known(ffi::SQLITE_SCHEMA, Class::Conflict, "The schema changed while the statement was prepared.", "Run the statement again."),
    known(ffi::SQLITE_TOOBIG, Class::Data, "A value or the statement is too long for SQLite.", "Split it."),
    known(ffi::SQLITE_CONSTRAINT, Class::Constraint, "A constraint forbids the row.", ""),
    known(ffi::SQLITE_CONSTRAINT_CHECK, Class::Constraint, "A check constraint forbids the row.", ""),
    known(ffi::SQLITE_CONSTRAINT_COMMITHOOK, Class::Constraint, "The commit hook refused the commit.", ""),
    known(ffi::SQLITE_CONSTRAINT_DATATYPE, Class::Data, "A value does not have the type of its column in a STRICT table.", ""),
    known(ffi::SQLITE_CONSTRAINT_FOREIGNKEY, Class::Constraint, "A foreign key forbids the change: the referenced row does not exist, or rows still refer to this one.", ""),
    known(ffi::SQLITE_CONSTRAINT_NOTNULL, Class::Constraint, "A column that must not be NULL would be NULL.", ""),
    known(ffi::SQLITE_CONSTRAINT_PRIMARYKEY, Class::Constraint, "A row with this primary key already exists.", ""),
    known(ffi::SQLITE_CONSTRAINT_ROWID, Class::Constraint, "A row with this rowid already exists.", ""),
    known(ffi::SQLITE_CONSTRAINT_TRIGGER, Class::Constraint, "A trigger forbids the change.", ""),
    known(ffi::SQLITE_CONSTRAINT_UNIQUE, Class::Constraint, "A row with this value already exists, but the value must be unique.", ""),
    known(ffi::SQLITE_MISMATCH, Class::Data, "A value does not have the required type.", ""),
    known(ffi::SQLITE_MISUSE, Class::Server, "SQLite was called incorrectly.", DEFECT),
    known(ffi::SQLITE_NOLFS, Class::Unsupported, "The file has grown beyond what this system can hold.", ""),
    known(ffi::SQLITE_AUTH, Class::Permission, "The connection's authorizer forbids the statement.", "With `attach` off, no statement opens a file but the database's own: leave out ATTACH and VACUUM INTO."),
    known(ffi::SQLITE_RANGE, Class::Data, "The statement has no parameter with this number.", ""),
    known(ffi::SQLITE_NOTADB, Class::Corrupt, "The file is not a SQLite database, or it is encrypted.", "Use the path of a SQLite database, or restore the file from a backup."),
];

/// Underpin's error for one of rusqlite's; `place` is the path of the file. The caller sets the
/// effect.
pub(crate) fn classify(error: rusqlite::Error, place: &str) -> Error {
    classify_on(None, error, place)
}

/// The same for an error of this connection, whose schema contains the names of constraints that
/// SQLite does not report.
pub(crate) fn classify_on(conn: Option<&Connection>, error: rusqlite::Error, place: &str) -> Error {
    let mut position = None;
    let (code, message) = match &error {
        rusqlite::Error::SqliteFailure(failure, message) => {
            (failure.extended_code, message.as_deref())
        }
        rusqlite::Error::SqlInputError {
            error,
            msg,
            sql,
            offset,
        } => {
            let before = usize::try_from(*offset)
                .ok()
                .and_then(|offset| sql.get(..offset));
            position = Some(before.map_or(0, |before| before.chars().count()) + 1);
            (error.extended_code, Some(msg.as_str()))
        }
        rusqlite::Error::MultipleStatement => return several_statements().with_source(error),
        rusqlite::Error::NulError(_) => {
            return Error::new(Class::Syntax, "The statement contains a NUL byte.")
                .with_source(error);
        }
        other => {
            let what = format!("The SQLite call on {place} failed: {other}.");
            return Error::new(Class::Server, what).with_source(error);
        }
    };
    let message = message.unwrap_or_else(|| ffi::code_to_str(code));
    let row = look_up(code);
    let told = Told::by(code, message);
    let at = position.map_or_else(String::new, |at| {
        format!(" (at character {at} of the statement)")
    });
    let text = format!("{} SQLite reports for {place}: {message}{at}.", row.what);
    let mut said =
        Error::new(told.class.unwrap_or(row.class), text).with_code(Code::from_number(code.into()));
    if let Some(name) = conn.and_then(|conn| constraint_name::find(conn, code, &told)) {
        said = said.with_constraint(name);
    }
    let too_many = told.class == Some(Class::Unsupported) && message.contains("variables");
    said = told.add_to(said);
    if too_many {
        said = said.with_hint(
            "Pass a list as one JSON text and read it by json_each($1), and insert rows with \
             bulk_insert.",
        );
    }
    if let Some(position) = position {
        said = said.with_position(position);
    }
    if !row.hint.is_empty() {
        said = said.with_hint(row.hint);
    }
    said.with_source(error)
}

fn look_up(code: i32) -> &'static Known {
    let find = |code| TABLE.iter().find(|row| row.code == code);
    find(code)
        .or_else(|| find(code & 0xff))
        .unwrap_or(&TABLE[0])
}

/// The error for more than one statement in a call that runs only one.
pub(crate) fn several_statements() -> Error {
    Error::new(
        Class::Syntax,
        "The text contains more than one statement, but only one can be run this way.",
    )
    .with_hint("Run them one by one, or together with `batch`.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(code: i32, message: &str) -> Error {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some(message.into()));
        classify(error, "/data/shop.db")
    }

    #[test]
    fn each_row_of_the_table_says_itself() {
        for row in TABLE {
            let error = failure(row.code, "the message");
            assert_eq!(error.class(), row.class, "{}", row.code);
            assert_eq!(error.code(), Some(&Code::from_number(row.code.into())));
            let text = error.to_string();
            assert!(text.starts_with(row.what) && text.ends_with('.'), "{text}");
            assert!(text.contains("/data/shop.db: the message."), "{text}");
            assert_eq!(error.hint().unwrap_or_default(), row.hint);
            let again = TABLE.iter().filter(|other| other.code == row.code).count();
            assert_eq!(again, 1, "{} is there twice", row.code);
        }
    }

    #[test]
    fn each_primary_code_has_a_row() {
        let informational = [27, 28];
        for code in (1..=26).filter(|code| !informational.contains(code)) {
            // 16 (EMPTY) and 24 (FORMAT) are not used by SQLite.
            if code != 16 && code != 24 {
                assert!(TABLE.iter().any(|row| row.code == code), "{code}");
            }
        }
    }

    #[test]
    fn unknown_extended_codes_are_their_primary_one() {
        assert_eq!(
            failure(ffi::SQLITE_IOERR_ACCESS, "x").class(),
            Class::Resource
        );
        assert_eq!(
            failure(ffi::SQLITE_LOCKED_SHAREDCACHE, "x").class(),
            Class::Busy
        );
        assert_eq!(
            failure(ffi::SQLITE_CONSTRAINT_VTAB, "x").class(),
            Class::Constraint
        );
        assert_eq!(
            failure(ffi::SQLITE_READONLY_DIRECTORY, "x").class(),
            Class::ReadOnly
        );
    }

    #[test]
    fn a_syntax_error_says_where() {
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        let error = conn.prepare("SELECT 'ä' FRM t").map(drop).unwrap_err();
        let error = classify(error, ":memory:");
        assert_eq!(error.class(), Class::Syntax);
        assert!(
            error
                .message()
                .contains("(at character 16 of the statement)"),
            "{error}"
        );
        let error = classify(
            conn.prepare("SELECT 1; SELECT 2").map(drop).unwrap_err(),
            ":memory:",
        );
        assert!(error.to_string().contains("`batch`"), "{error}");
    }
}
