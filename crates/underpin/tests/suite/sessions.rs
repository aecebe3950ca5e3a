//! Session changes by one holder of a connection, and the state that the next holder finds: every
//! way that PostgreSQL's documentation lists, through every path that leads to it, and every PRAGMA
//! that SQLite lists.

use underpin::driver::Connection as _;
use underpin::{Class, Config, Database, Deadline, Hooks, Recycling, Transaction};
use underpin_testkit::{Postgres, SqliteFile, TestDatabase, or_skip};

use crate::place::{eventually, small};

/// Statements that change a session, with what they change.
const WAYS: &[(&str, &str)] = &[
    ("a custom setting", "SET app.tenant = 'a'"),
    ("SET SESSION", "SET SESSION app.tenant = 'a'"),
    ("set_config", "SELECT set_config('app.tenant', 'a', false)"),
    ("search_path", "SET search_path TO pg_temp"),
    ("a setting of the server's", "SET work_mem = '9MB'"),
    ("a limit", "SET statement_timeout = '7s'"),
    ("SET TIME ZONE", "SET TIME ZONE 'Asia/Tokyo'"),
    ("a style", "SET DateStyle = 'SQL, DMY'"),
    ("SET XML OPTION", "SET XML OPTION DOCUMENT"),
    (
        "SET SESSION CHARACTERISTICS",
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    ),
    ("SET ROLE", "SET ROLE pg_monitor"),
    (
        "SET SESSION AUTHORIZATION",
        "SET SESSION AUTHORIZATION pg_monitor",
    ),
    ("LISTEN", "LISTEN news"),
    ("an advisory lock", "SELECT pg_advisory_lock(1)"),
    ("a shared one", "SELECT pg_advisory_lock_shared(2)"),
    ("one that was tried", "SELECT pg_try_advisory_lock(3, 4)"),
    (
        "a shared one that was tried",
        "SELECT pg_try_advisory_lock_shared(5)",
    ),
    ("PREPARE", "PREPARE mine AS SELECT 1"),
    (
        "DECLARE WITH HOLD",
        "DECLARE held CURSOR WITH HOLD FOR SELECT generate_series(1, 3)",
    ),
    ("a temporary table", "CREATE TEMP TABLE mine (a int)"),
    ("a temporary view", "CREATE TEMP VIEW mine AS SELECT 1"),
    ("a temporary sequence", "CREATE TEMP SEQUENCE mine"),
    ("a table from a query", "CREATE TEMP TABLE mine AS SELECT 1"),
    ("currval and lastval", "SELECT nextval('counter')"),
];

/// The state that the next holder of a connection can find.
const FOUND: &str = "SELECT concat_ws(' / ',
    current_user, session_user, coalesce(current_setting('app.tenant', true), ''),
    (SELECT string_agg(name || '=' || setting, ', ' ORDER BY name)
       FROM pg_settings WHERE source = 'session'),
    (SELECT string_agg(channel, ', ') FROM pg_listening_channels() AS channel),
    (SELECT string_agg(name, ', ') FROM pg_prepared_statements WHERE from_sql),
    (SELECT string_agg(name, ', ') FROM pg_cursors WHERE is_holdable),
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
    (SELECT count(*) FROM pg_class WHERE relnamespace = pg_my_temp_schema()))";

/// The state of the only connection of a pool, and whether a sequence was used in it.
async fn found(db: &Database) -> (String, bool) {
    // In this order: a call of lastval may change the session, as far as the client knows.
    let asked = db.query_scalar::<i64>("SELECT lastval()", ()).await;
    (db.query_scalar(FOUND, ()).await.unwrap(), asked.is_ok())
}

