//! Revisions and files of SQL that are only tried change nothing beyond their scratch database.

use std::sync::{Arc, Mutex};

use underpin::migrate::{Migrator, Progress};
use underpin::schema::{Scratch, of_revisions, of_sql};
use underpin::{Class, Config, Connection, Database, Engine, Error};
use underpin_testkit::{Postgres, SqliteFile, TestDatabase, or_skip, secrets};

use crate::migrate::chain;

/// All that the databases of a server share, as far as these tests can change it.
async fn shared(observer: &Connection, names: &str) -> Vec<String> {
    let sql = "SELECT 'role ' || rolname || coalesce(rolpassword, '') || rolcanlogin::text FROM pg_authid WHERE rolname LIKE $1
        UNION ALL SELECT 'member ' || r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname LIKE $1
        UNION ALL SELECT 'database ' || datname || datallowconn::text || datconnlimit || coalesce(datacl::text, '') FROM pg_database WHERE datname LIKE $1
        UNION ALL SELECT 'setting ' || d.datname || s.setconfig::text FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname LIKE $1
        UNION ALL SELECT 'setting ' || r.rolname || s.setconfig::text FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole WHERE r.rolname LIKE $1
        UNION ALL SELECT 'comment ' || description FROM pg_shdescription WHERE description LIKE $1
        UNION ALL SELECT 'slot ' || slot_name FROM pg_replication_slots WHERE slot_name LIKE $1
        ORDER BY 1";
    let found: Vec<(String,)> = observer.query_as(sql, (names,)).await.unwrap();
    found.into_iter().map(|(line,)| line).collect()
}

#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Progress for Notes {
    fn note(&self, sentence: &str) {
        self.0.lock().unwrap().push(sentence.to_owned());
    }
}

async fn tried(config: &Config, texts: &[&str], notes: &Notes) -> Result<Vec<String>, Error> {
    let migrator = Migrator::new(config.clone())?
        .revisions(chain(texts))
        .progress(notes.clone());
    let scratch = Scratch::beside(config).await?;
    let made = of_revisions(&migrator, &scratch).await;
    scratch.remove().await?;
    Ok(made?.tables.keys().map(|name| name.name.clone()).collect())
}

/// A database, a role and a prefix of a test's own.
struct Scene {
    config: Config,
    observer: Connection,
    name: String,
    _database: TestDatabase,
}

impl Scene {
    async fn new(server: &Postgres, test: &str) -> Scene {
        let database = server.database(test);
        let observer = Connection::connect(database.url()).await.unwrap();
        let name = database.name().to_owned();
        observer
            .batch(&format!("CREATE ROLE {name}_there NOLOGIN"))
            .await
            .unwrap();
        Scene {
            config: Config::from_url(&database.url()).unwrap(),
            observer,
            name,
            _database: database,
        }
    }

    async fn shared(&self) -> Vec<String> {
        shared(&self.observer, &format!("{}%", self.name)).await
    }

    async fn end(self) {
        self.observer
            .batch(&format!("DROP ROLE {}_there", self.name))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn what_reaches_beyond_the_database_is_refused_by_name_wherever_it_stands() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "reaches").await;
    let before = scene.shared().await;
    let (there, new, own) = (
        format!("{}_there", scene.name),
        format!("{}_new", scene.name),
        &scene.name,
    );
    let within = |sql: &str| {
        [
            format!("DO $$ BEGIN {sql}; END $$"),
            format!(
                "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN {sql}; END $$;\nSELECT f()"
            ),
            format!(
                "DO $x$ BEGIN BEGIN EXECUTE $y${sql}$y$; EXCEPTION WHEN division_by_zero THEN NULL; END; END $x$"
            ),
        ]
    };
    let mut cases: Vec<(String, String)> = vec![(
        format!("CREATE ROLE {new} LOGIN PASSWORD 'x'"),
        format!("the role {new}"),
    )];
    for (sql, what) in [
        (
            format!("CREATE ROLE {new} LOGIN"),
            format!("the role {new}"),
        ),
        (
            format!("ALTER ROLE {there} PASSWORD 'hunter2'"),
            format!("the role {there}"),
        ),
        (format!("DROP ROLE {there}"), "roles".to_owned()),
        (
            format!("GRANT pg_monitor TO {there}"),
            "memberships of roles".to_owned(),
        ),
        (
            format!("ALTER ROLE {there} SET work_mem = '1MB'"),
            "settings".to_owned(),
        ),
        (
            format!("ALTER DATABASE {own} SET work_mem = '1MB'"),
            "settings".to_owned(),
        ),
        (
            format!("ALTER DATABASE {own} CONNECTION LIMIT 7"),
            format!("the database {own}"),
        ),
        (
            format!("GRANT CREATE ON DATABASE {own} TO {there}"),
            format!("the database {own}"),
        ),
        (
            format!("COMMENT ON ROLE {there} IS '{own} x'"),
            "comments on roles".to_owned(),
        ),
    ] {
        cases.extend(within(&sql).map(|sql| (sql, what.clone())));
    }
    for (number, (sql, what)) in cases.iter().enumerate() {
        let ways = ["-- up", "-- up no-transaction"];
        for way in [ways[number % 2]] {
            let text = format!("{way}\nCREATE TABLE t (a int);\n{sql};\n-- down\n");
            let error = tried(&scene.config, &[&text], &Notes::default())
                .await
                .unwrap_err();
            assert_eq!(error.class(), Class::Config, "{sql}: {error}");
            let said = error.to_string();
            for part in [
                "reach beyond the database",
                what.as_str(),
                "r0.sql, line",
                "--scratch-url",
            ] {
                assert!(said.contains(part), "{part}: {sql}: {said}");
            }
            assert!(!said.contains("hunter2"), "{said}");
        }
        assert_eq!(scene.shared().await, before, "{sql}");
    }
    let directory = SqliteFile::new();
    let path = directory.directory().join("a.sql");
    for (sql, what) in cases[1..].iter().step_by(4) {
        std::fs::write(&path, format!("{sql};\n")).unwrap();
        let error = of_sql(&path, &scene.config, &Default::default())
            .await
            .unwrap_err();
        let said = error.to_string();
        assert!(
            said.contains("reach beyond the database") && said.contains(what.as_str()),
            "{sql}: {said}"
        );
        assert_eq!(scene.shared().await, before, "{sql}");
    }
    scene.end().await;
}

