//! A server that is upgraded in place has databases from the older version.

use underpin::migrate::Migrator;
use underpin::schema::{SchemaDialect, Selection, Source, Sources, introspect, postgres};
use underpin::{Config, Database, Model, models};
use underpin_testkit::postgres::{older_programs, programs};
use underpin_testkit::{Place, Postgres, or_skip, skip};

use crate::migrate::migrator;
use crate::place::InPlace;

const REVISIONS: [&str; 2] = [
    "-- up\nCREATE TABLE users (id integer PRIMARY KEY, email text NOT NULL);\n\
     CREATE INDEX users_email ON users (email) WITH (fillfactor = 80);\n\
     ALTER TABLE users ALTER email SET (n_distinct = -1);\n\
     CREATE VIEW emails AS SELECT email FROM users;\n\
     CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM users;\n\
     CREATE FUNCTION one() RETURNS int LANGUAGE sql SET work_mem = '8MB' AS 'SELECT 1';\n\
     -- down\nDROP TABLE users CASCADE;\n",
    "-- up\nCREATE TABLE orders (id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES users (id));\n\
     ALTER TABLE users ADD nick text;\n\
     ALTER TABLE users ALTER nick SET (n_distinct = 7);\n\
     -- down\nDROP TABLE orders;\nALTER TABLE users DROP nick;\n",
];

#[derive(Model)]
#[model(table = "users", index(email, name = "users_email"))]
struct UserBefore {
    #[model(primary_key)]
    id: i32,
    email: String,
}

#[derive(Model)]
#[model(table = "users", index(email, name = "users_email"))]
struct User {
    #[model(primary_key)]
    id: i32,
    email: String,
    nick: Option<String>,
}

#[derive(Model)]
#[model(table = "orders")]
struct Order {
    #[model(primary_key)]
    id: i32,
    #[model(references = "users(id)")]
    user_id: i32,
}

/// Checks that the database matches its own dump, its revisions and its models.
async fn agrees(db: &Database, url: &str, revisions: Migrator, models: &underpin::model::Models) {
    let schema = introspect(db, &Selection::default()).await.unwrap();
    assert!(schema.unsupported.is_empty(), "{:?}", schema.unsupported);
    assert!(
        schema.unlisted_options.is_empty(),
        "{:?}",
        schema.unlisted_options
    );
    let all = Selection {
        exclude: vec![underpin::migrate::HISTORY_TABLE.to_owned()],
        ..Selection::default()
    };
    let dumped = postgres::dump(&introspect(db, &all).await.unwrap()).unwrap();
    let directory = underpin_testkit::SqliteFile::new();
    let file = directory.directory().join("dump.sql");
    std::fs::write(&file, dumped.join(";\n") + ";\n").unwrap();
    let sources = Sources::new(Config::from_url(url).unwrap())
        .models(models)
        .revisions(revisions);
    for source in [file.to_str().unwrap(), "revisions", "models"] {
        let source: Source = source.parse().unwrap();
        let all = Selection::default();
        let both = sources.read_both(&Source::Database, &source, &all);
        let (has, mut wanted) = both.await.unwrap();
        sources.settle(&has, &mut wanted).await.unwrap();
        let diff = has.diff(&wanted, SchemaDialect::of(sources.engine()).unwrap());
        assert_eq!(diff.changes, [], "{source}");
        assert!(diff.unsupported.is_empty(), "{source}: {diff:?}");
    }
}

#[tokio::test]
async fn a_database_of_an_older_server_agrees_on_the_newer_one() {
    let test = "updated::a_database_of_an_older_server_agrees_on_the_newer_one";
    let older = match older_programs() {
        Ok(directory) => directory,
        Err(reason) => return skip::report_without_more(test, reason),
    };
    let newer = or_skip!(programs());
    let mut server = or_skip!(Postgres::builder().programs(older).start());
    let place = Place::Postgres(server.database("updated"));
    let version = async |db: &Database| -> i32 {
        let sql = "SELECT current_setting('server_version_num')::int4";
        db.query_scalar(sql, ()).await.unwrap()
    };
    let db = place.open().await;
    let before = version(&db).await;
    migrator(&place, &REVISIONS[..1]).up("head").await.unwrap();
    let url = place.url();
    agrees(
        &db,
        &url,
        migrator(&place, &REVISIONS[..1]),
        &models![UserBefore],
    )
    .await;
    db.close(std::time::Duration::from_secs(5)).await.unwrap();

    server.restart_with(&newer);
    let db = place.open().await;
    let after = version(&db).await;
    if before / 10_000 != after / 10_000 {
        let reason = format!("{before} and {after} are of two major versions.");
        return skip::report_without_more(test, reason);
    }
    assert!(before < after, "{before} is older than {after}");
    agrees(
        &db,
        &url,
        migrator(&place, &REVISIONS[..1]),
        &models![UserBefore],
    )
    .await;
    // Objects of the newer server coexist with those of the older one.
    migrator(&place, &REVISIONS).up("head").await.unwrap();
    agrees(
        &db,
        &url,
        migrator(&place, &REVISIONS),
        &models![User, Order],
    )
    .await;
}