/// The paths to a statement: what to create beforehand, and what to run.
fn roads(statement: &str) -> Vec<(&'static str, String, String)> {
    let function = format!(
        "CREATE OR REPLACE FUNCTION change() RETURNS int LANGUAGE plpgsql AS $body$
         BEGIN EXECUTE $way${statement}$way$; RETURN 1; END $body$;"
    );
    let on_row = format!(
        "CREATE OR REPLACE FUNCTION change_at_row() RETURNS trigger LANGUAGE plpgsql AS $body$
         BEGIN EXECUTE $way${statement}$way$; RETURN NULL; END $body$;
         CREATE TRIGGER change AFTER INSERT ON watched
         FOR EACH STATEMENT EXECUTE FUNCTION change_at_row();"
    );
    let block = format!("DO $body$ BEGIN EXECUTE $way${statement}$way$; END $body$");
    let with = |more: &str| format!("{function} {more}");
    vec![
        ("directly", String::new(), statement.to_owned()),
        ("in a DO block", String::new(), block),
        ("in a function", function.clone(), "SELECT change()".into()),
        (
            "in a trigger",
            on_row,
            "INSERT INTO watched VALUES (1)".into(),
        ),
        (
            "in a view",
            with("CREATE VIEW seen AS SELECT change() AS a"),
            "SELECT a FROM seen".into(),
        ),
        (
            "in an operator",
            with(
                "CREATE FUNCTION change_by(int, int) RETURNS int LANGUAGE sql
                 AS 'SELECT change()';
                 CREATE OPERATOR @@@ (LEFTARG = int, RIGHTARG = int, FUNCTION = change_by)",
            ),
            "SELECT 1 @@@ 2".into(),
        ),
        (
            "in a default",
            with("CREATE TABLE filled (a int, b int DEFAULT change())"),
            "INSERT INTO filled (a) VALUES (1)".into(),
        ),
        (
            "in a domain",
            with("CREATE DOMAIN checked AS int CHECK (VALUE = 0 OR change() = 1)"),
            "SELECT 1::checked".into(),
        ),
    ]
}

/// Removes the objects of a path from the schema.
const CLEAR: &str = "DROP VIEW IF EXISTS seen; DROP TABLE IF EXISTS filled;
    DROP DOMAIN IF EXISTS checked; DROP OPERATOR IF EXISTS @@@ (int, int);
    DROP FUNCTION IF EXISTS change_by; DROP FUNCTION IF EXISTS change;
    DROP TRIGGER IF EXISTS change ON watched";

async fn prepared(database: &TestDatabase) -> Database {
    let db = small(&database.url(), 1).await;
    db.batch("CREATE TABLE watched (a int); CREATE SEQUENCE counter")
        .await
        .unwrap();
    db
}

#[tokio::test]
async fn no_way_to_change_a_session_reaches_the_next_holder() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("session_ways");
    let observer = database.client().await;
    let db = prepared(&database).await;
    let fresh = found(&db).await;
    for (what, statement) in WAYS {
        for (road, create, run) in roads(statement) {
            observer.batch_execute(CLEAR).await.unwrap();
            // Through the database itself, as its schema changes; the paths of others have a test.
            db.batch(&create).await.unwrap();
            // Twice: the traces of a text may be known by then.
            for round in 0..2 {
                let place = format!("{what} {road}, round {round}");
                db.batch(&run)
                    .await
                    .unwrap_or_else(|error| panic!("{place}: {error}"));
                assert_eq!(found(&db).await, fresh, "{place}, as a text of statements");
                db.query(&run, ())
                    .await
                    .unwrap_or_else(|error| panic!("{place}: {error}"));
                assert_eq!(found(&db).await, fresh, "{place}, as one statement");
                let whole = |tx: Transaction| {
                    let run = run.clone();
                    async move { tx.batch(&run).await }
                };
                db.transaction(whole)
                    .await
                    .unwrap_or_else(|error| panic!("{place}: {error}"));
                assert_eq!(found(&db).await, fresh, "{place}, in a transaction");
            }
        }
    }
}

#[tokio::test]
async fn changes_of_others_to_a_schema_are_seen_once_the_pool_cleans_or_asks() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("session_others");
    let observer = database.client().await;
    let db = prepared(&database).await;
    let fresh = found(&db).await;
    // Writes are never assumed to be harmless, even if another program adds a trigger between two
    // of them.
    db.execute("INSERT INTO watched VALUES (0)", ())
        .await
        .unwrap();
    let way = "SELECT set_config('app.tenant', 'a', false)";
    let (_, create, run) = roads(way).remove(3);
    observer.batch_execute(&create).await.unwrap();
    db.execute(&run, ()).await.unwrap();
    assert_eq!(found(&db).await, fresh);
}

