//! Engines that a program brings itself, each registered as one value: one with its own SQL, and
//! one without SQL and with its own pool.

mod brook;
mod cellar;

use std::time::Duration;

use underpin::migrate::{Migrator, Revision, parse};
use underpin::schema::{Hints, Selection, diff, introspect};
use underpin::{Class, Config, Connection, Database, Effect, Engine, FromRow, Model};
use underpin_testkit::SqliteFile;

#[derive(Debug, PartialEq, FromRow)]
struct Row {
    id: i64,
    name: Option<String>,
}

/// A table whose name and columns are words of SQL, so that they need quotes.
#[derive(Debug, PartialEq, Model)]
#[model(table = "order")]
struct Order {
    #[model(primary_key)]
    id: i64,
    group: String,
    note: Option<String>,
}

/// A table that Brook spells in its own way.
#[derive(Debug, PartialEq, Model)]
#[model(check("size > 0", name = "big", engine("brook", "[size] > 1")))]
struct Parcel {
    #[model(primary_key)]
    id: i64,
    #[model(
        default = 1,
        engine("brook", type = "TINY INT", default = 3),
        sqlite(default = 2)
    )]
    size: i64,
}

fn place() -> (SqliteFile, String) {
    brook::register();
    let file = SqliteFile::new();
    let url = format!("brook:///{}", file.path().display());
    (file, url)
}

fn revisions() -> Vec<Revision> {
    let first = "-- revision: one\n-- parents: none\n-- message: a table\n\
                 -- up brook\nCREATE TABLE [order] ([id] INTEGER PRIMARY KEY, [group] TEXT NOT NULL, [note] TEXT);\n\
                 CREATE INDEX [by;group] ON [order] ([group]);\n\
                 -- down\nDROP TABLE [order];\n";
    let second = "-- revision: two\n-- parents: one\n-- message: rows\n\
                  -- up brook\nINSERT INTO [order] VALUES (1, 'a;b', NULL);\n\
                  -- up sqlite\nSELECT is_for_another_engine;\n\
                  -- down\nDELETE FROM [order];\n";
    let read = |(name, text): (&str, &str)| parse(name, text.as_bytes()).unwrap();
    [("one.sql", first), ("two.sql", second)].map(read).into()
}

