//! The native client.

use bytes::Bytes;
use futures_util::TryStreamExt;
use underpin_core::driver::{Connection as _, Pooled as _, SessionState};
use underpin_core::{Class, Effect, TransactionOptions};
use underpin_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use underpin_postgres::{ClientRow, Options, SimpleMessage};
use underpin_testkit::{Postgres, or_skip};

use crate::place::{connect, connect_with, endpoint, eventually, options, soon};

/// A type of another crate.
#[derive(Debug, PartialEq)]
struct Point(f64, f64);

type Unfit = Box<dyn std::error::Error + Sync + Send>;

impl<'a> FromSql<'a> for Point {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Unfit> {
        let (x, y) = raw.split_at_checked(8).ok_or("it is too short")?;
        let number = |bytes: &[u8]| Ok::<_, Unfit>(f64::from_be_bytes(bytes.try_into()?));
        Ok(Point(number(x)?, number(y)?))
    }

    fn accepts(type_: &Type) -> bool {
        *type_ == Type::POINT
    }
}

impl ToSql for Point {
    fn to_sql(&self, _: &Type, out: &mut bytes::BytesMut) -> Result<IsNull, Unfit> {
        out.extend_from_slice(&self.0.to_be_bytes());
        out.extend_from_slice(&self.1.to_be_bytes());
        Ok(IsNull::No)
    }

    fn accepts(type_: &Type) -> bool {
        *type_ == Type::POINT
    }

    to_sql_checked!();
}

#[tokio::test]
async fn values_of_any_type_that_implements_the_traits_go_both_ways() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("client_values");
    let connection = connect(server, &database).await;
    let client = connection.client();
    let sql = "SELECT $1::point AS p, $2::text AS t, NULL::int4 AS n, $3::int4[] AS a";
    let point = Point(1.5, -2.0);
    let row = client
        .query_one(sql, &[&point, &"é", &vec![1, 2]])
        .await
        .unwrap();
    assert_eq!(row.len(), 4);
    assert_eq!(row.get::<Point>("p").unwrap(), point);
    assert_eq!(row.get::<&str>(1).unwrap(), "é");
    assert_eq!(row.get::<Option<i32>>("n").unwrap(), None);
    assert_eq!(row.get::<Vec<i32>>("a").unwrap(), [1, 2]);
    for error in [
        row.get::<i64>("t").unwrap_err(),
        row.get::<i32>("n").unwrap_err(),
        row.get::<i32>("m").unwrap_err(),
        row.get::<i32>(4).unwrap_err(),
        client.execute(sql, &[&point]).await.unwrap_err(),
        client
            .execute(sql, &[&1, &"é", &vec![1]])
            .await
            .unwrap_err(),
    ] {
        assert_eq!(error.class(), Class::Data, "{error}");
    }
    assert!(!format!("{row:?}").contains('é'));
    let none = client
        .query_one("SELECT 1 WHERE false", &[])
        .await
        .unwrap_err();
    assert_eq!(none.class(), Class::NotFound);
    let two = client.query_opt("VALUES (1), (2)", &[]).await.unwrap_err();
    assert_eq!(two.class(), Class::Data);
    let error = client.query("SELECT 1/0", &[]).await.unwrap_err();
    assert_eq!(
        (error.class(), error.sqlstate()),
        (Class::Data, Some("22012"))
    );
}

