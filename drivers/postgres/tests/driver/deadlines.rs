use std::time::Duration;

use underpin_core::driver::{Call, Connection as _, ConnectionExt as _, Pooled as _, SessionState};
use underpin_core::{Class, Deadline, Effect, Endpoint, Stage, TransactionOptions};
use underpin_postgres::Options;
use underpin_testkit::{Postgres, Proxy, or_skip};

use crate::place::{
    call, connect, connect_through, connect_with, endpoint, eventually, options, soon, within,
};

const STATEMENT: Class = Class::Timeout {
    stage: Stage::Statement,
};

#[tokio::test]
async fn a_statement_is_canceled_at_its_deadline() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("deadline");
    let connection = connect(server, &database).await;
    for size in [256, 0] {
        let options = Options {
            statement_cache_size: size,
            ..options(server, &database)
        };
        let connection = connect_with(endpoint(server), options).await;
        let sleep = Call {
            deadline: within(150),
            ..call("SELECT pg_sleep(30)", &[])
        };
        let error = connection.execute(sleep).await.unwrap_err();
        assert_eq!(
            (error.class(), error.effect()),
            (STATEMENT, Effect::RolledBack),
            "{error}"
        );
        assert_eq!(connection.state(), SessionState::Clean);
        connection.ping(soon()).await.unwrap();
    }
    let sleep = Call {
        deadline: within(150),
        ..call("SELECT 1 FROM pg_sleep(30)", &[])
    };
    let error = connection.query::<i32>(sleep, 1).await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (STATEMENT, Effect::RolledBack),
        "{error}"
    );
    let error = connection
        .batch("SELECT pg_sleep(30)", within(150))
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (STATEMENT, Effect::RolledBack),
        "{error}"
    );
    let passed = Call {
        deadline: within(0),
        ..call("SELECT 1", &[])
    };
    let error = connection.execute(passed).await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (STATEMENT, Effect::NotSent),
        "{error}"
    );
}

#[tokio::test]
async fn a_stream_is_canceled_at_its_deadline() {
    use futures_util::StreamExt;
    let server = or_skip!(Postgres::shared());
    let database = server.database("stream_deadline");
    let connection = connect(server, &database).await;
    let sql = "SELECT n FROM generate_series(1, 1000) n, pg_sleep(0.01 * n)";
    let slow = Call {
        deadline: within(300),
        ..call(sql, &[])
    };
    let (_, rows) = connection.stream::<i32>(slow).await.unwrap();
    let rows: Vec<_> = rows.collect().await;
    let error = rows.into_iter().last().unwrap().unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (STATEMENT, Effect::RolledBack),
        "{error}"
    );
    assert_eq!(connection.state(), SessionState::Clean);

    // A statement whose reader is slow has completed.
    let quick = Call {
        deadline: within(300),
        ..call("SELECT generate_series(1, 3)", &[])
    };
    let (_, mut rows) = connection.stream::<i32>(quick).await.unwrap();
    rows.next().await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    let rest: Vec<_> = rows.collect().await;
    assert!(
        rest.iter().all(Result::is_ok),
        "what has arrived is read: {rest:?}"
    );
}

#[tokio::test]
async fn a_server_that_does_not_answer_loses_the_connection() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("black_hole");
    for (within_transaction, effect) in [(false, Effect::Unknown), (true, Effect::RolledBack)] {
        let proxy = Proxy::before(server);
        let connection = connect_through(&proxy, server, &database).await;
        connection
            .batch("CREATE TABLE IF NOT EXISTS item (id int)", soon())
            .await
            .unwrap();
        if within_transaction {
            connection
                .begin(TransactionOptions::default(), soon())
                .await
                .unwrap();
        }
        connection
            .execute(call("INSERT INTO item VALUES (1)", &[]))
            .await
            .unwrap();
        proxy.black_hole();
        let insert = Call {
            deadline: within(150),
            ..call("INSERT INTO item VALUES (1)", &[])
        };
        let error = connection.execute(insert).await.unwrap_err();
        assert_eq!(
            (error.class(), error.effect()),
            (STATEMENT, effect),
            "{error}"
        );
        assert_eq!(connection.state(), SessionState::Broken);
    }
}