#[tokio::test]
async fn a_registered_engine_is_configured_pooled_and_queried() {
    let (_file, url) = place();
    let config = Config::from_url(&url).unwrap();
    assert_eq!(config.engine().name(), "brook");
    assert_eq!(config.pool_max_size(), 3);
    assert!(config.to_url_masked().starts_with("brook:///"));
    let error = Config::from_url(&format!("{url}?application_name=x")).unwrap_err();
    assert!(
        error.to_string().contains("does not apply to brook"),
        "{error}"
    );

    let db = Database::connect(config).await.unwrap();
    assert_eq!(db.engine(), "brook".parse::<Engine>().unwrap());
    db.execute(
        "CREATE TABLE [t] ([id] INTEGER PRIMARY KEY, [name] TEXT)",
        (),
    )
    .await
    .unwrap();
    let insert = "INSERT INTO [t] ([id], [name]) VALUES (@p1, @p2)";
    db.execute(insert, (1, "a")).await.unwrap();
    let rows: Vec<Row> = db
        .query_as("SELECT [id], [name] FROM [t] WHERE [id] = @p1", (1,))
        .await
        .unwrap();
    assert_eq!(
        rows,
        [Row {
            id: 1,
            name: Some("a".into())
        }]
    );

    let error = db.execute(insert, (1, "b")).await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Constraint, Effect::RolledBack)
    );
    let error = db.execute("SELECT \"id\" FROM [t]", ()).await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Syntax, Effect::NotSent)
    );

    let health = db.health().await;
    assert!(health.is_healthy(), "{health}");
    assert!(health.to_string().starts_with("brook "), "{health}");
    let metrics = db.metrics();
    assert_eq!((metrics.pool_size, metrics.failed_queries), (1, 2));
    let before = metrics.total_queries;
    assert!(db.health().await.is_healthy());
    assert_eq!(
        db.metrics().total_queries,
        before,
        "a health check is not a statement"
    );
    let error = underpin::engine::register(brook::Brook).unwrap_err();
    assert_eq!(error.class(), Class::Config, "{error}");
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_registered_engine_has_transactions_savepoints_and_retries() {
    let (_file, url) = place();
    let db = Database::connect(&*url).await.unwrap();
    db.execute(
        "CREATE TABLE [t] ([id] INTEGER PRIMARY KEY, [name] TEXT)",
        (),
    )
    .await
    .unwrap();
    db.transaction(async |tx| {
        tx.execute("INSERT INTO [t] VALUES (@p1, 'kept')", (1,))
            .await?;
        let undone = tx
            .transaction(async |inner| {
                inner
                    .execute("INSERT INTO [t] VALUES (@p1, 'undone')", (2,))
                    .await?;
                inner
                    .execute("INSERT INTO [t] VALUES (@p1, 'twice')", (1,))
                    .await
            })
            .await;
        assert_eq!(undone.unwrap_err().class(), Class::Constraint);
        Ok::<_, underpin::Error>(())
    })
    .await
    .unwrap();
    let ids: Vec<i64> = db.query_as("SELECT [id] FROM [t]", ()).await.unwrap();
    assert_eq!(ids, [1]);

    brook::fail_next_with_busy("DELETE FROM [t]", 2);
    let patient = db.idempotent().retries(3).unwrap();
    patient.execute("DELETE FROM [t]", ()).await.unwrap();
    assert!(db.metrics().retry_attempts >= 1);
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn a_registered_engine_runs_revisions_and_models() {
    let (_file, url) = place();
    let migrator = || Migrator::new(&*url).unwrap().revisions(revisions());
    assert_eq!(migrator().up("head").await.unwrap().revisions.len(), 2);
    assert_eq!(migrator().up("head").await.unwrap().revisions.len(), 0);

    let db = Database::connect(&*url).await.unwrap();
    let only = Order::get(&db, 1).await.unwrap().unwrap();
    assert_eq!((only.group.as_str(), only.note.as_deref()), ("a;b", None));
    let new = NewOrder {
        id: 2,
        group: "c".into(),
        note: underpin::Field::Value("d".into()),
    };
    let made = Order::insert(&db, new).await.unwrap();
    assert_eq!(Order::get(&db, 2).await.unwrap(), Some(made));
    assert!(Order::delete(&db, 1).await.unwrap());
    assert_eq!(Order::get(&db, 1).await.unwrap(), None);
    db.close(Duration::from_secs(5)).await.unwrap();

    let connection = Connection::connect(&*url).await.unwrap();
    let history: Vec<String> = connection
        .query_as("SELECT [id] FROM [underpin_migrations] ORDER BY [id]", ())
        .await
        .unwrap();
    assert_eq!(history, ["one", "two"]);
    connection.close().await;
    assert_eq!(migrator().down("base").await.unwrap().revisions.len(), 2);
    assert_eq!(migrator().pending().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_model_spells_what_is_for_one_engine() {
    let (_file, url) = place();
    let db = Database::connect(&*url).await.unwrap();
    let spelled = |engine: Engine| {
        let table = Parcel::table(engine).unwrap();
        let size = table.column("size").unwrap();
        let (default, check) = (size.default.as_ref().unwrap(), &table.checks["big"]);
        let [default, check] = [default, &check.expression].map(|one| one.as_str());
        format!("{}, {default}, {check}", size.data_type)
    };
    assert_eq!(spelled(db.engine()), "TINY INT, 3, [size] > 1");
    assert_eq!(spelled(Engine::SQLITE), "INTEGER, 2, size > 0");
    assert_eq!(spelled(Engine::POSTGRES), "bigint, 1, size > 0");
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn the_schema_of_a_registered_engine_is_read_and_compared() {
    let (_file, url) = place();
    let db = Database::connect(&*url).await.unwrap();
    let before = introspect(&db, &Selection::default()).await.unwrap();
    db.execute(
        "CREATE TABLE [order] ([id] INTEGER PRIMARY KEY, [group] TEXT NOT NULL)",
        (),
    )
    .await
    .unwrap();
    let after = introspect(&db, &Selection::default()).await.unwrap();
    let changes = diff(&before, &after, &Hints::default());
    let said: Vec<String> = changes.changes.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["Create table main.order"]);
    let dumped = underpin::schema::dump(db.engine(), &after).unwrap();
    assert!(
        dumped.iter().any(|sql| sql.contains("[order]")) && !dumped.concat().contains('"'),
        "{dumped:?}"
    );
    db.close(Duration::from_secs(5)).await.unwrap();
}

#[tokio::test]
async fn an_engine_with_a_pool_of_its_own_and_no_sql_takes_part() {
    cellar::register();
    let config = Config::from_url("cellar://host1,host2/wine?pool_max_size=7").unwrap();
    assert_eq!(config.endpoints().len(), 2);
    assert_eq!(config.endpoints()[0].to_string(), "host1:7777");
    let db = Database::connect(config).await.unwrap();
    db.ping().await.unwrap();
    assert!(db.health().await.is_healthy());
    assert_eq!(db.metrics().pool_size, 7);

    for error in [
        db.execute("SELECT 1", ()).await.unwrap_err(),
        db.begin().await.unwrap_err(),
        db.acquire().await.unwrap_err(),
    ] {
        assert_eq!(
            (error.class(), error.effect()),
            (Class::Unsupported, Effect::NotSent)
        );
        assert!(error.to_string().contains("cellar"), "{error}");
    }
    let error = Connection::connect("cellar://host1/wine")
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Unsupported);

    cellar::stop();
    let health = db.health().await;
    assert!(!health.is_healthy(), "{health}");
    db.close(Duration::from_secs(1)).await.unwrap();
}
