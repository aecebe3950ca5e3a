use underpin_core::driver::{Connection as _, ConnectionExt as _, Pooled as _};
use underpin_core::{Role, Value};
use underpin_postgres::Notification;
use underpin_testkit::{Postgres, or_skip};

use crate::place::{call, connect, eventually, soon};

#[tokio::test]
async fn notifications_arrive() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("notifications");
    let (listener, speaker) = (
        connect(server, &database).await,
        connect(server, &database).await,
    );
    let mut news = listener.notifications();
    listener.batch("LISTEN news", soon()).await.unwrap();
    let params = [Value::Text("it rains".into())];
    speaker
        .execute(call("SELECT pg_notify('news', $1)", &params))
        .await
        .unwrap();
    let Notification {
        channel, payload, ..
    } = news.recv().await.unwrap();
    assert_eq!((channel.as_str(), payload.as_str()), ("news", "it rains"));
}

#[tokio::test]
async fn notices_are_kept_up_to_a_bound() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("notices");
    let connection = connect(server, &database).await;
    let raise = "DO $$ BEGIN FOR n IN 1..100 LOOP RAISE WARNING 'number %', n USING HINT = 'none'; END LOOP; END $$";
    connection.batch(raise, soon()).await.unwrap();
    let notices = connection.notices();
    assert_eq!(notices.len(), 64);
    assert_eq!(notices[63].message, "number 100");
    assert_eq!(
        (notices[63].severity.as_str(), notices[63].hint.as_deref()),
        ("WARNING", Some("none"))
    );
}

#[tokio::test]
async fn the_role_follows_what_the_server_reports() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("role");
    let connection = connect(server, &database).await;
    assert_eq!(connection.role(), Role::Primary);
    connection
        .batch("SET default_transaction_read_only = on", soon())
        .await
        .unwrap();
    // Before PostgreSQL 14 it is not reported, and the role is the one that was queried first.
    let reported = match crate::place::major(&connection) {
        13 => Role::Primary,
        _ => Role::Replica,
    };
    assert_eq!(connection.role(), reported);
    connection.reset(soon()).await.unwrap();
    assert_eq!(connection.role(), Role::Primary);
}

#[tokio::test]
async fn nothing_is_logged_or_shown_that_is_secret() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("secrets");
    let connection = connect(server, &database).await;
    let options = crate::place::options(server, &database);
    let connector =
        underpin_postgres::Connector::new([crate::place::endpoint(server)], options).unwrap();
    for shown in [
        format!("{connection:?}"),
        format!("{connector:?}"),
        format!("{connector:#?}"),
    ] {
        assert!(!shown.contains(server.password()));
    }
    assert!(connection.is_open());
}

#[tokio::test]
async fn a_dropped_connection_ends_its_session() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("dropped_connection");
    let connection = connect(server, &database).await;
    let looker = database.client().await;
    let pid = connection
        .query::<i32>(call("SELECT pg_backend_pid()", &[]), 1)
        .await
        .unwrap()[0];
    drop(connection);
    let mut gone = false;
    for _ in 0..1000 {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1";
        gone = looker
            .query_one(sql, &[&pid])
            .await
            .unwrap()
            .get::<_, i64>(0)
            == 0;
        if gone {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    eventually("the end of the session", || gone).await;
}
