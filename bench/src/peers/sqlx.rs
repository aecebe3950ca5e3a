use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use super::{CONNECTIONS, LIST, Lists, SELECT, SLEEP, Statements, Transactions};
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

impl Lists for PgPool {
    async fn list(&self, _: usize, n: i64) -> usize {
        let query = sqlx::query_as::<_, (i64, String, f64)>(LIST).bind(n);
        query.fetch_all(self).await.unwrap().len()
    }
}