#[tokio::test]
async fn statements_that_share_a_connection_find_it_as_it_was() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("session_lanes");
    let db = prepared(&database).await;
    let way = "SELECT set_config('app.tenant', 'a', false)";
    let (_, create, run) = roads(way).remove(4);
    db.batch(&create).await.unwrap();
    let look = "SELECT coalesce(current_setting('app.tenant', true), '')";
    for _ in 0..50 {
        let changes = async { db.query_scalar::<i32>(&run, ()).await.unwrap() };
        let looks = async {
            let seen: String = db.query_scalar(look, ()).await.unwrap();
            assert_eq!(seen, "");
        };
        tokio::join!(changes, looks);
    }
}

/// The latest text that the server ran for the only connection of the pool.
async fn last_text(observer: &tokio_postgres::Client) -> String {
    let sql = "SELECT query FROM pg_stat_activity WHERE datname = current_database()
        AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    observer.query_one(sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn settings_for_a_transaction_cost_nothing_more() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("session_local");
    let observer = database.client().await;
    let db = prepared(&database).await;
    let local = [
        "SET LOCAL app.tenant = 'a'",
        "SELECT set_config('app.tenant', 'a', true)",
        "SELECT set_config('app.tenant', $1, true)",
        "SET TRANSACTION READ ONLY",
        "SELECT a FROM watched WHERE a = 1 FOR UPDATE",
        "SELECT count(*) FROM watched",
    ];
    for sql in local {
        // The meaning of its names is queried once.
        eventually("nothing is cleaned", async || {
            db.transaction(|tx| async move {
                match sql.contains("$1") {
                    true => tx.query(sql, ("a",)).await,
                    false => tx.query(sql, ()).await,
                }
            })
            .await
            .unwrap();
            last_text(&observer).await == "COMMIT"
        })
        .await;
        let tenant: String = db
            .query_scalar(
                "SELECT coalesce(current_setting('app.tenant', true), '')",
                (),
            )
            .await
            .unwrap();
        assert_eq!(tenant, "", "{sql}");
    }
    let mut changed = 0;
    for _ in 0..3 {
        db.execute("INSERT INTO watched VALUES (1)", ())
            .await
            .unwrap();
        changed += i32::from(last_text(&observer).await.starts_with("BEGIN ISOLATION"));
    }
    assert!(
        changed > 0,
        "a write is followed by what cleans the session"
    );
}

#[tokio::test]
async fn the_setup_of_a_hook_stays() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("session_hook");
    prepared(&database)
        .await
        .close(std::time::Duration::from_secs(5))
        .await
        .unwrap();
    let hooks = Hooks::new().after_connect(|connection: &underpin::postgres::Connection| {
        Box::pin(connection.batch("SET app.tenant = 'base'", Deadline::NONE))
    });
    let config = Config::from_url(&database.url()).unwrap().to_builder();
    let config = config.pool_min_size(0).pool_max_size(1).build().unwrap();
    let db = Database::postgres(config)
        .hooks(hooks)
        .connect()
        .await
        .unwrap();
    for (road, create, run) in roads("SELECT set_config('app.tenant', 'a', false)") {
        db.batch(CLEAR).await.unwrap();
        db.batch(&create).await.unwrap();
        for _ in 0..2 {
            let lease = db.acquire().await.unwrap();
            lease.batch(&run).await.unwrap();
            drop(lease);
            let lease = db.acquire().await.unwrap();
            let tenant: String = lease
                .query_scalar("SELECT current_setting('app.tenant')", ())
                .await
                .unwrap();
            assert_eq!(tenant, "base", "{road}");
        }
    }
}

#[tokio::test]
async fn a_connection_whose_session_cannot_be_cleaned_serves_nobody() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("session_stuck");
    let db = prepared(&database).await;
    let process = "SELECT pg_backend_pid()";
    let before: i32 = db.query_scalar(process, ()).await.unwrap();
    // A function that prepares a statement: the client does not know the name to drop.
    let (_, create, run) = roads("PREPARE mine AS SELECT 1").remove(2);
    db.batch(&create).await.unwrap();
    let lease = db.acquire().await.unwrap();
    let held: i32 = lease.query_scalar(process, ()).await.unwrap();
    assert_eq!(
        held, before,
        "what was done so far left the connection whole"
    );
    lease.query(&run, ()).await.unwrap();
    drop(lease);
    let after: i32 = db.query_scalar(process, ()).await.unwrap();
    assert_ne!(after, before);
}

