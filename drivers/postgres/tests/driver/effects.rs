use underpin_core::driver::{Connection as _, ConnectionExt as _, Pooled as _, SessionState};
use underpin_core::{Class, Effect, TransactionOptions, Value};
use underpin_testkit::{CutPoint, Postgres, Proxy, TestDatabase, or_skip};

use crate::place::{call, connect_through, eventually, soon, within};

/// Whether the server itself has the row.
async fn is_there(database: &TestDatabase, id: i32) -> bool {
    let client = database.client().await;
    let sql = "SELECT count(*) FROM item WHERE id = $1";
    client
        .query_one(sql, &[&id])
        .await
        .unwrap()
        .get::<_, i64>(0)
        == 1
}

struct Scene {
    proxy: Proxy,
    database: TestDatabase,
    server: &'static Postgres,
}

impl Scene {
    async fn new(server: &'static Postgres, name: &str) -> Self {
        let database = server.database(name);
        let proxy = Proxy::before(server);
        let scene = Scene {
            proxy,
            database,
            server,
        };
        scene
            .database
            .client()
            .await
            .batch_execute("CREATE TABLE item (id int PRIMARY KEY, note text)")
            .await
            .unwrap();
        scene
    }

    async fn connect(&self) -> underpin_postgres::Connection {
        connect_through(&self.proxy, self.server, &self.database).await
    }
}

const INSERT: &str = "INSERT INTO item VALUES ($1, $2) /* marked */";

#[tokio::test]
async fn an_autocommit_statement_cut_at_each_point() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "effect_autocommit").await;
    let points = [
        // The statement was sent: the client cannot know more.
        (
            CutPoint::before_statement_forwarded("marked"),
            Effect::Unknown,
            false,
        ),
        (CutPoint::before_answer("marked"), Effect::Unknown, true),
        (
            CutPoint::while_answer_arrives("marked", 3),
            Effect::Unknown,
            true,
        ),
    ];
    for (id, (point, effect, there)) in (0..).zip(points) {
        let connection = scene.connect().await;
        scene.proxy.arm(point.clone());
        let params = [Value::I32(id), Value::Null];
        let error = connection.execute(call(INSERT, &params)).await.unwrap_err();
        assert_eq!(
            (error.class(), error.effect()),
            (Class::Connect, effect),
            "{point:?}: {error}"
        );
        assert_eq!(connection.state(), SessionState::Broken);
        scene.proxy.cut_happened().await;
        assert_eq!(is_there(&scene.database, id).await, there, "{point:?}");
        let error = connection.execute(call(INSERT, &params)).await.unwrap_err();
        assert_eq!(
            (error.class(), error.effect()),
            (Class::Connect, Effect::NotSent),
            "{error}"
        );
    }
}

#[tokio::test]
async fn cut_before_the_statement_is_written() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "effect_unwritten").await;
    let connection = scene.connect().await;
    scene.proxy.cut();
    eventually("the loss", || connection.state() == SessionState::Broken).await;
    let error = connection
        .execute(call(INSERT, &[Value::I32(1), Value::Null]))
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Connect, Effect::NotSent),
        "{error}"
    );
    assert!(!is_there(&scene.database, 1).await);
}

#[tokio::test]
async fn cut_while_the_statement_is_written() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "effect_in_part").await;
    let connection = scene.connect().await;
    scene.proxy.arm(CutPoint::while_statement_arrives(100_000));
    let long = "x".repeat(64 << 20);
    let params = [Value::I32(1), Value::Text(long)];
    let error = connection.execute(call(INSERT, &params)).await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Connect, Effect::RolledBack),
        "{error}"
    );
    scene.proxy.cut_happened().await;
    assert!(!is_there(&scene.database, 1).await);
}

