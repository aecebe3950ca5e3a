//! What a server does with a database by and by leaves the schema as it is, and no value that is
//! private to the server is part of a schema.

use underpin::Database;
use underpin::schema::{Schema, Selection, introspect, postgres};
use underpin_testkit::{Postgres, or_skip};

use crate::beside::assert_same_dump;
use crate::compare::assert_same;
use crate::round_trip::{apply, connect};

const SQL: &str = "
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE t (id serial PRIMARY KEY, name text COLLATE \"C\" DEFAULT 'x', m mood DEFAULT 'ok', n integer NOT NULL DEFAULT 3,
    gone text, twice integer GENERATED ALWAYS AS (n * 2) STORED, CONSTRAINT positive CHECK (n > 0)) WITH (fillfactor = 70);
CREATE INDEX t_name ON t (lower(name), n DESC) WHERE n > 1;
CREATE STATISTICS pairs ON n, name FROM t;
CREATE TABLE u (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t integer REFERENCES t);
CREATE TABLE p (a integer NOT NULL, b text DEFAULT 'b', PRIMARY KEY (a)) PARTITION BY RANGE (a);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE child (own integer) INHERITS (u);
CREATE VIEW v AS SELECT id, name FROM t;
CREATE MATERIALIZED VIEW mv AS SELECT count(*) AS n FROM t;
CREATE INDEX mv_n ON mv (n);
CREATE FUNCTION f(a integer DEFAULT 1) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT a';
ALTER TABLE t ALTER name SET (n_distinct = -1);
INSERT INTO t (name) SELECT 'n' || g FROM generate_series(1, 200) g;
INSERT INTO u (t) SELECT id FROM t;
INSERT INTO p SELECT g FROM generate_series(1, 9) g;
";

/// After each, the schema is what it was.
const QUIET: &[&str] = &[
    "INSERT INTO t (name) VALUES ('more')",
    "UPDATE t SET name = name || '!'; DELETE FROM u WHERE id < 5",
    "SELECT nextval('t_id_seq'), setval('u_id_seq', 1000)",
    "ANALYZE",
    "VACUUM t",
    "VACUUM FULL t",
    "VACUUM (FREEZE, ANALYZE) p",
    "REINDEX TABLE t",
    "TRUNCATE u, child",
    "REFRESH MATERIALIZED VIEW mv",
    "ALTER TABLE t ADD later integer NOT NULL DEFAULT 7; ALTER TABLE t DROP later",
    "ALTER TABLE p ADD later text DEFAULT 'x'; ALTER TABLE p DROP later",
    "ALTER TABLE t ALTER n SET DEFAULT 4; ALTER TABLE t ALTER n SET DEFAULT 3",
    "ALTER TABLE t RENAME TO other; ALTER TABLE other RENAME TO t",
    "ALTER TABLE child SET UNLOGGED; ALTER TABLE child SET LOGGED",
    "ALTER TABLE t SET (fillfactor = 80); ALTER TABLE t SET (fillfactor = 70)",
    "CREATE OR REPLACE VIEW v AS SELECT id, name FROM t",
    "CREATE OR REPLACE FUNCTION f(a integer DEFAULT 1) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT a'",
    "CREATE TABLE brief (a integer); DROP TABLE brief",
    "BEGIN; ALTER TABLE t DROP name CASCADE; ROLLBACK",
    "ALTER TABLE p DETACH PARTITION p1; ALTER TABLE p ATTACH PARTITION p1 FOR VALUES FROM (0) TO (10)",
    "GRANT SELECT ON t TO PUBLIC; REVOKE SELECT ON t FROM PUBLIC",
    "COMMENT ON TABLE t IS 'x'; COMMENT ON TABLE t IS NULL",
];

/// After each, the schema is another one, which comes back from its dump.
const LASTING: &[&str] = &[
    "ALTER TABLE t ADD d1 integer NOT NULL DEFAULT 7, ADD d2 timestamptz DEFAULT now(), ADD d3 text DEFAULT 'a''b'",
    "ALTER TABLE p ADD late integer NOT NULL DEFAULT 5",
    "ALTER TABLE t ADD late text COLLATE \"C\" DEFAULT 'x'",
    "ALTER TABLE t DROP gone",
    "ALTER TABLE t ALTER d3 TYPE varchar(80)",
    "ALTER TABLE t ALTER d1 TYPE bigint",
    "ALTER TABLE t ALTER n SET STATISTICS 50; ANALYZE t",
    "ALTER TABLE t ALTER n SET STATISTICS -1; ANALYZE t",
    "CLUSTER t USING t_pkey; VACUUM FULL t",
    "ALTER TABLE t ADD CONSTRAINT later CHECK (n < 1000) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT later",
    "ALTER TYPE mood ADD VALUE 'glad' BEFORE 'ok'",
    "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20); ANALYZE p",
];

async fn read(db: &Database) -> Schema {
    introspect(db, &Selection::default()).await.unwrap()
}

#[tokio::test]
async fn what_a_server_does_meanwhile_is_no_difference() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("events");
    let db = connect(&place).await;
    db.batch(SQL).await.unwrap();
    let before = read(&db).await;
    assert!(before.unsupported.is_empty(), "{:?}", before.unsupported);
    assert!(
        before.unlisted_options.is_empty(),
        "{:?}",
        before.unlisted_options
    );
    for event in QUIET {
        run(&db, event).await;
        assert_same(event, &before, &read(&db).await, &[]);
    }
}

#[tokio::test]
async fn what_lasts_comes_back_from_a_dump() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("events");
    let db = connect(&place).await;
    let version = "SELECT current_setting('server_version_num')::int4";
    let version: i32 = db.query_scalar(version, ()).await.unwrap();
    db.batch(SQL).await.unwrap();
    let mut before = read(&db).await;
    for event in LASTING {
        run(&db, event).await;
        let schema = read(&db).await;
        assert!(schema != before, "{event}");
        let statements = postgres::dump(&schema).unwrap();
        let second = server.database("events");
        let elsewhere = connect(&second).await;
        apply(&elsewhere, event, &statements).await;
        assert_same(event, &schema, &read(&elsewhere).await, &statements);
        assert_same_dump(event, version, &place, &second);
        before = schema;
    }
}

/// Statement by statement where one may not be in a transaction.
async fn run(db: &Database, event: &str) {
    let lease = db.acquire().await.unwrap();
    for statement in event.split("; ") {
        lease.batch(statement).await.unwrap();
    }
}