#[tokio::test]
async fn statements_are_prepared_once_and_forgotten_with_their_last_clone() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("client_prepared");
    let connection = connect(server, &database).await;
    let client = connection.client();
    client
        .batch_execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")
        .await
        .unwrap();
    let statement = client
        .prepare("SELECT 'ok'::mood AS m, $1::int8 AS n")
        .await
        .unwrap();
    assert_eq!(statement.parameters(), [Type::INT8]);
    let columns: Vec<_> = statement
        .columns()
        .map(|(name, type_)| (name.to_owned(), type_.name().to_owned()))
        .collect();
    assert_eq!(
        columns,
        [("m".into(), "mood".into()), ("n".into(), "int8".to_owned())]
    );
    for n in 0..3i64 {
        let rows = client.query(&statement, &[&n]).await.unwrap();
        assert_eq!(rows[0].get::<i64>("n").unwrap(), n);
    }
    let count = async || {
        let all = client
            .simple_query("SELECT count(*) FROM pg_prepared_statements")
            .await;
        match &all.unwrap()[0] {
            SimpleMessage::Row(row) => row.get("count").unwrap().to_owned(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(count().await, "1");
    drop(statement.clone());
    assert_eq!(count().await, "1");
    drop(statement);
    assert_eq!(count().await, "0");
}

#[tokio::test]
async fn a_text_of_several_statements_gives_all_rows_and_counts() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("client_simple");
    let connection = connect(server, &database).await;
    let client = connection.client();
    let sql = "CREATE TABLE t (n int, s text); INSERT INTO t VALUES (1, 'a'), (2, NULL); \
        SELECT * FROM t ORDER BY n; DELETE FROM t";
    let mut told = Vec::new();
    for message in client.simple_query(sql).await.unwrap() {
        told.push(match message {
            SimpleMessage::Row(row) => {
                format!("{:?} {:?} {:?}", row.get(0), row.get("s"), row.get(2))
            }
            SimpleMessage::Complete(count) => count.to_string(),
            other => panic!("{other:?}"),
        });
    }
    let rows = [r#"Some("1") Some("a") None"#, r#"Some("2") None None"#];
    assert_eq!(told, ["0", "2", rows[0], rows[1], "2", "2"]);
    let error = client
        .simple_query("INSERT INTO t VALUES (3); SELECT 1/0")
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Data, "{error}");
    let error = client.batch_execute("COPY t FROM STDIN").await.unwrap_err();
    assert_eq!(error.class(), Class::Unsupported, "{error}");
    let left = client
        .query_one("SELECT count(*) FROM t", &[])
        .await
        .unwrap();
    assert_eq!(left.get::<i64>(0).unwrap(), 0);
}

#[tokio::test]
async fn a_pipeline_takes_effect_as_a_whole_or_not_at_all() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("client_pipeline");
    let connection = connect(server, &database).await;
    let client = connection.client();
    client
        .batch_execute("CREATE TABLE t (n int4 PRIMARY KEY)")
        .await
        .unwrap();
    let insert = client.prepare("INSERT INTO t VALUES ($1)").await.unwrap();
    let answered = client
        .pipeline()
        .query(&insert, &[&1])
        .query("SELECT n FROM t WHERE n >= $1", &[&0])
        .query(&insert, &[&2])
        .run()
        .await
        .unwrap();
    let counts: Vec<u64> = answered.iter().map(|one| one.count).collect();
    assert_eq!(counts, [1, 1, 1]);
    assert_eq!(answered[1].rows[0].get::<i32>("n").unwrap(), 1);
    let failed = client
        .pipeline()
        .query(&insert, &[&3])
        .query(&insert, &[&1])
        .query(&insert, &[&4]);
    let error = failed.run().await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Constraint, Effect::RolledBack)
    );
    let count = client
        .query_one("SELECT count(*) FROM t", &[])
        .await
        .unwrap();
    assert_eq!(count.get::<i64>(0).unwrap(), 2);
    let refused = client
        .pipeline()
        .query("COMMIT", &[])
        .run()
        .await
        .unwrap_err();
    assert_eq!(refused.effect(), Effect::NotSent, "{refused}");
    assert!(client.pipeline().run().await.unwrap().is_empty());
    // Within a transaction, the transaction fails with it.
    connection
        .begin(TransactionOptions::default(), soon())
        .await
        .unwrap();
    let failed = client
        .pipeline()
        .query(&insert, &[&5])
        .query(&insert, &[&1])
        .run()
        .await;
    assert_eq!(failed.unwrap_err().class(), Class::Constraint);
    assert_eq!(connection.state(), SessionState::Failed);
    connection.rollback(soon()).await.unwrap();
}

