use bb8::{ManageConnection, Pool};
use bb8_postgres::PostgresConnectionManager;
use tokio_postgres::{Error, NoTls};

use super::prepared::Prepared;
use super::{CONNECTIONS, Statements};
use crate::server::Server;

/// bb8-postgres, with statements prepared when a connection is opened. By default it pings
/// on each checkout; `ping` is whether it does.
pub(crate) async fn open(server: &Server, ping: bool) -> impl Statements {
    let manager = PostgresConnectionManager::new(server.driver_config(), NoTls);
    Pool::builder()
        .max_size(CONNECTIONS)
        .test_on_check_out(ping)
        .build(Manager(manager))
        .await
        .expect("bb8 connects")
}

struct Manager(PostgresConnectionManager<NoTls>);

impl ManageConnection for Manager {
    type Connection = Prepared;
    type Error = Error;

    async fn connect(&self) -> Result<Prepared, Error> {
        Prepared::new(self.0.connect().await?).await
    }

    async fn is_valid(&self, connection: &mut Prepared) -> Result<(), Error> {
        self.0.is_valid(&mut connection.client).await
    }

    fn has_broken(&self, connection: &mut Prepared) -> bool {
        self.0.has_broken(&mut connection.client)
    }
}

impl Statements for Pool<Manager> {
    async fn select(&self, _: usize, n: i64) -> i64 {
        self.get().await.unwrap().select(n).await
    }

    async fn sleep(&self, _: usize) {
        self.get().await.unwrap().sleep().await;
    }
}
