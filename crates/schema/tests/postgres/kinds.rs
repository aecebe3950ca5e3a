//! `docs/guide/src/reference/kinds.md` says what is done with each kind of object, and it is so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use underpin::Database;
use underpin::schema::{AccessCompared, Hints, Schema, Selection, diff, introspect, postgres};
use underpin_testkit::{Postgres, or_skip};

use crate::compare::assert_same;
use crate::round_trip::{apply, connect};

/// What is needed first, and the statements that make one of each kind.
const KINDS: &[(&str, &str, &str)] = &[
    (
        "CREATE ACCESS METHOD",
        "",
        "CREATE ACCESS METHOD k TYPE INDEX HANDLER bthandler",
    ),
    (
        "CREATE AGGREGATE",
        "",
        "CREATE AGGREGATE k (integer) (SFUNC = int4pl, STYPE = integer)",
    ),
    (
        "CREATE CAST",
        "CREATE TYPE s AS ENUM ('a'); CREATE FUNCTION f(s) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1'",
        "CREATE CAST (s AS integer) WITH FUNCTION f(s)",
    ),
    (
        "CREATE COLLATION",
        "",
        "CREATE COLLATION k (provider = libc, locale = 'C')",
    ),
    (
        "CREATE CONSTRAINT TRIGGER",
        TRIGGER,
        "CREATE CONSTRAINT TRIGGER k AFTER INSERT ON t DEFERRABLE FOR EACH ROW EXECUTE FUNCTION f()",
    ),
    (
        "CREATE CONVERSION",
        "",
        "CREATE CONVERSION k FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
    ),
    (
        "CREATE DOMAIN",
        "",
        "CREATE DOMAIN k AS integer CHECK (VALUE > 0)",
    ),
    (
        "CREATE EVENT TRIGGER",
        "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
        "CREATE EVENT TRIGGER underpin_k ON ddl_command_end EXECUTE FUNCTION f()",
    ),
    ("CREATE EXTENSION", "", "CREATE EXTENSION citext"),
    (
        "CREATE FOREIGN DATA WRAPPER",
        "",
        "CREATE FOREIGN DATA WRAPPER k",
    ),
    (
        "CREATE FOREIGN TABLE",
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w",
        "CREATE FOREIGN TABLE k (a integer) SERVER s",
    ),
    (
        "CREATE FUNCTION",
        "",
        "CREATE FUNCTION k() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    ),
    (
        "CREATE INDEX",
        "CREATE TABLE t (a integer)",
        "CREATE INDEX k ON t (a)",
    ),
    (
        "CREATE LANGUAGE",
        "",
        "CREATE LANGUAGE k HANDLER plpgsql_call_handler",
    ),
    (
        "CREATE MATERIALIZED VIEW",
        "",
        "CREATE MATERIALIZED VIEW k AS SELECT 1 AS a",
    ),
    (
        "CREATE OPERATOR",
        "",
        "CREATE OPERATOR === (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4eq)",
    ),
    (
        "CREATE OPERATOR CLASS",
        "",
        "CREATE OPERATOR CLASS k FOR TYPE integer USING hash AS OPERATOR 1 =, FUNCTION 1 hashint4(integer)",
    ),
    (
        "CREATE OPERATOR FAMILY",
        "",
        "CREATE OPERATOR FAMILY k USING btree",
    ),
    (
        "CREATE POLICY",
        "CREATE TABLE t (a integer)",
        "CREATE POLICY k ON t USING (a > 0)",
    ),
    (
        "CREATE PROCEDURE",
        "",
        "CREATE PROCEDURE k() LANGUAGE sql AS 'SELECT 1'",
    ),
    (
        "CREATE PUBLICATION",
        "CREATE TABLE t (a integer)",
        "CREATE PUBLICATION k FOR TABLE t",
    ),
    (
        "CREATE RECURSIVE VIEW",
        "",
        "CREATE RECURSIVE VIEW k (a) AS SELECT 1 UNION ALL SELECT a + 1 FROM k WHERE a < 5",
    ),
    (
        "CREATE RULE",
        "CREATE TABLE t (a integer)",
        "CREATE RULE k AS ON DELETE TO t DO INSTEAD NOTHING",
    ),
    ("CREATE SCHEMA", "", "CREATE SCHEMA k"),
    ("CREATE SEQUENCE", "", "CREATE SEQUENCE k"),
    (
        "CREATE SERVER",
        "CREATE FOREIGN DATA WRAPPER w",
        "CREATE SERVER k FOREIGN DATA WRAPPER w",
    ),
    (
        "CREATE STATISTICS",
        "CREATE TABLE t (a integer, b integer)",
        "CREATE STATISTICS k ON a, b FROM t",
    ),
    (
        "CREATE SUBSCRIPTION",
        "",
        "CREATE SUBSCRIPTION k CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false, slot_name = NONE)",
    ),
    (
        "CREATE TABLE",
        "",
        "CREATE TABLE k (a integer DEFAULT 1 CHECK (a > 0))",
    ),
    ("CREATE TABLE … AS", "", "CREATE TABLE k AS SELECT 1 AS a"),
    (
        "CREATE TABLE … INHERITS",
        "CREATE TABLE t (a integer)",
        "CREATE TABLE k () INHERITS (t)",
    ),
    (
        "CREATE TABLE … OF",
        "CREATE TYPE s AS (a integer)",
        "CREATE TABLE k OF s",
    ),
    (
        "CREATE TABLE … PARTITION BY",
        "",
        "CREATE TABLE k (a integer) PARTITION BY LIST (a)",
    ),
    (
        "CREATE TABLE … PARTITION OF",
        "CREATE TABLE t (a integer) PARTITION BY LIST (a)",
        "CREATE TABLE k PARTITION OF t FOR VALUES IN (1)",
    ),
    (
        "CREATE TEMPORARY TABLE",
        "",
        "CREATE TEMPORARY TABLE k (a integer)",
    ),
    (
        "CREATE TEXT SEARCH CONFIGURATION",
        "",
        "CREATE TEXT SEARCH CONFIGURATION k (COPY = simple)",
    ),
    (
        "CREATE TEXT SEARCH DICTIONARY",
        "",
        "CREATE TEXT SEARCH DICTIONARY k (TEMPLATE = simple)",
    ),
    (
        "CREATE TEXT SEARCH PARSER",
        "",
        "CREATE TEXT SEARCH PARSER k (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype)",
    ),
    (
        "CREATE TEXT SEARCH TEMPLATE",
        "",
        "CREATE TEXT SEARCH TEMPLATE k (LEXIZE = dsimple_lexize)",
    ),
    (
        "CREATE TRANSFORM",
        "",
        "CREATE TRANSFORM FOR integer LANGUAGE plpgsql (FROM SQL WITH FUNCTION prsd_lextype(internal))",
    ),
    (
        "CREATE TRIGGER",
        TRIGGER,
        "CREATE TRIGGER k BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
    ),
    ("CREATE TYPE", "", "CREATE TYPE k"),
    (
        "CREATE TYPE … (INPUT, OUTPUT)",
        "CREATE TYPE k;
         CREATE FUNCTION k_in(cstring) RETURNS k LANGUAGE internal IMMUTABLE STRICT AS 'textin';
         CREATE FUNCTION k_out(k) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout'",
        "CREATE TYPE k (INPUT = k_in, OUTPUT = k_out)",
    ),
    ("CREATE TYPE … AS", "", "CREATE TYPE k AS (a integer)"),
    ("CREATE TYPE … AS ENUM", "", "CREATE TYPE k AS ENUM ('a')"),
    (
        "CREATE TYPE … AS RANGE",
        "",
        "CREATE TYPE k AS RANGE (SUBTYPE = date)",
    ),
    (
        "CREATE UNLOGGED TABLE",
        "",
        "CREATE UNLOGGED TABLE k (a integer)",
    ),
    (
        "CREATE USER MAPPING",
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w",
        "CREATE USER MAPPING FOR PUBLIC SERVER s",
    ),
    ("CREATE VIEW", "", "CREATE VIEW k AS SELECT 1 AS a"),
    (
        "ALTER DEFAULT PRIVILEGES",
        "",
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
    ),
    ("lo_create", "", "SELECT lo_create(4711)"),
];

const TRIGGER: &str = "CREATE TABLE t (a integer);
    CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'";

/// Leaves nothing behind but what every database has.
const EMPTY: &str = "
ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM PUBLIC;
DO $$ DECLARE n text; BEGIN
  FOR n IN
    SELECT format('DROP EVENT TRIGGER %I', evtname) FROM pg_event_trigger WHERE evtname LIKE 'underpin%'
    UNION ALL SELECT format('DROP EXTENSION %I CASCADE', extname) FROM pg_extension WHERE extname <> 'plpgsql'
    UNION ALL SELECT format('DROP PUBLICATION %I', pubname) FROM pg_publication
    UNION ALL SELECT format('DROP FOREIGN DATA WRAPPER %I CASCADE', fdwname) FROM pg_foreign_data_wrapper
    UNION ALL SELECT format('DROP TRANSFORM FOR %s LANGUAGE %I', format_type(t.trftype, NULL), l.lanname)
      FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang
    UNION ALL SELECT format('DROP LANGUAGE %I CASCADE', lanname) FROM pg_language WHERE lanname = 'k'
    UNION ALL SELECT format('DROP ACCESS METHOD %I CASCADE', amname) FROM pg_am WHERE oid >= 16384
    UNION ALL SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace
      WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
  LOOP EXECUTE n; END LOOP;
  PERFORM lo_unlink(oid) FROM pg_largeobject_metadata;
END $$;
CREATE SCHEMA public;
COMMENT ON SCHEMA public IS 'standard public schema'";

/// The rows of the table: what is done with a kind, and its catalogs.
fn documented() -> BTreeMap<String, (String, Vec<String>)> {
    let path = "../../docs/guide/src/reference/kinds.md";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.map(|row| {
        let parts: Vec<&str> = row.split('|').map(str::trim).collect();
        let bare = |text: &str| text.trim_matches('`').to_owned();
        let catalogs = parts[2].split(", ").map(bare).collect();
        (bare(parts[0]), (parts[1].to_owned(), catalogs))
    });
    rows.collect()
}

async fn read(db: &Database) -> Schema {
    introspect(db, &Selection::default()).await.unwrap()
}

/// The word of the page for what happened to an object.
async fn handled(
    name: &str,
    before: &Schema,
    after: &Schema,
    elsewhere: &Database,
) -> &'static str {
    let seen = diff(before, after, &Hints::default());
    if before.unsupported != after.unsupported {
        assert_eq!(seen.changes, [], "{name}");
        assert!(!seen.unsupported.is_empty(), "{name}");
        return "fingerprint";
    }
    let hints = Hints {
        access: AccessCompared::Always,
        ..Hints::default()
    };
    if diff(before, after, &hints).changes.is_empty() {
        assert_eq!(before, after, "{name}");
        return "left out";
    }
    let statements = postgres::dump(after).unwrap();
    apply(elsewhere, name, &statements).await;
    assert_same(name, after, &read(elsewhere).await, &statements);
    "carried"
}

