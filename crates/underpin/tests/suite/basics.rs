use std::time::Duration;

use underpin::{Class, Connection, Database, Effect, Engine, Executor, FromRow, Value, ValueRow};

use crate::place::{InPlace, Place};

#[derive(Debug, PartialEq, FromRow)]
struct User {
    id: i32,
    email: String,
    full_name: Option<String>,
}

const USERS: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(255) NOT NULL UNIQUE, full_name TEXT)";

#[tokio::test]
async fn every_call_on_a_database() {
    for place in Place::each("every_call") {
        let db = place.open().await;
        assert_eq!(db.engine(), place.engine());
        db.execute(USERS, ()).await.unwrap();
        every_call(&db).await;
        db.close(Duration::from_secs(5)).await.unwrap();
    }
}

#[tokio::test]
async fn every_call_on_a_lease_and_a_connection_and_a_transaction() {
    for place in Place::each("every_call_on_others") {
        let db = place.open().await;
        for round in 0..3 {
            db.batch("DROP TABLE IF EXISTS users").await.unwrap();
            db.execute(USERS, ()).await.unwrap();
            match round {
                0 => every_call(&*db.acquire().await.unwrap()).await,
                1 => {
                    let tx = db.begin().await.unwrap();
                    every_call(&tx).await;
                    tx.commit().await.unwrap();
                }
                _ => {
                    let connection = Connection::connect(place.url()).await.unwrap();
                    every_call(&connection).await;
                    connection.ping().await.unwrap();
                    connection.close().await;
                }
            }
            let users: i64 = db
                .query_scalar("SELECT count(*) FROM users", ())
                .await
                .unwrap();
            assert_eq!(users, 1003);
        }
        db.close(Duration::from_secs(5)).await.unwrap();
    }
}

/// The calls of [`Executor`], on any type that has them.
async fn every_call(on: &impl Executor) {
    let insert = "INSERT INTO users (id, email, full_name) VALUES ($1, $2, $3)";
    assert_eq!(
        on.execute(insert, (1, "ada@example.com", "Ada"))
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        on.execute(insert, (2, "bob@example.com", None::<&str>))
            .await
            .unwrap(),
        1
    );

    let rows: Vec<ValueRow> = on
        .query("SELECT * FROM users ORDER BY id", ())
        .await
        .unwrap();
    assert_eq!(rows[0].get::<String>("email").unwrap(), "ada@example.com");
    assert_eq!(rows[1].values()[2], Value::Null);

    let users: Vec<User> = on
        .query_as("SELECT * FROM users WHERE id = $1", (1,))
        .await
        .unwrap();
    let ada = User {
        id: 1,
        email: "ada@example.com".into(),
        full_name: Some("Ada".into()),
    };
    assert_eq!(users, [ada]);

    let none = on
        .query_one::<User>("SELECT * FROM users WHERE id = $1", (9,))
        .await
        .unwrap_err();
    assert_eq!(none.class(), Class::NotFound);
    let many = on
        .query_one::<User>("SELECT * FROM users", ())
        .await
        .unwrap_err();
    assert_eq!(many.class(), Class::Data);
    let absent: Option<User> = on
        .query_optional("SELECT * FROM users WHERE id = $1", (9,))
        .await
        .unwrap();
    assert_eq!(absent, None);
    let email: String = on
        .query_scalar("SELECT email FROM users WHERE id = $1", (2,))
        .await
        .unwrap();
    assert_eq!(email, "bob@example.com");

    on.batch("INSERT INTO users (id, email) VALUES (3, 'c'); DELETE FROM users WHERE id = 3")
        .await
        .unwrap();

    let rows = (10..1010).map(|id| (id, format!("user{id}@example.com"), None::<String>));
    let columns = ["id", "email", "full_name"];
    assert_eq!(on.bulk_insert("users", &columns, rows).await.unwrap(), 1000);

    let mut stream = on
        .query_stream::<(i32, String)>("SELECT id, email FROM users WHERE id >= 10 ORDER BY id", ())
        .await
        .unwrap();
    let mut expected = 10;
    while let Some(row) = stream.next().await {
        assert_eq!(
            row.unwrap(),
            (expected, format!("user{expected}@example.com"))
        );
        expected += 1;
    }
    assert_eq!(expected, 1010);
    assert_eq!(
        on.execute(insert, (3, "eve@example.com", "Eve"))
            .await
            .unwrap(),
        1
    );
}

