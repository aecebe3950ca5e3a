use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use underpin_core::driver::{BulkTarget, Call, ConnectionExt as _, Pooled as _, SessionState};
use underpin_core::{Class, Deadline, Effect, Stage, TransactionOptions, Value};

use super::{Subject, call, rows, run, soon};

const TARGET: BulkTarget<'_> = BulkTarget {
    table: "suite",
    columns: &["id", "name"],
};

/// A ping is answered, and the session is clean before and after it.
pub async fn a_ping_leaves_the_session_as_it_is(subject: Subject) {
    let connection = subject.connect().await;
    assert_eq!(connection.state(), SessionState::Clean);
    connection.ping(soon()).await.unwrap();
    assert_eq!(connection.state(), SessionState::Clean);
    assert!(connection.is_open());
    assert_eq!(connection.in_flight(), 0);
}

/// Parameters come back as columns, NULL among them.
pub async fn values_arrive_as_they_were_sent(subject: Subject) {
    let connection = subject.connect().await;
    let params = [Value::I32(7), Value::Text("é'\"".into())];
    let echo: Vec<(i32, String)> = rows(&connection, subject.sql.echo, &params).await.unwrap();
    assert_eq!(echo, [(7, "é'\"".to_owned())]);
    let nothing = [Value::Null, Value::Null];
    let echo: Vec<(Option<i32>, Option<String>)> =
        rows(&connection, subject.sql.echo, &nothing).await.unwrap();
    assert_eq!(echo, [(None, None)]);
}

/// The number of rows that a statement changed.
pub async fn changed_rows_are_counted(subject: Subject) {
    let connection = subject.with_table().await;
    for id in 1..4 {
        assert_eq!(subject.insert(&connection, id, "a").await.unwrap(), 1);
    }
    assert_eq!(
        run(&connection, "DELETE FROM suite WHERE id > 1")
            .await
            .unwrap(),
        2
    );
    assert_eq!(
        run(&connection, "DELETE FROM suite WHERE id > 1")
            .await
            .unwrap(),
        0
    );
    assert_eq!(connection.state(), SessionState::Clean);
}

/// A limit bounds what is kept, not what the statement does.
pub async fn rows_beyond_the_limit_are_dropped_and_the_statement_runs_to_its_end(subject: Subject) {
    let connection = subject.with_table().await;
    let thousand = [Value::I64(1000)];
    let numbers = call(subject.sql.numbers, &thousand);
    let two: Vec<i64> = connection.query(numbers, 2).await.unwrap();
    assert_eq!(two, [1, 2]);
    assert_eq!(connection.state(), SessionState::Clean);
    subject.insert(&connection, 1, "a").await.unwrap();
    assert_eq!(subject.names(&connection).await.len(), 1);
}

/// A value that its type cannot hold is `Class::Data`, and the statement has run.
pub async fn a_row_that_does_not_fit_is_an_error_after_the_statement(subject: Subject) {
    let connection = subject.connect().await;
    let thousand = [Value::I64(1000)];
    let error = rows::<u8>(&connection, subject.sql.numbers, &thousand)
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Data, Effect::Applied)
    );
    assert_eq!(connection.state(), SessionState::Clean);
}

/// A result with other columns than the type has is refused, and the connection is as before.
pub async fn columns_that_do_not_fit_leave_no_trace(subject: Subject) {
    let connection = subject.with_table().await;
    let error = rows::<(i64,)>(&connection, subject.sql.select, &[])
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Data, Effect::NotSent)
    );
    assert_eq!(connection.state(), SessionState::Clean);
    assert_eq!(subject.names(&connection).await, []);
}

/// A second row with the same key has the class, the effect and a code, and changes nothing.
pub async fn a_violated_constraint_is_named_and_rolled_back(subject: Subject) {
    let connection = subject.with_table().await;
    subject.insert(&connection, 1, "a").await.unwrap();
    let error = subject.insert(&connection, 1, "b").await.unwrap_err();
    assert_eq!(error.class(), Class::Constraint, "{error}");
    assert_eq!(error.effect(), Effect::RolledBack);
    assert!(error.code().is_some());
    assert_eq!(connection.state(), SessionState::Clean);
    assert_eq!(subject.names(&connection).await, [(1, Some("a".into()))]);
}

