//! Databases and connections as migrations and the sources of schemas open them.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use underpin_core::driver::SessionState;
use underpin_core::{Deadline, Result, TransactionOptions};
use underpin_migrate::{OpenConnection, OpenDatabase};

use crate::config::Config;
use crate::{Connection, Database, Lease, Transaction};

impl OpenDatabase for Database {
    type Connection = Connection;
    type Lease = Lease;

    #[track_caller]
    fn open(config: Config) -> impl Future<Output = Result<Self>> + Send {
        Database::connect(config)
    }

    fn config(&self) -> Arc<Config> {
        Database::config(self)
    }

    #[track_caller]
    fn acquire(&self) -> impl Future<Output = Result<Lease>> + Send {
        Database::acquire(self)
    }

    fn close(&self, wait: Duration) -> impl Future<Output = Result<()>> + Send {
        Database::close(self, wait)
    }
}

impl OpenConnection for Connection {
    type Transaction = Transaction;

    fn open(config: Config) -> impl Future<Output = Result<Self>> + Send {
        Connection::connect(config)
    }

    fn begin(
        &self,
        options: TransactionOptions,
    ) -> impl Future<Output = Result<Transaction>> + Send {
        Connection::begin_with(self, options)
    }

    fn commit(transaction: Transaction) -> impl Future<Output = Result<()>> + Send {
        transaction.commit()
    }

    fn close(self) -> impl Future<Output = ()> + Send {
        Connection::close(self)
    }

    fn state(&self) -> SessionState {
        self.session.held.state()
    }

    fn reset(&self) -> impl Future<Output = Result<()>> + Send {
        self.session.held.reset(Deadline::NONE)
    }

    fn announced_process(&self) -> Option<i32> {
        self.session.held.announced_process()
    }

    async fn copy_text(&self, sql: &str, rows: &str) -> Result<u64> {
        self.session.held.copy_text(sql, rows, Deadline::NONE).await
    }
}
