use deadpool_postgres::{Manager, Pool};
use tokio_postgres::NoTls;

use super::{CONNECTIONS, SELECT, SLEEP, Statements, Transactions};
use crate::server::Server;

/// deadpool-postgres with its cache of prepared statements. By default it looks whether a
/// connection is closed, asks it nothing, and waits for ever.
pub(crate) fn open(server: &Server) -> Pool {
    Pool::builder(Manager::new(server.driver_config(), NoTls))
        .max_size(CONNECTIONS as usize)
        .build()
        .expect("the options are good")
}

impl Statements for Pool {
    async fn select(&self, _: usize, n: i64) -> i64 {
        let client = self.get().await.unwrap();
        let statement = client.prepare_cached(SELECT).await.unwrap();
        client.query_one(&statement, &[&n]).await.unwrap().get(0)
    }

    async fn sleep(&self, _: usize) {
        let client = self.get().await.unwrap();
        let statement = client.prepare_cached(SLEEP).await.unwrap();
        client.execute(&statement, &[]).await.unwrap();
    }
}

impl Transactions for Pool {
    async fn transaction(&self, n: i64) -> i64 {
        let mut client = self.get().await.unwrap();
        let transaction = client.transaction().await.unwrap();
        let statement = transaction.prepare_cached(SELECT).await.unwrap();
        let row = transaction.query_one(&statement, &[&n]).await.unwrap();
        transaction.commit().await.unwrap();
        row.get(0)
    }
}