/// A statement that is not SQL is `Class::Syntax`.
pub async fn what_is_not_sql_is_refused(subject: Subject) {
    let connection = subject.connect().await;
    let error = run(&connection, subject.sql.nonsense).await.unwrap_err();
    assert_eq!(error.class(), Class::Syntax, "{error}");
    assert!(
        matches!(error.effect(), Effect::RolledBack | Effect::NotSent),
        "{error:?}"
    );
    assert_eq!(connection.state(), SessionState::Clean);
}

/// More rows than any buffer holds arrive in order, and the end frees the connection.
pub async fn a_stream_gives_all_rows_in_order(subject: Subject) {
    let connection = subject.connect().await;
    let many = [Value::I64(5000)];
    let numbers = call(subject.sql.numbers, &many);
    let (columns, mut stream) = connection.stream::<i64>(numbers).await.unwrap();
    assert_eq!(columns.len(), 1);
    for expected in 1..=5000 {
        assert_eq!(stream.next().await.unwrap().unwrap(), expected);
    }
    assert!(stream.next().await.is_none());
    drop(stream);
    connection.ping(soon()).await.unwrap();
    assert_eq!(connection.state(), SessionState::Clean);
}

/// A stream that is dropped in its middle is cleaned up by a reset.
pub async fn a_dropped_stream_leaves_a_connection_that_can_be_reset(subject: Subject) {
    let connection = subject.connect().await;
    let many = [Value::I64(100_000)];
    let numbers = call(subject.sql.numbers, &many);
    let (_, mut stream) = connection.stream::<i64>(numbers).await.unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap(), 1);
    assert_eq!(connection.state(), SessionState::Busy);
    drop(stream);
    connection.reset(soon()).await.unwrap();
    assert_eq!(connection.state(), SessionState::Clean);
    connection.ping(soon()).await.unwrap();
}

/// Statements in one text run in order.
pub async fn a_batch_runs_each_statement(subject: Subject) {
    let connection = subject.with_table().await;
    let batch = "INSERT INTO suite (id, name) VALUES (1, 'a'); \
                 INSERT INTO suite (id, name) VALUES (2, NULL); \
                 DELETE FROM suite WHERE id = 1";
    connection.batch(batch, soon()).await.unwrap();
    assert_eq!(subject.names(&connection).await, [(2, None)]);
}

/// Rows go in together, or, where one is refused, not at all.
pub async fn a_bulk_insert_takes_all_rows_or_none(subject: Subject) {
    let connection = subject.with_table().await;
    let many = (1..=3000).map(|id: i64| (id, (id % 2 == 0).then(|| format!("n{id}"))));
    assert_eq!(
        connection.bulk_insert(TARGET, many, soon()).await.unwrap(),
        3000
    );
    assert_eq!(subject.names(&connection).await.len(), 3000);
    let twice = (3001..=6000).chain([3001]).map(|id: i64| (id, "again"));
    let error = connection
        .bulk_insert(TARGET, twice, soon())
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Constraint, Effect::RolledBack),
        "{error}"
    );
    assert_eq!(subject.names(&connection).await.len(), 3000);
    assert_eq!(connection.state(), SessionState::Clean);
    let none = std::iter::empty::<(i64, String)>();
    assert_eq!(
        connection.bulk_insert(TARGET, none, soon()).await.unwrap(),
        0
    );
}

/// COMMIT keeps, ROLLBACK undoes, and a failed transaction says so.
pub async fn a_transaction_is_kept_or_undone(subject: Subject) {
    let connection = subject.with_table().await;
    let options = TransactionOptions::default();
    connection.begin(options, soon()).await.unwrap();
    subject.insert(&connection, 1, "a").await.unwrap();
    assert_eq!(connection.state(), SessionState::InTransaction);
    connection.commit().await.unwrap();
    assert_eq!(connection.state(), SessionState::Clean);
    connection.begin(options, soon()).await.unwrap();
    subject.insert(&connection, 2, "b").await.unwrap();
    connection.rollback(soon()).await.unwrap();
    assert_eq!(connection.state(), SessionState::Clean);
    assert_eq!(subject.names(&connection).await, [(1, Some("a".into()))]);
}

