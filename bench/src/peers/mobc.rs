use mobc::{Manager, Pool, async_trait};
use mobc_postgres::PgConnectionManager;
use tokio_postgres::{Error, NoTls};

use super::prepared::Prepared;
use super::{CONNECTIONS, Statements};
use crate::server::Server;

/// mobc-postgres, with statements prepared when a connection is opened. By default it keeps
/// two idle connections, and would open the others again and again: it may keep all. By
/// default it pings on each checkout; `ping` is whether it does.
pub(crate) fn open(server: &Server, ping: bool) -> impl Statements {
    let manager = PgConnectionManager::new(server.driver_config(), NoTls);
    Pool::builder()
        .max_open(CONNECTIONS.into())
        .max_idle(CONNECTIONS.into())
        .test_on_check_out(ping)
        .build(Preparing(manager))
}

struct Preparing(PgConnectionManager<NoTls>);

#[async_trait]
impl Manager for Preparing {
    type Connection = Prepared;
    type Error = Error;

    async fn connect(&self) -> Result<Prepared, Error> {
        Prepared::new(self.0.connect().await?).await
    }

    async fn check(&self, connection: Prepared) -> Result<Prepared, Error> {
        connection.client.simple_query("").await?;
        Ok(connection)
    }
}

impl Statements for Pool<Preparing> {
    async fn select(&self, _: usize, n: i64) -> i64 {
        self.get().await.unwrap().select(n).await
    }

    async fn sleep(&self, _: usize) {
        self.get().await.unwrap().sleep().await;
    }
}
