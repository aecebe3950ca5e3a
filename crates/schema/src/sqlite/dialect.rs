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
        url: "sqlite::memory:?attach=off",
    },
    // A file that is not there is no empty database.
    creates_databases: true,
    script: ScriptRules {
        // The script has to end at the first error: what comes after may drop what was to
        // be copied. With foreign keys on, recreating a table would act on the rows that
        // refer to it.
        begin: &[
            ".bail on",
            "PRAGMA foreign_keys = OFF;",
            "-- The rows that refer to nothing already, and a table that takes none.",
            "CREATE TEMP TABLE underpin_orphans_before AS SELECT \"table\" AS child, parent, count(*) AS \
             count FROM pragma_foreign_key_check GROUP BY 1, 2;",
            "CREATE TEMP TABLE underpin_orphans_made (child, parent, count, \
             CONSTRAINT rows_would_refer_to_nothing CHECK (0));",
        ],
        begin_in_parts: &[],
        // The script ends here, and nothing is committed, where more rows refer to nothing.
        before_commit: &[
            "PRAGMA foreign_key_check;",
            "INSERT INTO temp.underpin_orphans_made SELECT now.* FROM (SELECT \"table\" AS child, parent, \
             count(*) AS count FROM pragma_foreign_key_check GROUP BY 1, 2) AS now LEFT JOIN \
             temp.underpin_orphans_before AS had ON had.child = now.child AND had.parent = now.parent \
             WHERE now.count > coalesce(had.count, 0);",
        ],
        end: &[
            "DROP TABLE temp.underpin_orphans_made;",
            "DROP TABLE temp.underpin_orphans_before;",
            "PRAGMA foreign_keys = ON;",
        ],
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
