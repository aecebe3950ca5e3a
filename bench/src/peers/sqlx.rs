use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use super::{CONNECTIONS, SELECT, SLEEP, Statements, Transactions};
use crate::server::Server;

/// sqlx with its cache of prepared statements. By default it pings before each use; `ping` is
/// whether it does. It pings after each use in any case.
pub(crate) async fn open(server: &Server, ping: bool) -> PgPool {
    PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .test_before_acquire(ping)
        .connect(&server.url())
        .await
        .expect("sqlx connects")
}

impl Statements for PgPool {
    async fn select(&self, _: usize, n: i64) -> i64 {
        let query = sqlx::query_scalar(SELECT).bind(n);
        query.fetch_one(self).await.unwrap()
    }

    async fn sleep(&self, _: usize) {
        sqlx::query(SLEEP).execute(self).await.unwrap();
    }
}

impl Transactions for PgPool {
    async fn transaction(&self, n: i64) -> i64 {
        let mut transaction = self.begin().await.unwrap();
        let query = sqlx::query_scalar(SELECT).bind(n);
        let answer = query.fetch_one(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
        answer
    }
}
