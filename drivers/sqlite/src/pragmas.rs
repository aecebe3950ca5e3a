//! The settings of SQLite's PRAGMAs, and the restoration of a session's original settings.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension};

/// The scope of a PRAGMA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// A setting of the connection.
    Session,
    /// A setting of the connection for each of its databases.
    Database,
    /// Data in the file, or a report about it or about SQLite: not part of a session.
    Stored,
    /// The same, and it only reports even with an argument.
    Looks,
    /// It performs an action, with or without an argument.
    Acts,
    /// A setting that cannot be read, and is off unless it was set.
    Unread,
    /// A setting of the whole process.
    Process,
}

use Scope::{Acts, Database, Looks, Process, Session, Stored, Unread};

/// All PRAGMAs that SQLite lists, except for those of debug builds.
// One line each is most readable.
#[rustfmt::skip]
const PRAGMAS: &[(&str, Scope)] = &[
    ("analysis_limit", Session),
    ("application_id", Stored),
    ("auto_vacuum", Stored),
    ("automatic_index", Session),
    // The busy handler, which is restored by itself, has its place.
    ("busy_timeout", Acts),
    ("cache_size", Database),
    ("cache_spill", Session),
    ("case_sensitive_like", Unread),
    ("cell_size_check", Session),
    ("checkpoint_fullfsync", Session),
    ("collation_list", Looks),
    ("compile_options", Looks),
    ("count_changes", Session),
    ("data_store_directory", Process),
    ("data_version", Stored),
    ("database_list", Looks),
    ("default_cache_size", Stored),
    ("defer_foreign_keys", Session),
    ("empty_result_callbacks", Session),
    ("encoding", Stored),
    ("foreign_key_check", Looks),
    ("foreign_key_list", Looks),
    ("foreign_keys", Session),
    ("freelist_count", Stored),
    ("full_column_names", Session),
    ("fullfsync", Session),
    ("function_list", Looks),
    ("hard_heap_limit", Process),
    ("ignore_check_constraints", Session),
    ("incremental_vacuum", Acts),
    ("index_info", Looks),
    ("index_list", Looks),
    ("index_xinfo", Looks),
    ("integrity_check", Looks),
    ("journal_mode", Database),
    ("journal_size_limit", Database),
    ("legacy_alter_table", Session),
    ("locking_mode", Database),
    ("max_page_count", Database),
    ("mmap_size", Database),
    ("module_list", Looks),
    ("optimize", Acts),
    ("page_count", Stored),
    ("page_size", Stored),
    ("pragma_list", Looks),
    ("query_only", Session),
    ("quick_check", Looks),
    ("read_uncommitted", Session),
    ("recursive_triggers", Session),
    ("reverse_unordered_selects", Session),
    ("schema_version", Stored),
    ("secure_delete", Database),
    ("short_column_names", Session),
    ("shrink_memory", Acts),
    ("soft_heap_limit", Process),
    ("synchronous", Database),
    ("table_info", Looks),
    ("table_list", Looks),
    ("table_xinfo", Looks),
    ("temp_store", Session),
    ("temp_store_directory", Process),
    ("threads", Session),
    ("trusted_schema", Session),
    ("user_version", Stored),
    ("wal_autocheckpoint", Session),
    ("wal_checkpoint", Acts),
    ("writable_schema", Session),
];

/// The scope of a PRAGMA. One that SQLite does not list does nothing, or belongs to a build that
/// has more; it is then assumed to perform an action.
pub(crate) fn scope(name: &str) -> Scope {
    let found = PRAGMAS.iter().find(|(known, _)| *known == name);
    found.map_or(Acts, |(_, scope)| *scope)
}

/// The settings of a session when it was opened.
#[derive(Debug, Clone, Default)]
pub(crate) struct Baseline(Vec<Setting>);

#[derive(Debug, Clone, PartialEq)]
struct Setting {
    /// With the database's name if each database has its own.
    name: String,
    value: Value,
}

impl Baseline {
    /// The current settings.
    pub(crate) fn read(conn: &Connection) -> rusqlite::Result<Baseline> {
        let mut settings = Vec::new();
        for (name, scope) in PRAGMAS {
            let names: Vec<String> = match scope {
                Session => vec![(*name).to_owned()],
                Database => ["main", "temp"].map(|of| format!("{of}.{name}")).into(),
                _ => continue,
            };
            for name in names {
                if let Some(value) = value_of(conn, &name)? {
                    settings.push(Setting { name, value });
                }
            }
        }
        Ok(Baseline(settings))
    }