#[tokio::test]
async fn a_bulk_insert_is_all_or_nothing_and_names_the_row() {
    for place in Place::each("bulk_all_or_nothing") {
        let db = place.open().await;
        db.execute(USERS, ()).await.unwrap();
        let rows = (1..5000).map(|id| {
            let email = if id == 4321 {
                Value::Null
            } else {
                Value::Text(format!("{id}"))
            };
            (id, email)
        });
        let error = db
            .bulk_insert("users", &["id", "email"], rows)
            .await
            .unwrap_err();
        assert_eq!(error.class(), Class::Constraint, "{error}");
        assert_eq!(error.effect(), Effect::RolledBack);
        let stored: i64 = db
            .query_scalar("SELECT count(*) FROM users", ())
            .await
            .unwrap();
        assert_eq!(stored, 0);

        let rows = [(1, Value::Text("a".into())), (2, Value::Text("b".into()))].into_iter();
        let wrong = rows.map(|(id, email)| vec![Value::I32(id), email, Value::Null]);
        let error = db
            .bulk_insert("users", &["id", "email"], wrong)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("1"), "{error}");
        assert_eq!(error.class(), Class::Data);
    }
}

#[tokio::test]
async fn a_violated_constraint_is_named() {
    for place in Place::each("constraint_named") {
        let db = place.open().await;
        db.execute(USERS, ()).await.unwrap();
        let insert = "INSERT INTO users (id, email) VALUES ($1, $2)";
        db.execute(insert, (1, "a")).await.unwrap();
        let error = db.execute(insert, (2, "a")).await.unwrap_err();
        assert_eq!(error.class(), Class::Constraint, "{error}");
        assert_eq!(error.effect(), Effect::RolledBack);
        assert!(error.constraint().unwrap().contains("email"), "{error:?}");
    }
}

#[tokio::test]
async fn closing_twice_or_before_first_use_is_safe_and_connecting_again_works() {
    for place in Place::each("closing") {
        let db = Database::connect_lazy(place.url()).unwrap();
        db.close(Duration::from_secs(5)).await.unwrap();
        db.close(Duration::from_secs(5)).await.unwrap();
        let error = db.execute("SELECT 1", ()).await.unwrap_err();
        assert_eq!(error.class(), Class::Closed);
        assert_eq!(error.effect(), Effect::NotSent);

        let db = place.open().await;
        assert_eq!(
            db.query_scalar::<i64>("SELECT CAST($1 AS BIGINT)", (7i64,))
                .await
                .unwrap(),
            7
        );
        db.close(Duration::from_secs(5)).await.unwrap();
        db.close(Duration::from_secs(5)).await.unwrap();
    }
}

#[tokio::test]
async fn closing_names_the_holders_of_connections() {
    for place in Place::each("closing_held") {
        let db = place.open().await;
        let lease = db.acquire().await.unwrap();
        let error = db.close(Duration::from_millis(100)).await.unwrap_err();
        assert!(error.is_timeout(), "{error}");
        assert!(error.to_string().contains("basics.rs"), "{error}");
        drop(lease);
        db.close(Duration::from_secs(5)).await.unwrap();
    }
}

#[tokio::test]
async fn sqlite_in_memory_is_one_database() {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    db.execute("CREATE TABLE t (n INTEGER)", ()).await.unwrap();
    let all = (0..50).map(|n| {
        let db = db.clone();
        tokio::spawn(async move { db.execute("INSERT INTO t VALUES ($1)", (n,)).await })
    });
    for task in all.collect::<Vec<_>>() {
        task.await.unwrap().unwrap();
    }
    assert_eq!(
        db.query_scalar::<i64>("SELECT count(*) FROM t", ())
            .await
            .unwrap(),
        50
    );
    assert_eq!(db.metrics().total_connections, 1);
}

#[tokio::test]
async fn a_lease_shares_its_session_and_leaves_no_trace_of_it() {
    let server = underpin_testkit::or_skip!(underpin_testkit::Postgres::shared());
    let database = server.database("session");
    let db = crate::place::small(&database.url(), 1).await;
    let lease = db.acquire().await.unwrap();
    lease
        .execute("SET application_name = 'mine'", ())
        .await
        .unwrap();
    lease
        .batch("CREATE TEMPORARY TABLE scratch (n int)")
        .await
        .unwrap();
    let name: String = lease
        .query_scalar("SHOW application_name", ())
        .await
        .unwrap();
    assert_eq!(name, "mine");
    lease
        .postgres()
        .unwrap()
        .client()
        .batch_execute("SET search_path = nowhere")
        .await
        .unwrap();
    drop(lease);
    let lease = db.acquire().await.unwrap();
    let name: String = lease
        .query_scalar("SHOW application_name", ())
        .await
        .unwrap();
    assert_ne!(name, "mine");
    let path: String = lease.query_scalar("SHOW search_path", ()).await.unwrap();
    assert_ne!(path, "nowhere");
    lease
        .execute("SELECT * FROM scratch", ())
        .await
        .unwrap_err();
    assert_eq!(lease.sqlite().unwrap_err().class(), Class::Unsupported);
    assert_eq!(lease.engine(), Engine::POSTGRES);
}

#[tokio::test]
async fn retries_beyond_reason_are_refused() {
    let db = Database::connect("sqlite::memory:").await.unwrap();
    assert_eq!(db.retries(101).unwrap_err().class(), Class::Config);
    db.retries(100).unwrap().acquire().await.unwrap();
    db.retries(0).unwrap().acquire().await.unwrap();
}
