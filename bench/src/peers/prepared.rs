use tokio_postgres::{Client, Error, Statement};

use super::{SELECT, SLEEP};

/// The driver's client with the statements prepared once: what pools without a cache of
/// statements are given, since preparing costs a round trip each time.
pub(super) struct Prepared {
    pub(super) client: Client,
    select: Statement,
    sleep: Statement,
}

impl Prepared {
    pub(super) async fn new(client: Client) -> Result<Self, Error> {
        Ok(Prepared {
            select: client.prepare(SELECT).await?,
            sleep: client.prepare(SLEEP).await?,
            client,
        })
    }

    pub(super) async fn select(&self, n: i64) -> i64 {
        let row = self.client.query_one(&self.select, &[&n]).await.unwrap();
        row.get(0)
    }

    pub(super) async fn sleep(&self) {
        self.client.execute(&self.sleep, &[]).await.unwrap();
    }
}
