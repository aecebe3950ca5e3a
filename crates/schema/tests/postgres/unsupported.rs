//! What a schema cannot carry is named.

use underpin::schema::{Selection, introspect};
use underpin_testkit::{Postgres, or_skip};

use crate::round_trip::connect;

const SQL: &str = "
CREATE TYPE address AS (street text, city text);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE TABLE t (id int PRIMARY KEY, note text, words tsvector);
ALTER TABLE t ALTER note SET STORAGE EXTERNAL, ALTER id SET STATISTICS 500;
CREATE TABLE typed OF address;
CREATE RULE quiet AS ON DELETE TO t DO INSTEAD NOTHING;
CREATE AGGREGATE added (int) (SFUNC = int4pl, STYPE = int);
CREATE FUNCTION same(int, int) RETURNS boolean LANGUAGE sql AS 'SELECT $1 = $2';
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = same);
CREATE STATISTICS pairs ON id, note FROM t;
CREATE COLLATION german (provider = libc, locale = 'C');
CREATE TEXT SEARCH CONFIGURATION words (COPY = simple);
ALTER TABLE t CLUSTER ON t_pkey;
ALTER TABLE t REPLICA IDENTITY FULL;
COMMENT ON INDEX t_pkey IS 'of the index';
CREATE PUBLICATION news FOR TABLE t;
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watching ON ddl_command_end EXECUTE FUNCTION watch();
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER away FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE far (id int) SERVER away;
";

const NAMED: [&str; 20] = [
    "aggregate public.added(integer)",
    "clustering on public.t_pkey",
    "collation public.german",
    "comment on the index of constraint public.t_pkey",
    "composite type public.address",
    "event trigger watching",
    "foreign data wrapper nothing",
    "foreign server away",
    "foreign table public.far",
    "operator public.===(integer, integer)",
    "publication news",
    "range type public.span",
    "replica identity of public.t",
    "rule quiet on public.t",
    "statistics public.pairs",
    "statistics target of column public.t.id",
    "storage of column public.t.note",
    "text search configuration public.words",
    "typed table public.typed",
    "compression of column public.t.note",
];

#[tokio::test]
async fn what_cannot_be_carried_is_named() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("unsupported");
    let db = connect(&place).await;
    db.batch(SQL).await.unwrap();
    let version: i32 = db
        .query_scalar("SELECT current_setting('server_version_num')::int4", ())
        .await
        .unwrap();
    let mut expected = NAMED.to_vec();
    if version >= 140_000 {
        let compress = "ALTER TABLE t ALTER note SET COMPRESSION pglz";
        db.execute(compress, ()).await.unwrap();
    } else {
        expected.pop();
    }
    expected.sort_unstable();
    let schema = introspect(&db, &Selection::default()).await.unwrap();
    let named = schema.unsupported.iter().map(ToString::to_string);
    let mut named: Vec<String> = named.collect();
    named.sort_unstable();
    assert_eq!(named, expected);
    // What a range type brings with it is its own.
    let functions: Vec<String> = schema.functions.keys().map(ToString::to_string).collect();
    assert_eq!(
        functions,
        ["public.same(integer, integer)", "public.watch()"]
    );

    let only = Selection {
        namespaces: vec!["elsewhere".to_owned()],
        ..Selection::default()
    };
    let schema = introspect(&db, &only).await.unwrap();
    assert!(schema.unsupported.is_empty(), "{:?}", schema.unsupported);
}