#[tokio::test]
async fn what_no_schema_depends_on_is_passed_over_with_a_note() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "passed_over").await;
    let before = scene.shared().await;
    let (there, own) = (format!("{}_there", scene.name), &scene.name);
    for sql in [
        format!("CREATE ROLE {there} LOGIN PASSWORD 'hunter2'"),
        format!("ALTER ROLE {there} PASSWORD 'hunter2'"),
        format!("DROP ROLE {there}"),
        format!("GRANT pg_monitor TO {there}"),
        format!("ALTER DATABASE {own} SET work_mem = '1MB'"),
        format!("COMMENT ON DATABASE {own} IS '{own} x'"),
        "COPY (SELECT 1) TO '/tmp/underpin_never_written'".to_owned(),
    ] {
        let notes = Notes::default();
        let text = format!(
            "-- up\n{sql};\nCREATE TABLE t (a int);\nGRANT SELECT ON t TO {there};\n-- down\n"
        );
        let made = tried(&scene.config, &[&text], &notes).await;
        assert_eq!(made.unwrap(), ["t"], "{sql}");
        let notes = notes.0.lock().unwrap().clone();
        assert_eq!(notes.len(), 1, "{sql}: {notes:?}");
        assert!(
            notes[0].contains("passed over") && !notes[0].contains("hunter2"),
            "{notes:?}"
        );
        assert_eq!(scene.shared().await, before, "{sql}");
    }
    assert!(!std::path::Path::new("/tmp/underpin_never_written").exists());
    scene.end().await;
}

#[tokio::test]
async fn code_is_covered_too_and_what_is_the_databases_own_is_allowed() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "code_reaches").await;
    let before = scene.shared().await;
    let sql = format!("ALTER ROLE {}_there PASSWORD 'x'", scene.name);
    let migrator = Migrator::new(scene.config.clone())
        .unwrap()
        .revisions(chain(&["-- up code\n-- down code\n"]));
    let migrator = migrator
        .code(
            "r0",
            move |connection| {
                let sql = sql.clone();
                async move { connection.batch(&sql).await }
            },
            |_| async { Ok(()) },
        )
        .unwrap();
    let scratch = Scratch::beside(&scene.config).await.unwrap();
    let error = of_revisions(&migrator, &scratch).await.unwrap_err();
    scratch.remove().await.unwrap();
    assert!(
        error.to_string().contains("reach beyond the database"),
        "{error}"
    );
    assert_eq!(scene.shared().await, before);

    let own = "-- up\nDO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''1MB''', current_database()); END $$;\n\
        DO $$ BEGIN EXECUTE format('COMMENT ON DATABASE %I IS ''x''', current_database()); END $$;\n\
        CREATE TABLE t (a int);\nCREATE INDEX ON t (a);\n-- up no-transaction\nCREATE INDEX CONCURRENTLY i ON t (a);\nVACUUM t;\n\
        CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t VALUES (1); COMMIT; END $$;\nCALL p();\n-- down\n";
    let made = tried(&scene.config, &[own], &Notes::default()).await;
    assert_eq!(made.unwrap(), ["t"]);
    assert_eq!(scene.shared().await, before);
    scene.end().await;
}

