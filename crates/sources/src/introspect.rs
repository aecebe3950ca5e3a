use futures_util::future::try_join_all;
use underpin_core::{Class, Engine, Error, Executor, Isolation, Result, TransactionOptions};
use underpin_migrate::{OpenConnection, OpenDatabase};
use underpin_schema::{Schema, Selection, postgres, sqlite};

/// Reads what is selected of the database, in one snapshot and a fixed number of queries.
///
/// # Errors
/// [`Class::Unsupported`] on an engine whose catalog is not known, else that of the queries;
/// [`Class::Data`] where an answer cannot be understood.
///
/// # Cancel safety
/// Safe: it only reads.
pub async fn introspect<D: OpenDatabase>(db: &D, selection: &Selection) -> Result<Schema> {
    match db.config().engine() {
        Engine::Postgres => introspect_postgres(db, selection).await,
        Engine::Sqlite => introspect_sqlite(db, selection).await,
        engine => Err(Error::new(
            Class::Unsupported,
            format!("The schema of a database on {engine} cannot be read."),
        )),
    }
}

async fn introspect_postgres<D: OpenDatabase>(db: &D, selection: &Selection) -> Result<Schema> {
    let snapshot = TransactionOptions {
        isolation: Some(Isolation::RepeatableRead),
        read_only: true,
        deferrable: false,
    };
    let connection = db.acquire().await?;
    let transaction = connection.begin(snapshot).await?;
    let version = transaction.query_scalar(postgres::PREPARE, ()).await?;
    let statements = postgres::statements(version, selection)?;
    // All are sent at once: the server works on the next while the answer of one is read.
    let asked = statements.iter();
    let asked = asked.map(|one| transaction.query(&one.sql, one.params.clone()));
    let answers = try_join_all(asked).await?;
    D::Connection::commit(transaction).await?;
    postgres::assemble(&answers)
}

async fn introspect_sqlite<D: OpenDatabase>(db: &D, selection: &Selection) -> Result<Schema> {
    let snapshot = TransactionOptions {
        read_only: true,
        ..TransactionOptions::default()
    };
    let connection = db.acquire().await?;
    let transaction = connection.begin(snapshot).await?;
    let mut answers = Vec::new();
    for statement in sqlite::statements(selection) {
        answers.push(transaction.query(&statement.sql, statement.params).await?);
    }
    D::Connection::commit(transaction).await?;
    sqlite::assemble(&answers)
}