/// A connection that comes back within a transaction is clean after a reset.
pub async fn a_reset_rolls_back(subject: Subject) {
    let connection = subject.with_table().await;
    connection
        .begin(TransactionOptions::default(), soon())
        .await
        .unwrap();
    subject.insert(&connection, 1, "a").await.unwrap();
    connection.reset(soon()).await.unwrap();
    assert_eq!(connection.state(), SessionState::Clean);
    assert_eq!(subject.names(&connection).await, []);
}

/// A statement past its deadline is a timeout of the statement, and the connection goes on.
pub async fn a_statement_past_its_deadline_is_stopped(subject: Subject) {
    let connection = subject.connect().await;
    let slow = Call {
        deadline: Deadline::after(Instant::now(), Duration::from_millis(100)),
        ..call(subject.sql.slow, &[])
    };
    let error = connection.execute(slow).await.unwrap_err();
    let stage = Stage::Statement;
    assert_eq!(error.class(), Class::Timeout { stage }, "{error}");
    connection.reset(soon()).await.unwrap();
    assert_eq!(connection.state(), SessionState::Clean);
    connection.ping(soon()).await.unwrap();
}

/// A statement whose future is dropped leaves the connection busy until a reset.
pub async fn a_dropped_statement_leaves_a_connection_that_can_be_reset(subject: Subject) {
    let connection = subject.connect().await;
    {
        let slow = connection.execute(call(subject.sql.slow, &[]));
        let patience = Duration::from_millis(100);
        assert!(tokio::time::timeout(patience, slow).await.is_err());
    }
    assert_eq!(connection.state(), SessionState::Busy);
    connection.reset(soon()).await.unwrap();
    assert_eq!(connection.state(), SessionState::Clean);
    connection.ping(soon()).await.unwrap();
}

/// The engine says what a statement's parameters and columns are, without running it.
pub async fn a_statement_is_described_and_not_run(subject: Subject) {
    let connection = subject.with_table().await;
    let described = connection
        .describe(subject.sql.insert, soon())
        .await
        .unwrap();
    assert_eq!(described.parameters.len(), 2);
    assert_eq!(described.columns.len(), 0);
    let described = connection
        .describe(subject.sql.select, soon())
        .await
        .unwrap();
    let names: Vec<&str> = described
        .columns
        .iter()
        .map(|column| &*column.name)
        .collect();
    assert_eq!(names, ["id", "name"]);
    assert_eq!(subject.names(&connection).await, []);
}

/// A statement that was prepared before its table changed reads the columns of today.
pub async fn changed_columns_are_announced_again(subject: Subject) {
    let connection = subject.with_table().await;
    subject.insert(&connection, 1, "a").await.unwrap();
    let all = "SELECT * FROM suite";
    let before: Vec<(i64, String)> = rows(&connection, all, &[]).await.unwrap();
    assert_eq!(before.len(), 1);
    run(&connection, "ALTER TABLE suite ADD COLUMN more text")
        .await
        .unwrap();
    let after: Vec<(i64, String, Option<String>)> = rows(&connection, all, &[]).await.unwrap();
    assert_eq!(after, [(1, "a".into(), None)]);
}

/// After a close another connection finds nothing of the first in its way.
pub async fn a_closed_connection_frees_the_server(subject: Subject) {
    let first = subject.with_table().await;
    first
        .begin(TransactionOptions::default(), soon())
        .await
        .unwrap();
    subject.insert(&first, 1, "a").await.unwrap();
    Box::new(first).close(soon()).await;
    let second = subject.connect().await;
    subject.insert(&second, 1, "b").await.unwrap();
    assert_eq!(subject.names(&second).await, [(1, Some("b".into()))]);
}