#[tokio::test]
async fn a_role_that_is_no_superuser_changes_not_even_itself() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "no_superuser").await;
    let (role, password) = (format!("{}_plain", scene.name), secrets::password());
    let sql = format!("CREATE ROLE {role} LOGIN CREATEDB PASSWORD '{password}'");
    scene.observer.batch(&sql).await.unwrap();
    let before = scene.shared().await;
    let config = scene.config.to_builder().user(&role).password(password);
    let config = config.build().unwrap();
    let text = "-- up\nCREATE TABLE t (a int);\n\
        DO $$ BEGIN EXECUTE format('ALTER ROLE %I PASSWORD ''x''', current_user); END $$;\n-- down\n";
    let error = tried(&config, &[text], &Notes::default())
        .await
        .unwrap_err();
    let said = error.to_string();
    assert!(said.contains("reach beyond the database: roles"), "{said}");
    assert_eq!(scene.shared().await, before);
    let plain = "-- up\nCREATE TABLE t (a int);\nCOMMENT ON TABLE t IS 'x';\n-- down\n";
    let made = tried(&config, &[plain], &Notes::default()).await;
    assert_eq!(made.unwrap(), ["t"]);
    let sql = format!("DROP ROLE {role}");
    scene.observer.batch(&sql).await.unwrap();
    scene.end().await;
}

#[tokio::test]
async fn a_server_of_its_own_takes_everything() {
    let server = or_skip!(Postgres::shared());
    let own = or_skip!(Postgres::start());
    let scene = Scene::new(server, "own_server").await;
    let before = scene.shared().await;
    let config = scene
        .config
        .to_builder()
        .scratch_url(own.url("postgres"))
        .build()
        .unwrap();
    let role = format!("{}_new", scene.name);
    let text = format!(
        "-- up\nCREATE ROLE {role};\nCREATE TABLE t (a int);\nGRANT SELECT ON t TO {role};\n-- down\n"
    );
    for _ in 0..2 {
        let made = tried(&config, &[&text], &Notes::default()).await;
        assert_eq!(made.unwrap(), ["t"]);
    }
    assert_eq!(scene.shared().await, before);
    let there = Connection::connect(own.url("postgres")).await.unwrap();
    let count: i64 = there
        .query_scalar("SELECT count(*) FROM pg_roles WHERE rolname = $1", (role,))
        .await
        .unwrap();
    assert_eq!(count, 1);
    scene.end().await;
}

#[tokio::test]
async fn a_trial_is_never_at_the_url_of_the_migrations() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "trial_elsewhere").await;
    let url = scene._database.url();
    let config = scene
        .config
        .to_builder()
        .migrate_url(url.as_str())
        .build()
        .unwrap();
    let made = tried(
        &config,
        &["-- up\nCREATE TABLE t (a int);\n-- down\n"],
        &Notes::default(),
    )
    .await;
    assert_eq!(made.unwrap(), ["t"]);
    let here: i64 = scene
        .observer
        .query_scalar(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'",
            (),
        )
        .await
        .unwrap();
    assert_eq!(here, 0);
    scene.end().await;
}

#[tokio::test]
async fn on_sqlite_nothing_but_the_scratch_database_is_opened() {
    let legacy = SqliteFile::new();
    let db = Database::connect(legacy.url()).await.unwrap();
    db.batch("CREATE TABLE orders (id integer); INSERT INTO orders VALUES (1), (2)")
        .await
        .unwrap();
    let path = legacy.path().display().to_string();
    let config = Config::from_url("sqlite::memory:").unwrap();
    let copy = format!("{path}.copy");
    for (way, sql) in [
        (
            "-- up no-transaction",
            format!("ATTACH '{path}' AS legacy;\nDELETE FROM legacy.orders"),
        ),
        (
            "-- up no-transaction",
            format!("ATTACH '{path}' || '' AS legacy;\nDELETE FROM legacy.orders"),
        ),
        (
            "-- up no-transaction",
            format!("ATTACH 'file:{path}' AS legacy;\nDELETE FROM legacy.orders"),
        ),
        ("-- up no-transaction", format!("VACUUM INTO '{copy}'")),
    ] {
        let text = format!("{way}\n{sql};\n-- down\n");
        let error = tried(&config, &[&text], &Notes::default())
            .await
            .unwrap_err();
        assert_eq!(error.class(), Class::Permission, "{sql}: {error}");
        assert!(error.to_string().contains("leave out ATTACH"), "{error}");
    }
    let rows: i64 = db
        .query_scalar("SELECT count(*) FROM orders", ())
        .await
        .unwrap();
    assert_eq!(rows, 2);
    assert!(!std::path::Path::new(&copy).exists());
    let vacuumed = tried(
        &config,
        &["-- up no-transaction\nCREATE TABLE t (a int);\nVACUUM;\n-- down\n"],
        &Notes::default(),
    )
    .await;
    assert_eq!(vacuumed.unwrap(), ["t"]);
    assert_eq!(db.engine(), Engine::SQLITE);
}