#[tokio::test]
async fn a_transaction_cut_at_each_point() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "effect_transaction").await;
    // During a statement within it.
    let connection = scene.connect().await;
    connection
        .begin(TransactionOptions::default(), soon())
        .await
        .unwrap();
    scene.proxy.arm(CutPoint::before_answer("marked"));
    let error = connection
        .execute(call(INSERT, &[Value::I32(1), Value::Null]))
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Connect, Effect::RolledBack),
        "{error}"
    );
    scene.proxy.cut_happened().await;
    assert!(!is_there(&scene.database, 1).await);

    // After the answer, before COMMIT.
    let connection = scene.connect().await;
    connection
        .begin(TransactionOptions::default(), soon())
        .await
        .unwrap();
    scene.proxy.arm(CutPoint::after_answer("marked"));
    connection
        .execute(call(INSERT, &[Value::I32(2), Value::Null]))
        .await
        .unwrap();
    scene.proxy.cut_happened().await;
    eventually("the loss", || connection.state() == SessionState::Broken).await;
    let error = connection.commit().await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Connect, Effect::NotSent),
        "{error}"
    );
    assert!(!is_there(&scene.database, 2).await);

    // During COMMIT: it may or may not have taken effect.
    for (id, point, there) in [
        (3, CutPoint::before_statement_forwarded("COMMIT"), false),
        (4, CutPoint::before_answer("COMMIT"), true),
        (5, CutPoint::while_answer_arrives("COMMIT", 2), true),
    ] {
        let connection = scene.connect().await;
        connection
            .begin(TransactionOptions::default(), soon())
            .await
            .unwrap();
        connection
            .execute(call(INSERT, &[Value::I32(id), Value::Null]))
            .await
            .unwrap();
        scene.proxy.arm(point.clone());
        let error = connection.commit().await.unwrap_err();
        assert_eq!(
            (error.class(), error.effect()),
            (Class::Connect, Effect::Unknown),
            "{point:?}: {error}"
        );
        scene.proxy.cut_happened().await;
        assert_eq!(is_there(&scene.database, id).await, there, "{point:?}");
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_read_after_it_was_inserted() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "effect_unreadable").await;
    for size in [256, 0] {
        let options = underpin_postgres::Options {
            statement_cache_size: size,
            ..crate::place::options(scene.server, &scene.database)
        };
        let connection =
            crate::place::connect_with(crate::place::endpoint(scene.server), options).await;
        let id = size as i32;
        let params = [Value::I32(id), Value::Text("not a number".into())];
        let sql = "INSERT INTO item VALUES ($1, $2) RETURNING id, note";
        let error = connection
            .query::<(i32, i64)>(call(sql, &params), 9)
            .await
            .unwrap_err();
        assert_eq!(
            (error.class(), error.effect()),
            (Class::Data, Effect::Applied),
            "{error}"
        );
        assert!(error.to_string().contains("\"note\""), "{error}");
        assert!(is_there(&scene.database, id).await);
        assert_eq!(connection.state(), SessionState::Clean);

        let (_, mut rows) = match connection
            .stream::<(i32, i64)>(call("UPDATE item SET note = 'x' RETURNING id, note", &[]))
            .await
        {
            Ok(begun) => begun,
            Err(error) => panic!("{error}"),
        };
        let error = futures_util::TryStreamExt::try_next(&mut rows)
            .await
            .unwrap_err();
        assert_eq!(
            (error.class(), error.effect()),
            (Class::Data, Effect::Applied),
            "{error}"
        );
        assert!(futures_util::StreamExt::next(&mut rows).await.is_none());
        assert_eq!(connection.state(), SessionState::Clean);
    }
}

#[tokio::test]
async fn a_session_that_is_ended_by_the_server() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "effect_fatal").await;
    let client = scene.database.client().await;
    for within in [false, true] {
        let connection = scene.connect().await;
        let pid = connection
            .query::<i32>(call("SELECT pg_backend_pid()", &[]), 1)
            .await
            .unwrap()[0];
        if within {
            connection
                .begin(TransactionOptions::default(), soon())
                .await
                .unwrap();
        }
        let sleep = connection.execute(call("INSERT INTO item SELECT 9, pg_sleep(30)::text", &[]));
        let end = async {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            client
                .execute("SELECT pg_terminate_backend($1)", &[&pid])
                .await
                .unwrap();
        };
        let (result, ()) = tokio::join!(sleep, end);
        let error = result.unwrap_err();
        assert_eq!(
            (error.class(), error.effect()),
            (Class::Connect, Effect::RolledBack),
            "{error}"
        );
        assert_eq!(error.sqlstate(), Some("57P01"));
        assert_eq!(connection.state(), SessionState::Broken);
        let error = connection.execute(call("SELECT 1", &[])).await.unwrap_err();
        assert!(error.to_string().contains("57P01"), "{error}");
    }
}

#[tokio::test]
async fn a_bulk_insert_cut_before_its_end_and_after() {
    let server = or_skip!(Postgres::shared());
    let scene = Scene::new(server, "effect_bulk").await;
    let target = underpin_core::driver::BulkTarget {
        table: "item",
        columns: &["id", "note"],
    };
    let connection = scene.connect().await;
    let rows = (0..1_000_000).map(|id| {
        if id == 500_000 {
            scene.proxy.cut();
        }
        (id, "x".repeat(20))
    });
    let error = connection
        .bulk_insert(target, rows, soon())
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Connect, Effect::RolledBack),
        "{error}"
    );
    assert!(!is_there(&scene.database, 1).await);

    // The network falls silent before the COPY begins, and before its last row.
    for (silent_at, effect) in [(7, Effect::RolledBack), (8, Effect::Unknown)] {
        let connection = scene.connect().await;
        let proxy = &scene.proxy;
        let silence = |id: &i32| {
            if *id == silent_at {
                proxy.black_hole();
            }
        };
        let rows = (7..9).inspect(silence).map(|id| (id, "a"));
        let error = connection
            .bulk_insert(target, rows, within(300))
            .await
            .unwrap_err();
        assert_eq!(error.effect(), effect, "{error}");
        assert_eq!(connection.state(), SessionState::Broken);
        scene.proxy.resume();
    }
}