    /// The same settings, with whether the connection refuses to write.
    pub(crate) fn with_query_only(mut self, on: bool) -> Self {
        for setting in &mut self.0 {
            if setting.name == "query_only" {
                setting.value = Value::Integer(i64::from(on));
            }
        }
        self
    }

    /// Restores these settings in the session, and returns the name of one that it did not accept.
    pub(crate) fn restore(&self, conn: &Connection) -> rusqlite::Result<Option<&str>> {
        for (name, scope) in PRAGMAS {
            if *scope == Unread {
                run(conn, &format!("PRAGMA {name} = OFF"))?;
            }
        }
        // It also applies to databases that are attached later; a read releases the locks.
        run(conn, "PRAGMA locking_mode = NORMAL")?;
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        for setting in &self.0 {
            let now = value_of(conn, &setting.name)?;
            let differs = now.as_ref() != Some(&setting.value) || setting.name == TEMPORARY_CACHE;
            if let Some(value) = setting.value().filter(|_| differs) {
                run(conn, &format!("PRAGMA {} = {value}", setting.name))?;
            }
        }
        // Moving temporary objects closes their database, and with it all settings of that
        // database.
        run(conn, "PRAGMA temp_store = FILE")?;
        run(conn, "PRAGMA temp_store = MEMORY")?;
        if let Some(value) = self.value("temp_store") {
            run(conn, &format!("PRAGMA temp_store = {value}"))?;
        }
        for setting in &self.0 {
            let now = value_of(conn, &setting.name)?;
            // If a file's journal mode was set, it stays so while other connections have the file
            // open.
            let stored = setting.name == "main.journal_mode"
                && now == Some(Value::Text("delete".to_owned()));
            if now.as_ref() != Some(&setting.value) && !stored {
                return Ok(Some(&setting.name));
            }
        }
        Ok(None)
    }
}

impl Baseline {
    fn value(&self, name: &str) -> Option<String> {
        let found = self.0.iter().find(|setting| setting.name == name);
        found?.value()
    }
}

impl Setting {
    fn value(&self) -> Option<String> {
        match &self.value {
            Value::Integer(number) => Some(number.to_string()),
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

fn value_of(conn: &Connection, name: &str) -> rusqlite::Result<Option<Value>> {
    let mut stmt = conn.prepare(&format!("PRAGMA {name}"))?;
    if stmt.column_count() == 0 {
        return Ok(None);
    }
    let value = stmt.query_row([], |row| row.get(0)).optional()?;
    Ok(match value {
        Some(Value::Integer(0)) if name == TEMPORARY_CACHE => Some(Value::Integer(USUAL_CACHE)),
        value => value,
    })
}

/// Has no size of its own before a temporary object exists.
const TEMPORARY_CACHE: &str = "temp.cache_size";
/// The size that SQLite then gives it, in negative kibibytes.
const USUAL_CACHE: i64 = -2000;

/// Runs a PRAGMA, and ignores its result.
fn run(conn: &Connection, sql: &str) -> rusqlite::Result<()> {
    let mut stmt = conn.prepare(sql)?;
    let mut rows = stmt.raw_query();
    while rows.next()?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_that_of_sqlite() {
        let conn = Connection::open_in_memory().unwrap();
        let mut stmt = conn.prepare("SELECT name FROM pragma_pragma_list").unwrap();
        let listed: Vec<String> = stmt
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        for name in &listed {
            let known = PRAGMAS.iter().any(|(known, _)| known == name);
            assert!(known, "{name} is not in the list");
        }
        let names: Vec<&str> = PRAGMAS.iter().map(|(name, _)| *name).collect();
        assert!(names.is_sorted());
    }

    #[test]
    fn a_session_gets_its_settings_back() {
        let conn = Connection::open_in_memory().unwrap();
        let baseline = Baseline::read(&conn).unwrap();
        run(&conn, "PRAGMA temp.cache_size = 7").unwrap();
        run(&conn, "PRAGMA threads = 3").unwrap();
        assert_ne!(Baseline::read(&conn).unwrap().0, baseline.0);
        assert_eq!(baseline.restore(&conn).unwrap(), None);
        assert_eq!(Baseline::read(&conn).unwrap().0, baseline.0);
    }
}