#[tokio::test]
async fn rows_are_copied_both_ways() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("client_copy");
    let connection = connect(server, &database).await;
    let client = connection.client();
    client
        .batch_execute("CREATE TABLE t (n int4 PRIMARY KEY)")
        .await
        .unwrap();
    let mut copy = client.copy_in("COPY t FROM STDIN").await.unwrap();
    for n in 0..1000 {
        assert!(copy.send(Bytes::from(format!("{n}\n"))).await);
    }
    assert_eq!(copy.finish().await.unwrap(), 1000);
    let out: Vec<Bytes> = client
        .copy_out("COPY t TO STDOUT")
        .await
        .unwrap()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(
        out.concat().iter().filter(|byte| **byte == b'\n').count(),
        1000
    );
    // If it is dropped, no row is inserted; later requests are answered in order.
    let mut copy = client.copy_in("COPY t FROM STDIN").await.unwrap();
    copy.send(Bytes::from_static(b"2000\n")).await;
    drop(copy);
    let count = client
        .query_one("SELECT count(*) FROM t", &[])
        .await
        .unwrap();
    assert_eq!(count.get::<i64>(0).unwrap(), 1000);
    // The end reports a row that the server refuses.
    let mut copy = client.copy_in("COPY t FROM STDIN").await.unwrap();
    copy.send(Bytes::from_static(b"no number\n")).await;
    let mut taken = 0;
    while copy.send(Bytes::from_static(b"3000\n")).await {
        taken += 1;
        assert!(taken < 1_000_000, "it is never refused");
        tokio::task::yield_now().await;
    }
    let error = copy.finish().await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Data, Effect::RolledBack),
        "{error}"
    );
    for sql in ["SELECT 1", "INSERT INTO t VALUES (5000)"] {
        let error = client.copy_in(sql).await.unwrap_err();
        assert_eq!(
            (error.class(), error.effect()),
            (Class::Unsupported, Effect::NotSent),
            "{error}"
        );
    }
    let wrong = client.copy_in("COPY t TO STDOUT").await.unwrap_err();
    assert_eq!(wrong.class(), Class::Unsupported, "{wrong}");
    let count = client
        .query_one("SELECT count(*) FROM t", &[])
        .await
        .unwrap();
    assert_eq!(count.get::<i64>(0).unwrap(), 1000);
}

#[tokio::test]
async fn the_session_describes_itself_and_can_be_canceled() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("client_session");
    let connection = connect(server, &database).await;
    let client = connection.client();
    let pid = client
        .query_one("SELECT pg_backend_pid()", &[])
        .await
        .unwrap();
    assert_eq!(client.pid(), pid.get::<i32>(0).unwrap());
    assert_eq!(client.parameter("client_encoding").as_deref(), Some("UTF8"));
    assert_eq!(client.parameter("no_such_setting"), None);
    client
        .batch_execute("SET TimeZone = 'Asia/Tokyo'")
        .await
        .unwrap();
    assert_eq!(client.parameter("TimeZone").as_deref(), Some("Asia/Tokyo"));
    let version = client
        .query_one("SHOW server_version_num", &[])
        .await
        .unwrap();
    let version: u32 = version.get::<&str>(0).unwrap().parse().unwrap();
    let minor = if version >= 180_000 { 2 } else { 0 };
    assert_eq!(client.protocol(), (3, minor));

    let token = client.cancel_token();
    let cancel = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        token.cancel().await.unwrap();
    };
    let (slept, ()) = tokio::join!(client.execute("SELECT pg_sleep(30)", &[]), cancel);
    let error = slept.unwrap_err();
    assert_eq!(
        (error.class(), error.sqlstate()),
        (Class::Canceled, Some("57014")),
        "{error}"
    );

    let mut news = client.notifications();
    client
        .batch_execute("LISTEN news; NOTIFY news, 'it rains'")
        .await
        .unwrap();
    assert_eq!(news.recv().await.unwrap().payload, "it rains");
    let admin = server.admin().await;
    admin
        .execute("SELECT pg_terminate_backend($1)", &[&client.pid()])
        .await
        .unwrap();
    eventually("the loss", || connection.state() == SessionState::Broken).await;
    let error = client.query("SELECT 1", &[]).await.unwrap_err();
    assert!(error.to_string().contains("57P01"), "{error}");
    assert!(news.recv().await.is_err(), "it ends with the connection");
    assert!(client.notifications().recv().await.is_err());
}

#[tokio::test]
async fn without_prepared_statements_texts_still_run() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("client_unnamed");
    let unnamed = Options {
        statement_cache_size: 0,
        ..options(server, &database)
    };
    let connection = connect_with(endpoint(server), unnamed).await;
    let client = connection.client();
    client.batch_execute("SELECT 1").await.unwrap();
    let error = client.query("SELECT 1", &[]).await.unwrap_err();
    assert_eq!(error.class(), Class::Unsupported, "{error}");
}

