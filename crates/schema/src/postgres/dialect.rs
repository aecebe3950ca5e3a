use underpin_core::{Isolation, TransactionOptions};

use super::plan::{self, plan};
use super::{PREPARE, assemble, dump, statements};
use crate::{
    Catalog, Lock, LockMode, RowEstimates, SchemaDialect, ScratchRules, ScriptRules, ServerScratch,
    Use, diff,
};

/// The particulars of PostgreSQL in reading, creating, comparing and changing schemas.
pub const DIALECT: SchemaDialect = SchemaDialect {
    catalog: Catalog {
        snapshot: TransactionOptions {
            isolation: Some(Isolation::RepeatableRead),
            read_only: true,
            deferrable: false,
        },
        prepare: Some(PREPARE),
        statements,
        pipelined: true,
        assemble,
    },
    dump,
    diff,
    renames: Some(plan::renames),
    plan,
    holds_others_up,
    same_name,
    first_namespace: "public",
    use_of,
    scratch: ScratchRules::Server(ServerScratch {
        maintenance: "postgres",
        create: CREATE,
        drop: DROP,
        drop_unused: "SELECT format('DROP DATABASE IF EXISTS %I', $1::text)",
        unused: UNUSED,
        // Nothing in a scratch database has to outlive a crash of the server.
        session: &["SET synchronous_commit = off"],
        permission_hint: "Grant the user the right to create databases (ALTER ROLE … CREATEDB), or \
                          connect as a user with that right: changes of a schema are tried in a \
                          separate database.",
    }),
    creates_databases: false,
    script: ScriptRules {
        begin: &[],
        // The script has to end at the first error: what comes after may drop what was to
        // be copied.
        begin_in_parts: &["\\set ON_ERROR_STOP on"],
        before_commit: &[],
        end: &[],
    },
    // As counted when the server last looked: by ANALYZE or VACUUM.
    row_estimates: Some(RowEstimates {
        known: None,
        query: "SELECT n.nspname::text, c.relname::text, c.reltuples::int8
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND c.reltuples >= 0",
    }),
    old_times: None,
};

/// Locales that are not the C library's are left to the server's default.
const CREATE: &str = "
SELECT format('CREATE DATABASE %I TEMPLATE template0', $1::text)
       || CASE WHEN coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') = 'c'
               THEN format(' ENCODING %L LC_COLLATE %L LC_CTYPE %L',
                           pg_encoding_to_char(encoding), datcollate, datctype)
               ELSE '' END
FROM pg_database d WHERE datname = current_database()";

const DROP: &str = "
SELECT format('DROP DATABASE IF EXISTS %I', $1::text)
       || CASE WHEN current_setting('server_version_num')::int4 >= 130000
               THEN ' WITH (FORCE)' ELSE '' END";

const UNUSED: &str = "
SELECT datname::text FROM pg_database d
WHERE starts_with(datname::text, $1) AND pg_has_role(datdba, 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)";

/// Objects that are not in one database but on its server.
const BEYOND: [&str; 8] = [
    "DATABASE",
    "ROLE",
    "USER",
    "GROUP",
    "TABLESPACE",
    "SYSTEM",
    "SUBSCRIPTION",
    "OWNED",
];

fn use_of(words: &[&str]) -> Use {
    let last = words.len().saturating_sub(3);
    match words {
        ["CREATE" | "ALTER" | "DROP", "USER", "MAPPING", ..] => Use::Run,
        ["GRANT" | "REVOKE", rest @ ..] => granted(rest),
        // Of or to a file or program of the server.
        ["COPY", ..] => Use::Refuse,
        ["ALTER", "DEFAULT", "PRIVILEGES", ..] => Use::Access,
        ["CREATE" | "ALTER" | "DROP" | "REASSIGN", what, ..] if BEYOND.contains(what) => {
            Use::Refuse
        }
        ["COMMENT", "ON", what, ..] if BEYOND.contains(what) => Use::Refuse,
        ["ALTER", ..] if words[last..].starts_with(&["OWNER", "TO"]) => Use::Access,
        _ => Use::Run,
    }
}

/// Roles are granted on the whole server, and so are some privileges.
fn granted(words: &[&str]) -> Use {
    let on = words.iter().position(|word| *word == "ON");
    match on.and_then(|on| words.get(on + 1)) {
        None | Some(&("DATABASE" | "TABLESPACE" | "PARAMETER")) => Use::PassOver,
        Some(_) => Use::Access,
    }
}

fn same_name(one: &str, other: &str) -> bool {
    one == other
}

/// Writers wait from here on.
fn holds_others_up(lock: &Lock) -> bool {
    lock.mode >= LockMode::Share
}