#[tokio::test]
async fn each_kind_of_recycling_does_what_it_says() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("session_modes");
    prepared(&database).await;
    let tenant = "SELECT coalesce(current_setting('app.tenant', true), '')";
    let (_, create, run) = roads("SELECT set_config('app.tenant', 'a', false)").remove(2);
    database
        .client()
        .await
        .batch_execute(&create)
        .await
        .unwrap();
    for (recycling, unseen, announced, same_plans) in [
        (Recycling::Verified, "", "", true),
        (Recycling::Fast, "a", "", true),
        (Recycling::Clean, "", "", true),
        (Recycling::Reset, "", "", false),
        (Recycling::custom("SET app.tenant = 'c'"), "c", "c", true),
    ] {
        let config = Config::from_url(&database.url()).unwrap().to_builder();
        let config = config.pool_min_size(0).pool_max_size(1);
        let config = config.recycling(recycling.clone()).build().unwrap();
        let db = Database::connect(config).await.unwrap();
        let look = async || -> String {
            let lease = db.acquire().await.unwrap();
            lease.query_scalar(tenant, ()).await.unwrap()
        };
        db.query(&run, ()).await.unwrap();
        assert_eq!(look().await, unseen, "{recycling}");
        db.batch("SET app.tenant = 'b'").await.unwrap();
        assert_eq!(look().await, announced, "{recycling}");
        let lease = db.acquire().await.unwrap();
        lease
            .query_scalar::<i32>("SELECT 41 + $1", (1,))
            .await
            .unwrap();
        drop(lease);
        let lease = db.acquire().await.unwrap();
        let plans =
            "SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT 41 + $1'";
        let plans: i64 = lease.query_scalar(plans, ()).await.unwrap();
        assert_eq!(plans == 1, same_plans, "{recycling}");
    }
}

#[tokio::test]
async fn without_prepared_statements_nothing_reaches_the_next_holder_either() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("session_unnamed");
    prepared(&database).await;
    let config = Config::from_url(&database.url()).unwrap().to_builder();
    let config = config
        .pool_min_size(0)
        .pool_max_size(1)
        .statement_cache_size(0);
    let db = Database::connect(config.build().unwrap()).await.unwrap();
    let fresh = found(&db).await;
    for (road, create, run) in roads("SELECT set_config('app.tenant', 'a', false)") {
        db.batch(CLEAR).await.unwrap();
        db.batch(&create).await.unwrap();
        db.query(&run, ()).await.unwrap();
        assert_eq!(found(&db).await, fresh, "{road}");
    }
}

#[tokio::test]
async fn a_schema_for_each_tenant_meets_no_plan_of_another_tenant() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("session_tenants");
    let db = small(&database.url(), 1).await;
    db.batch(
        "CREATE SCHEMA one; CREATE TABLE one.t (a int); INSERT INTO one.t VALUES (1);
         CREATE SCHEMA two; CREATE TABLE two.t (a text, b int); INSERT INTO two.t VALUES ('2', 2)",
    )
    .await
    .unwrap();
    for round in 0..6 {
        let (tenant, columns) = [("one", 1), ("two", 2)][round % 2];
        let width = db
            .transaction(|tx| async move {
                match round % 3 {
                    0 => {
                        tx.batch(&format!("SET LOCAL search_path TO {tenant}"))
                            .await?
                    }
                    1 => {
                        let set = "SELECT set_config('search_path', $1, true)";
                        tx.query(set, (tenant,)).await?;
                    }
                    _ => {
                        let set = format!("SET LOCAL search_path TO {tenant}");
                        tx.execute(&set, ()).await?;
                    }
                }
                let rows = tx.query("SELECT * FROM t", ()).await?;
                Ok::<_, underpin::Error>(rows[0].values().len())
            })
            .await
            .unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert_eq!(width, columns, "round {round}");
    }
}

