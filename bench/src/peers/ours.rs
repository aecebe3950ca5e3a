use underpin::{Config, Database, Error};

use super::{CONNECTIONS, LIST, Lists, SELECT, SLEEP, Statements, Transactions};
use crate::server::Server;

/// Ours, with nothing set but the number of connections.
pub(crate) async fn open(server: &Server) -> Database {
    let config = Config::builder()
        .url(server.url())
        .pool_max_size(CONNECTIONS)
        .build()
        .expect("the configuration is good");
    Database::connect(config).await.expect("Underpin connects")
}

impl Statements for Database {
    async fn select(&self, _: usize, n: i64) -> i64 {
        self.query_scalar(SELECT, (n,)).await.unwrap()
    }

    async fn sleep(&self, _: usize) {
        self.execute(SLEEP, ()).await.unwrap();
    }
}

impl Transactions for Database {
    async fn transaction(&self, n: i64) -> i64 {
        let answer: Result<i64, Error> = self
            .transaction(|tx| async move { tx.query_scalar(SELECT, (n,)).await })
            .await;
        answer.unwrap()
    }
}

impl Lists for Database {
    async fn list(&self, _: usize, n: i64) -> usize {
        let rows: Vec<(i64, String, f64)> = self.query_as(LIST, (n,)).await.unwrap();
        rows.len()
    }
}
