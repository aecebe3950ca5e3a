use futures_util::future::try_join_all;
use underpin_core::{Executor, Result};
use underpin_migrate::{OpenConnection, OpenDatabase};
use underpin_schema::{Schema, SchemaDialect, Selection};

/// Reads what is selected of the database, in one snapshot and a fixed number of queries.
///
/// # Errors
/// [`Class::Unsupported`](underpin_core::Class::Unsupported) on an engine whose catalog is not
/// known, else that of the queries; [`Class::Data`](underpin_core::Class::Data) where an answer
/// cannot be understood.
///
/// # Cancel safety
/// Safe: it only reads.
pub async fn introspect<D: OpenDatabase>(db: &D, selection: &Selection) -> Result<Schema> {
    let catalog = &SchemaDialect::of(db.config().engine())?.catalog;
    let connection = db.acquire().await?;
    let transaction = connection.begin(catalog.snapshot).await?;
    let version = match catalog.prepare {
        Some(sql) => transaction.query_scalar(sql, ()).await?,
        None => 0,
    };
    let statements = (catalog.statements)(version, selection)?;
    let answers = if catalog.pipelined {
        let asked = statements.iter();
        let asked = asked.map(|one| transaction.query(&one.sql, one.params.clone()));
        try_join_all(asked).await?
    } else {
        let mut answers = Vec::new();
        for statement in statements {
            answers.push(transaction.query(&statement.sql, statement.params).await?);
        }
        answers
    };
    D::Connection::commit(transaction).await?;
    (catalog.assemble)(&answers)
}