/// Values to which a PRAGMA may be set. Most accept only a few of them.
const VALUES: &[&str] = &[
    "1",
    "0",
    "2",
    "3",
    "7",
    "4096",
    "-5",
    "ON",
    "OFF",
    "EXCLUSIVE",
    "MEMORY",
    "PERSIST",
    "TRUNCATE",
    "FULL",
    "EXTRA",
    "FAST",
    "'x'",
];
/// PRAGMAs that report about the file or about SQLite, or do something at each call.
const NO_SETTINGS: &[&str] = &[
    "application_id",
    "auto_vacuum",
    "collation_list",
    "compile_options",
    "data_version",
    "database_list",
    "default_cache_size",
    "encoding",
    "foreign_key_check",
    "foreign_key_list",
    "freelist_count",
    "function_list",
    "incremental_vacuum",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "module_list",
    "optimize",
    "page_count",
    "page_size",
    "pragma_list",
    "quick_check",
    "schema_version",
    "shrink_memory",
    "table_info",
    "table_list",
    "table_xinfo",
    "user_version",
    "wal_checkpoint",
];

/// All settings of the connection that a database leases, `case_sensitive_like` by its effect.
async fn settings(db: &Database, names: &[String]) -> Vec<(String, Option<String>)> {
    let lease = db.acquire().await.unwrap();
    let mut settings = Vec::new();
    for schema in ["", "main.", "temp."] {
        for name in names {
            let rows = lease
                .query(&format!("PRAGMA {schema}{name}"), ())
                .await
                .unwrap();
            let value = rows.first().map(|row| match row.read::<i64>(0) {
                Ok(number) => number.to_string(),
                Err(_) => row.read(0).unwrap(),
            });
            // Its value before anything temporary exists, and then.
            let value = match (schema, name.as_str(), value) {
                ("temp.", "cache_size", Some(size)) if size == "0" => Some("-2000".to_owned()),
                (_, _, value) => value,
            };
            settings.push((format!("{schema}{name}"), value));
        }
    }
    let like: i64 = lease.query_scalar("SELECT 'A' LIKE 'a'", ()).await.unwrap();
    settings.push(("like".into(), Some(like.to_string())));
    let attached: i64 = lease
        .query_scalar(
            "SELECT count(*) FROM pragma_database_list WHERE name NOT IN ('main', 'temp')",
            (),
        )
        .await
        .unwrap();
    settings.push(("attached".into(), Some(attached.to_string())));
    settings
}

async fn no_pragma_reaches_the_next_holder(db: &Database) {
    db.batch("CREATE TABLE t (a INTEGER)").await.unwrap();
    let listed: Vec<(String,)> = db
        .query_as("SELECT name FROM pragma_pragma_list ORDER BY name", ())
        .await
        .unwrap();
    assert!(listed.len() > 50, "{listed:?}");
    let names: Vec<String> = listed
        .into_iter()
        .map(|(name,)| name)
        .filter(|name| !NO_SETTINGS.contains(&name.as_str()))
        .collect();
    let fresh = settings(db, &names).await;
    for name in &names {
        for value in VALUES {
            for prefix in ["", "main.", "temp."] {
                let sql = format!("PRAGMA {prefix}{name} = {value}");
                let lease = db.acquire().await.unwrap();
                // SQLite itself refuses some of them while other connections are open.
                let set = lease.batch(&sql).await;
                if name.contains("heap_limit") || name.ends_with("store_directory") {
                    assert_eq!(set.unwrap_err().class(), Class::Unsupported, "{sql}");
                }
                drop(lease);
            }
        }
        assert_eq!(settings(db, &names).await, fresh, "{name}");
        db.execute("INSERT INTO t VALUES (1)", ()).await.unwrap();
        let count: i64 = db.query_scalar("SELECT count(*) FROM t", ()).await.unwrap();
        assert!(count > 0, "{name}");
    }
}

#[tokio::test]
async fn no_pragma_reaches_the_next_holder_of_a_file() {
    let file = SqliteFile::new();
    let db = Database::connect(file.url()).await.unwrap();
    no_pragma_reaches_the_next_holder(&db).await;
}

#[tokio::test]
async fn no_pragma_reaches_the_next_holder_of_a_database_in_memory() {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    no_pragma_reaches_the_next_holder(&db).await;
}
