//! Options that no user can have set are not part of a schema, whatever object has them.

use std::collections::BTreeSet;

use underpin::Database;
use underpin::schema::{Hints, Schema, Selection, diff, introspect, postgres};
use underpin_testkit::{Postgres, or_skip};

use crate::round_trip::connect;

const SQL: &str = "
CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text, words tsvector, at point)
  WITH (fillfactor = 70, toast.autovacuum_enabled = false);
ALTER TABLE t ALTER note SET (n_distinct = -0.5, n_distinct_inherited = 7);
CREATE INDEX t_btree ON t (note) WITH (fillfactor = 80);
CREATE INDEX t_hash ON t USING hash (note) WITH (fillfactor = 80);
CREATE INDEX t_gist ON t USING gist (words tsvector_ops (siglen = 100)) WITH (buffering = off);
CREATE INDEX t_gin ON t USING gin (words) WITH (fastupdate = off);
CREATE INDEX t_spgist ON t USING spgist (at) WITH (fillfactor = 80);
CREATE INDEX t_brin ON t USING brin (id) WITH (pages_per_range = 64);
CREATE TABLE p (id int) PARTITION BY LIST (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE VIEW v WITH (security_barrier = true) AS SELECT id FROM t;
CREATE MATERIALIZED VIEW m WITH (fillfactor = 60) AS SELECT id FROM t;
ALTER MATERIALIZED VIEW m ALTER COLUMN id SET (n_distinct = 9);
CREATE INDEX m_btree ON m (id);
CREATE SEQUENCE s;
CREATE FUNCTION f() RETURNS int LANGUAGE sql SET work_mem = '8MB' AS 'SELECT 1';
CREATE DOMAIN d AS int CHECK (VALUE > 0);
CREATE TYPE e AS ENUM ('a');
";

/// Writes an option on every object that the server lets have one, behind its back.
fn on_everything(option: &str) -> String {
    format!(
        "SET allow_system_table_mods = on;
         UPDATE pg_class SET reloptions = array_prepend('{option}', reloptions)
           WHERE oid >= 16384 AND (relkind IN ('r', 'p', 'v', 'm', 'i', 'I', 'S')
             OR oid IN (SELECT reltoastrelid FROM pg_class WHERE oid >= 16384));
         UPDATE pg_attribute a SET attoptions = array_prepend('{option}', a.attoptions)
           FROM pg_class c WHERE c.oid = a.attrelid AND c.oid >= 16384 AND a.attnum > 0
             AND c.relkind IN ('r', 'p', 'v', 'm');"
    )
}

const UNLISTED: [&str; 24] = [
    "option later=1 of column public.m.id",
    "option later=1 of column public.p.id",
    "option later=1 of column public.p1.id",
    "option later=1 of column public.t.at",
    "option later=1 of column public.t.id",
    "option later=1 of column public.t.note",
    "option later=1 of column public.t.words",
    "option later=1 of column public.v.id",
    "option later=1 of index public.m_btree",
    "option later=1 of index public.t_brin",
    "option later=1 of index public.t_btree",
    "option later=1 of index public.t_gin",
    "option later=1 of index public.t_gist",
    "option later=1 of index public.t_hash",
    "option later=1 of index public.t_pkey",
    "option later=1 of index public.t_spgist",
    "option later=1 of materialized view public.m",
    "option later=1 of sequence public.s",
    "option later=1 of sequence public.t_id_seq",
    "option later=1 of table public.p",
    "option later=1 of table public.p1",
    "option later=1 of table public.t",
    "option later=1 of the TOAST table of table public.t",
    "option later=1 of view public.v",
];

async fn read(db: &Database) -> Schema {
    introspect(db, &Selection::default()).await.unwrap()
}

#[tokio::test]
async fn what_no_list_of_the_server_has_is_named_and_no_part_of_a_schema() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("unlisted");
    let db = connect(&place).await;
    db.batch(SQL).await.unwrap();
    let before = read(&db).await;
    assert_eq!(before.unsupported, BTreeSet::new());
    assert_eq!(before.unlisted_options, BTreeSet::new());

    db.batch(&on_everything("later=1")).await.unwrap();
    let after = read(&db).await;
    let named = after.unlisted_options.iter().map(ToString::to_string);
    let named: Vec<String> = named.collect();
    assert_eq!(named, UNLISTED);
    assert_eq!(after.unsupported, BTreeSet::new());
    assert_eq!(diff(&before, &after, &Hints::default()).changes, []);
    let [one, other] = [&before, &after].map(|schema| postgres::dump(schema).unwrap());
    assert_eq!(one, other);
    let without = Schema {
        unlisted_options: BTreeSet::new(),
        ..after
    };
    assert_eq!(without, before);
}

#[tokio::test]
async fn what_a_server_notes_for_itself_is_not_there() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("private");
    let db = connect(&place).await;
    db.batch(SQL).await.unwrap();
    let before = read(&db).await;
    db.batch(&on_everything("pg_attver=22183600"))
        .await
        .unwrap();
    // Where no list says what can be there, a private name hides nothing either.
    db.batch(
        "UPDATE pg_attribute SET attoptions = array_prepend('pg_attver=22183600', attoptions)
           WHERE attrelid = 't_gist'::regclass AND attnum = 1;
         UPDATE pg_proc SET proconfig = array_prepend('pg_attver=22183600', proconfig)
           WHERE proname = 'f'",
    )
    .await
    .unwrap();
    assert_eq!(read(&db).await, before);
}

