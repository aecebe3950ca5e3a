use underpin_core::driver::{Connection as _, ConnectionExt as _, Pooled as _, SessionState};
use underpin_core::{Class, Effect, Isolation, TransactionOptions};
use underpin_testkit::{Postgres, or_skip};

use crate::place::{call, connect, soon};

#[tokio::test]
async fn begin_commit_and_rollback() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("transactions");
    let connection = connect(server, &database).await;
    connection
        .batch("CREATE TABLE item (id int)", soon())
        .await
        .unwrap();
    let count = || connection.query::<i64>(call("SELECT count(*) FROM item", &[]), 1);

    connection
        .begin(TransactionOptions::default(), soon())
        .await
        .unwrap();
    let error = connection
        .begin(TransactionOptions::default(), soon())
        .await
        .unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Unsupported, Effect::NotSent),
        "{error}"
    );
    connection
        .execute(call("INSERT INTO item VALUES (1)", &[]))
        .await
        .unwrap();
    connection.commit().await.unwrap();
    assert_eq!(count().await.unwrap(), [1]);

    connection
        .begin(TransactionOptions::default(), soon())
        .await
        .unwrap();
    connection
        .execute(call("INSERT INTO item VALUES (2)", &[]))
        .await
        .unwrap();
    connection.rollback(soon()).await.unwrap();
    assert_eq!(count().await.unwrap(), [1]);

    let error = connection.commit().await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Closed, Effect::NotSent),
        "{error}"
    );
    connection.rollback(soon()).await.unwrap();

    let options = TransactionOptions {
        isolation: Some(Isolation::Serializable),
        read_only: true,
        deferrable: true,
    };
    connection.begin(options, soon()).await.unwrap();
    let settings = "SELECT concat_ws(' ', current_setting('transaction_isolation'), \
        current_setting('transaction_read_only'), current_setting('transaction_deferrable'))";
    let settings = connection
        .query::<String>(call(settings, &[]), 1)
        .await
        .unwrap();
    assert_eq!(settings, ["serializable on on"]);
    connection.commit().await.unwrap();
    assert_eq!(connection.state(), SessionState::Clean);
}

#[tokio::test]
async fn a_failed_transaction_is_not_committed() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("failed_transaction");
    let connection = connect(server, &database).await;
    connection
        .batch("CREATE TABLE item (id int)", soon())
        .await
        .unwrap();
    connection
        .begin(TransactionOptions::default(), soon())
        .await
        .unwrap();
    connection
        .execute(call("INSERT INTO item VALUES (1)", &[]))
        .await
        .unwrap();
    connection
        .execute(call("SELECT 1/0", &[]))
        .await
        .unwrap_err();
    let error = connection.commit().await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Closed, Effect::RolledBack),
        "{error}"
    );
    assert_eq!(connection.state(), SessionState::Clean);
    let count = connection
        .query::<i64>(call("SELECT count(*) FROM item", &[]), 1)
        .await
        .unwrap();
    assert_eq!(count, [0]);
}

#[tokio::test]
async fn a_commit_that_a_deferred_constraint_refuses() {
    let server = or_skip!(Postgres::shared());
    let database = server.database("deferred");
    let connection = connect(server, &database).await;
    let setup = "CREATE TABLE item (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)";
    connection.batch(setup, soon()).await.unwrap();
    connection
        .begin(TransactionOptions::default(), soon())
        .await
        .unwrap();
    connection
        .execute(call("INSERT INTO item VALUES (1), (1)", &[]))
        .await
        .unwrap();
    let error = connection.commit().await.unwrap_err();
    assert_eq!(
        (error.class(), error.effect()),
        (Class::Constraint, Effect::RolledBack),
        "{error}"
    );
    assert_eq!(connection.state(), SessionState::Clean);
}

#[tokio::test]
async fn a_commit_that_did_not_wait_for_its_replicas_is_unknown() {
    let server = or_skip!(
        Postgres::builder()
            .setting("synchronous_standby_names", "nobody")
            .start()
    );
    let database = {
        // Creating a database commits, and would wait as well.
        let admin = server.admin().await;
        admin
            .batch_execute("ALTER SYSTEM SET synchronous_commit = local")
            .await
            .unwrap();
        admin
            .batch_execute("SELECT pg_reload_conf()")
            .await
            .unwrap();
        server.database("unreplicated")
    };
    let connection = connect(&server, &database).await;
    connection
        .batch(
            "SET synchronous_commit = local; CREATE TABLE item (id int)",
            soon(),
        )
        .await
        .unwrap();
    connection
        .batch("SET synchronous_commit = on", soon())
        .await
        .unwrap();
    let pid = connection
        .query::<i32>(call("SELECT pg_backend_pid()", &[]), 1)
        .await
        .unwrap()[0];
    let admin = server.admin().await;
    let cancel = || async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        admin
            .execute("SELECT pg_cancel_backend($1)", &[&pid])
            .await
            .unwrap();
    };
    connection
        .begin(TransactionOptions::default(), soon())
        .await
        .unwrap();
    connection
        .execute(call("INSERT INTO item VALUES (1)", &[]))
        .await
        .unwrap();
    let (committed, ()) = tokio::join!(connection.commit(), cancel());
    let error = committed.unwrap_err();
    assert_eq!(error.effect(), Effect::Unknown, "{error}");
    assert!(error.to_string().contains("replicas"), "{error}");

    // The same for a statement that commits by itself.
    let insert = connection.execute(call("INSERT INTO item VALUES (2)", &[]));
    let (inserted, ()) = tokio::join!(insert, cancel());
    assert_eq!(inserted.unwrap_err().effect(), Effect::Unknown);
    assert_eq!(connection.state(), SessionState::Changed);
    assert!(
        connection
            .notices()
            .iter()
            .any(|notice| notice.code == "01000")
    );
}
