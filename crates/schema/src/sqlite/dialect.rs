use underpin_core::{Result, TransactionOptions};

use super::{assemble, diff, dump, plan, statements};
use crate::{
    Catalog, Lock, RowEstimates, SchemaDialect, ScratchRules, ScriptRules, Selection, Statement,
    Use, Work,
};

/// The particulars of SQLite in reading, creating, comparing and changing schemas.
pub const DIALECT: SchemaDialect = SchemaDialect {
    catalog: Catalog {
        snapshot: TransactionOptions {
            isolation: None,
            read_only: true,
            deferrable: false,
        },
        prepare: None,
        statements: of_any_version,
        pipelined: false,
        assemble,
    },
    dump,
    diff,
    renames: None,
    plan,
    holds_others_up,
    same_name,
    first_namespace: "main",
    use_of,
    scratch: ScratchRules::Memory {
        url: "sqlite::memory:",
    },
    // A file that is not there is no empty database.
    creates_databases: true,
    script: ScriptRules {
        // The script has to end at the first error: what comes after may drop what was to
        // be copied. With foreign keys on, recreating a table would act on the rows that
        // refer to it.
        begin: &[".bail on", "PRAGMA foreign_keys = OFF;"],
        begin_in_parts: &[],
        before_commit: &[
            "-- Prints rows with broken references. If there are any, ROLLBACK.",
            "PRAGMA foreign_key_check;",
        ],
        end: &["PRAGMA foreign_keys = ON;"],
    },
    // The first number of each is that of the rows. ANALYZE makes the table.
    row_estimates: Some(RowEstimates {
        known: Some("SELECT count(*) FROM main.sqlite_schema WHERE name = 'sqlite_stat1'"),
        query: "SELECT 'main', tbl, max(CAST(stat AS INTEGER)) FROM sqlite_stat1 GROUP BY tbl",
    }),
    old_times: Some(super::old_times::OLD_TIMES),
};

fn of_any_version(_: i32, selection: &Selection) -> Result<Vec<Statement>> {
    Ok(statements(selection))
}

fn use_of(words: &[&str]) -> Use {
    match words {
        ["ATTACH" | "DETACH", ..] => Use::Refuse,
        ["VACUUM", rest @ ..] if rest.contains(&"INTO") => Use::Refuse,
        // The shell prints the engine's own tables too.
        ["CREATE", "TABLE", name, ..] if name.starts_with("SQLITE_") => Use::PassOver,
        _ => Use::Run,
    }
}

/// Capitals and small letters are not told apart.
fn same_name(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Every writer waits for every other, so that only work counts.
fn holds_others_up(lock: &Lock) -> bool {
    lock.work != Work::Catalog
}