#[tokio::test]
async fn what_the_page_says_of_each_kind_is_so() {
    let server = or_skip!(Postgres::shared());
    let documented = documented();
    let named: BTreeSet<&str> = KINDS.iter().map(|(name, ..)| *name).collect();
    let on_the_page: BTreeSet<&str> = documented.keys().map(String::as_str).collect();
    assert_eq!(named, on_the_page);
    assert_eq!(named.len(), 51);
    let mut wrong = Vec::new();
    let (place, other) = (server.database("kinds"), server.database("kinds"));
    let (db, elsewhere) = (connect(&place).await, connect(&other).await);
    for (name, first, statement) in KINDS {
        db.batch(EMPTY).await.unwrap();
        elsewhere.batch(EMPTY).await.unwrap();
        if *name == "CREATE EXTENSION" {
            let sql = "SELECT count(*) FROM pg_available_extensions WHERE name = 'citext'";
            let available: i64 = db.query_scalar(sql, ()).await.unwrap();
            if available == 0 {
                println!("citext is not installed");
                continue;
            }
        }
        db.batch(first).await.unwrap();
        let before = read(&db).await;
        if let Err(error) = db.batch(statement).await {
            wrong.push(format!("{name}: {error}"));
            continue;
        }
        let after = read(&db).await;
        let handled = handled(name, &before, &after, &elsewhere).await;
        if handled != documented[*name].0 {
            wrong.push(format!("{name} is {handled}, not {}", documented[*name].0));
        }
        if *name == "CREATE SUBSCRIPTION" {
            db.batch("DROP SUBSCRIPTION k").await.unwrap();
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The server's own list of what has an identity in a database.
#[tokio::test]
async fn the_page_has_every_catalog_of_the_server() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("kinds");
    let db = connect(&place).await;
    let sql = "SELECT array_agg(c.relname::text) FROM pg_class c
        WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r' AND NOT c.relisshared
          AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'oid')";
    let catalogs: Vec<String> = db.query_scalar(sql, ()).await.unwrap();
    let documented = documented();
    let known: BTreeSet<&String> = documented.values().flat_map(|(_, of)| of).collect();
    let missing = catalogs.iter().filter(|name| !known.contains(name));
    let none: [&String; 0] = [];
    assert_eq!(missing.collect::<Vec<_>>(), none);
    assert!(catalogs.len() > 30, "{catalogs:?}");
}
