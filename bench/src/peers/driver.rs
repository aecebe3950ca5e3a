use std::sync::Arc;

use super::Statements;
use super::prepared::Prepared;
use crate::server::Server;

/// tokio-postgres alone: so many clients, each shared by its part of the tasks.
#[derive(Clone)]
pub(crate) struct Shared(Arc<[Prepared]>);

impl Shared {
    pub(crate) async fn open(server: &Server, clients: usize) -> Self {
        let mut shared = Vec::new();
        for _ in 0..clients {
            let client = server.client().await;
            shared.push(Prepared::new(client).await.unwrap());
        }
        Shared(shared.into())
    }
}

impl Statements for Shared {
    async fn select(&self, task: usize, n: i64) -> i64 {
        self.0[task % self.0.len()].select(n).await
    }

    async fn sleep(&self, task: usize) {
        self.0[task % self.0.len()].sleep().await;
    }
}