#[tokio::test]
async fn a_statement_timeout_holds_on_a_silent_network_too() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("silent_timeout");
    let proxy = Proxy::before(server);
    let options = Options {
        statement_timeout: Some(Duration::from_millis(300)),
        ..options(server, &database)
    };
    let through = Endpoint::tcp("127.0.0.1", proxy.port());
    let connection = connect_with(through, options).await;
    let asked = || Call {
        deadline: Deadline::NONE,
        ..call("SELECT 1", &[])
    };
    connection.query::<i32>(asked(), 1).await.unwrap();
    proxy.black_hole();
    let error = connection.query::<i32>(asked(), 1).await.unwrap_err();
    assert_eq!(error.class(), STATEMENT, "{error}");
    assert_eq!(connection.state(), SessionState::Broken);
}

#[tokio::test]
async fn a_commit_that_is_never_answered_is_given_up_and_unknown() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("commit_black_hole");
    let proxy = Proxy::before(server);
    let connection = connect_through(&proxy, server, &database).await;
    let begun = TransactionOptions::default();
    connection.begin(begun, soon()).await.unwrap();
    connection
        .execute(call("CREATE TABLE item (id int)", &[]))
        .await
        .unwrap();
    proxy.black_hole();
    // Half a minute passes immediately, since no task has anything to do.
    tokio::time::pause();
    let error = connection.commit().await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (STATEMENT, Effect::Unknown),
        "{error}"
    );
    assert_eq!(connection.state(), SessionState::Broken);
}

#[tokio::test]
async fn beside_other_statements_nothing_is_canceled() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("lane_deadline");
    let connection = connect(server, &database).await;
    let early = connection.execute(Call {
        deadline: within(100),
        ..call("SELECT pg_sleep(0.4)", &[])
    });
    let late = connection.execute(call("SELECT pg_sleep(0.1)", &[]));
    let (early, late) = tokio::join!(early, late);
    let error = early.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (STATEMENT, Effect::Unknown),
        "{error}"
    );
    late.unwrap();
    eventually("the last answer", || {
        connection.state() == SessionState::Clean
    })
    .await;
}

#[tokio::test]
async fn the_servers_own_limits_are_told_apart() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("limits");
    let limited = Options {
        statement_timeout: Some(Duration::from_millis(100)),
        ..options(server, &database)
    };
    let connection = connect_with(endpoint(server), limited).await;
    let error = connection
        .execute(call("SELECT pg_sleep(30)", &[]))
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (STATEMENT, Effect::RolledBack),
        "{error}"
    );
    // Nearly every statement exceeds such a short limit, which is intended.
    let tiny = Options {
        statement_timeout: Some(Duration::from_nanos(1)),
        ..options(server, &database)
    };
    let tiny = connect_with(endpoint(server), tiny).await;
    let shown = tiny
        .query::<String>(call("SHOW statement_timeout", &[]), 1)
        .await;
    assert!(shown.is_err() || shown.unwrap() == ["1ms"]);

    let holder = connect(server, &database).await;
    holder
        .batch(
            "CREATE TABLE item (id int); INSERT INTO item VALUES (1)",
            soon(),
        )
        .await
        .unwrap();
    holder
        .begin(TransactionOptions::default(), soon())
        .await
        .unwrap();
    holder
        .execute(call("SELECT * FROM item FOR UPDATE", &[]))
        .await
        .unwrap();
    let waiter = connect(server, &database).await;
    let error = waiter
        .execute(call("SELECT * FROM item FOR UPDATE NOWAIT", &[]))
        .await
        .unwrap_err();
    assert_eq!(error.class(), Class::Busy, "{error}");
    waiter
        .batch("SET lock_timeout = '50ms'", soon())
        .await
        .unwrap();
    let error = waiter
        .execute(call("SELECT * FROM item FOR UPDATE", &[]))
        .await
        .unwrap_err();
    assert_eq!(
        error.class(),
        Class::Timeout { stage: Stage::Lock },
        "{error}"
    );

    let sleeper = connect(server, &database).await;
    let pid = sleeper
        .query::<i32>(call("SELECT pg_backend_pid()", &[]), 1)
        .await
        .unwrap()[0];
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let params = [underpin_core::Value::I32(pid)];
        waiter
            .execute(call("SELECT pg_cancel_backend($1)", &params))
            .await
            .unwrap();
    };
    let (slept, ()) = tokio::join!(sleeper.execute(call("SELECT pg_sleep(30)", &[])), cancel);
    let error = slept.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Canceled, Effect::RolledBack),
        "{error}"
    );
}