#[tokio::test]
async fn a_portal_gives_its_rows_in_parts_and_computes_no_more() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("client_portal");
    let connection = connect(server, &database).await;
    let sequence = "CREATE SEQUENCE computed";
    connection.batch(sequence, soon()).await.unwrap();
    let client = connection.client();
    let sql = "SELECT nextval('computed') FROM generate_series(1, $1::int)";
    let error = client.portal(sql, &[&10]).await.unwrap_err();
    assert_eq!(error.class(), Class::Unsupported, "{error}");
    assert_eq!(error.effect(), Effect::NotSent);

    connection.begin(Default::default(), soon()).await.unwrap();
    let client = connection.client();
    let numbers =
        |rows: Vec<ClientRow>| -> Vec<i64> { rows.iter().map(|row| row.get(0).unwrap()).collect() };
    let error = client.portal(sql, &[]).await.unwrap_err();
    assert_eq!(error.class(), Class::Data, "{error}");
    let mut portal = client.portal(sql, &[&10]).await.unwrap();
    let error = portal.fetch(0).await.unwrap_err();
    assert_eq!(error.class(), Class::Data, "{error}");
    assert_eq!(numbers(portal.fetch(3).await.unwrap()), [1, 2, 3]);
    // Other statements may run in between, including another portal of the same statement.
    let mut other = client.portal(sql, &[&2]).await.unwrap();
    assert_eq!(numbers(other.fetch(9).await.unwrap()), [4, 5]);
    assert!(other.is_complete() && !portal.is_complete());
    let last = client.query_one("SELECT last_value FROM computed", &[]);
    assert_eq!(last.await.unwrap().get::<i64>(0).unwrap(), 5);
    assert_eq!(numbers(portal.fetch(3).await.unwrap()), [6, 7, 8]);
    let open = "SELECT count(*) FROM pg_cursors WHERE statement LIKE '%nextval%' AND name <> ''";
    let open = async || {
        let row = client.query_one(open, &[]).await.unwrap();
        row.get::<i64>(0).unwrap()
    };
    assert_eq!(open().await, 2);
    drop((portal, other));
    assert_eq!(open().await, 0);

    let failing = client.portal("SELECT 1 / (3 - n) FROM generate_series(1, 5) AS n", &[]);
    let mut failing = failing.await.unwrap();
    assert_eq!(failing.fetch(2).await.unwrap().len(), 2);
    let error = failing.fetch(2).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("22012"), "{error}");
    drop(failing);
    connection.rollback(soon()).await.unwrap();
    assert_eq!(
        connection
            .ping(soon())
            .await
            .map_err(|error| error.to_string()),
        Ok(())
    );
}

#[tokio::test]
async fn values_of_pgvector_pass_as_they_do_with_tokio_postgres() {
    use pgvector::Vector;
    let server = or_skip!(Postgres::shared());
    let database = server.database("client_pgvector");
    let connection = connect(server, &database).await;
    // The crate recognizes its type by the name; the extension does not have to be installed.
    let domain = "CREATE DOMAIN vector AS bytea";
    connection.batch(domain, soon()).await.unwrap();
    let (ours, peer) = (connection.client(), database.client().await);
    let sent = "SELECT encode($1::vector, 'hex')";
    // A column of a domain is announced as its base type; the elements of an array are not.
    let both = "SELECT ARRAY[$1::vector, NULL::vector, $2::vector]";
    let (one, two) = (Vector::from(vec![1.5, -2.0, 0.0]), Vector::from(vec![]));
    for vector in [&one, &two] {
        let here = ours.query_one(sent, &[vector]).await.unwrap();
        let there = peer.query_one(sent, &[vector]).await.unwrap();
        assert_eq!(here.get::<String>(0).unwrap(), there.get::<_, String>(0));
    }
    let here = ours.query_one(both, &[&one, &two]).await.unwrap();
    let there = peer.query_one(both, &[&one, &two]).await.unwrap();
    let here: Vec<Option<Vector>> = here.get(0).unwrap();
    assert_eq!(here, there.get::<_, Vec<Option<Vector>>>(0));
    assert_eq!(here, [Some(one), None, Some(two.clone())]);
    // Both refuse a type that is not theirs.
    let error = ours.query_one("SELECT $1::text", &[&two]).await;
    assert_eq!(error.unwrap_err().class(), Class::Data);
}