#[tokio::test]
async fn what_has_no_list_is_carried_as_it_is() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("no_list");
    let db = connect(&place).await;
    db.batch(SQL).await.unwrap();
    let bloom = "SELECT count(*) FROM pg_available_extensions WHERE name = 'bloom'";
    let bloom = db.query_scalar::<i64>(bloom, ()).await.unwrap() > 0;
    if bloom {
        let sql =
            "CREATE EXTENSION bloom; CREATE INDEX t_bloom ON t USING bloom (id) WITH (length = 64)";
        db.batch(sql).await.unwrap();
    }
    db.batch(
        "SET allow_system_table_mods = on;
         UPDATE pg_class SET reloptions = array_append(reloptions, 'later=1') WHERE relname = 't_bloom';
         UPDATE pg_attribute SET attoptions = array_append(attoptions, 'later=1,2')
           WHERE attrelid = 't_gist'::regclass AND attnum = 1;
         UPDATE pg_proc SET proconfig = array_append(proconfig, 'later.setting=1') WHERE proname = 'f'",
    )
    .await
    .unwrap();
    let schema = read(&db).await;
    assert_eq!(schema.unlisted_options, BTreeSet::new());
    let indexes = &schema.tables[&underpin::schema::ObjectName::new("public", "t")].indexes;
    if bloom {
        assert_eq!(indexes["t_bloom"].options["later"], "1");
        assert_eq!(indexes["t_bloom"].options["length"], "64");
    }
    let class = indexes["t_gist"].keys[0].operator_class.as_ref().unwrap();
    assert_eq!(class.options["siglen"], "100");
    assert_eq!(class.options["later"], "1,2");
    let function = schema.functions.values().next().unwrap();
    let definition = function.definition.as_str();
    assert!(
        definition.contains("SET \"later.setting\" TO '1'")
            || definition.contains("SET later.setting TO '1'"),
        "{definition}"
    );
}

/// Options of tables that the server's own list has, as far as it can set them.
#[tokio::test]
async fn every_option_that_a_server_lists_is_carried() {
    let server = or_skip!(Postgres::shared());
    let place = server.database("listed");
    let db = connect(&place).await;
    let version = "SELECT current_setting('server_version_num')::int4";
    let version: i32 = db.query_scalar(version, ()).await.unwrap();
    let on_both = |toast: &str| {
        let mut options = [
            "autovacuum_enabled = true",
            "autovacuum_freeze_max_age = 100000",
            "autovacuum_freeze_min_age = 1",
            "autovacuum_freeze_table_age = 1",
            "autovacuum_multixact_freeze_max_age = 10000",
            "autovacuum_multixact_freeze_min_age = 1",
            "autovacuum_multixact_freeze_table_age = 1",
            "autovacuum_vacuum_cost_delay = 1",
            "autovacuum_vacuum_cost_limit = 1",
            "autovacuum_vacuum_insert_scale_factor = 1",
            "autovacuum_vacuum_insert_threshold = 1",
            "autovacuum_vacuum_scale_factor = 1",
            "autovacuum_vacuum_threshold = 1",
            "log_autovacuum_min_duration = 1",
            "vacuum_index_cleanup = true",
            "vacuum_truncate = true",
        ]
        .map(|option| format!("{toast}{option}"))
        .to_vec();
        if version >= 180_000 {
            options.push(format!("{toast}autovacuum_vacuum_max_threshold = 1"));
            options.push(format!("{toast}vacuum_max_eager_freeze_failure_rate = 0.5"));
        }
        options
    };
    let of_tables = [
        "autovacuum_analyze_scale_factor = 1",
        "autovacuum_analyze_threshold = 1",
        "fillfactor = 50",
        "parallel_workers = 1",
        "toast_tuple_target = 200",
        "user_catalog_table = false",
    ];
    let mut options = on_both("");
    options.extend(on_both("toast."));
    options.extend(of_tables.map(str::to_owned));
    let of_view = match version {
        150_000.. => "security_barrier, security_invoker, check_option = local",
        _ => "security_barrier, check_option = local",
    };
    let sql = format!(
        "CREATE TABLE t (id int, note text, words tsvector, at point) WITH ({});
         CREATE INDEX ON t (id) WITH (fillfactor = 50, deduplicate_items = off, vacuum_cleanup_index_scale_factor = 1);
         CREATE INDEX ON t USING hash (id) WITH (fillfactor = 50);
         CREATE INDEX ON t USING gist (words) WITH (fillfactor = 50, buffering = on);
         CREATE INDEX ON t USING gin (words) WITH (fastupdate = off, gin_pending_list_limit = 64);
         CREATE INDEX ON t USING spgist (at) WITH (fillfactor = 50);
         CREATE INDEX ON t USING brin (id) WITH (pages_per_range = 2, autosummarize = on);
         CREATE VIEW v WITH ({of_view}) AS SELECT id FROM t",
        options.join(", ")
    );
    db.batch(&sql).await.unwrap();
    let schema = read(&db).await;
    assert_eq!(schema.unlisted_options, BTreeSet::new());
    let table = schema.tables.values().next().unwrap();
    assert_eq!(table.options.len(), options.len());
    let of_indexes = table.indexes.values().map(|index| index.options.len());
    assert_eq!(of_indexes.sum::<usize>(), 3 + 1 + 2 + 2 + 1 + 2);
    let view = schema.views.values().next().unwrap();
    assert_eq!(view.options.len(), of_view.split(", ").count());
}
