use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use underpin_config::Config;
use underpin_core::driver::SessionState;
use underpin_core::{Class, Engine, Error, Executor, Params, Result, ValueRow};

use super::revision_connection::{Held, RevisionConnection};
use crate::host::{Direction, Host, Wait};
use crate::open_database::{OpenConnection, OpenDatabase};
use crate::revision::RevisionId;

/// How long opening a second connection may take.
const PATIENCE: Duration = Duration::from_secs(5);

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One direction of a revision as Rust code.
pub(super) type Code<D> =
    Arc<dyn Fn(RevisionConnection<D>) -> Boxed<'static, Result<()>> + Send + Sync>;

/// The Rust code of revisions, by their ids.
#[derive(Clone)]
pub(super) struct Codes<D: OpenDatabase>(pub(super) HashMap<RevisionId, [Code<D>; 2]>);

impl<D: OpenDatabase> Default for Codes<D> {
    fn default() -> Self {
        Codes(HashMap::new())
    }
}

/// A connection of the run's own, as the runner wants it.
pub(super) struct ConnectionHost<D: OpenDatabase> {
    pub(super) connection: RevisionConnection<D>,
    pub(super) codes: Codes<D>,
    /// What another connection to the same place is opened with, if one can be.
    pub(super) config: Option<Config>,
}

impl<D: OpenDatabase> Host for ConnectionHost<D> {
    fn engine(&self) -> Engine {
        self.connection.engine()
    }

    fn run<'a>(&'a self, sql: &'a str) -> Boxed<'a, Result<()>> {
        Box::pin(self.connection.batch(sql))
    }

    fn copy<'a>(&'a self, sql: &'a str, rows: &'a str) -> Boxed<'a, Result<u64>> {
        Box::pin(self.connection.copy_text(sql, rows))
    }

    fn execute<'a>(&'a self, sql: &'a str, params: Params) -> Boxed<'a, Result<u64>> {
        Box::pin(self.connection.execute(sql, params))
    }

    fn query<'a>(&'a self, sql: &'a str, params: Params) -> Boxed<'a, Result<Vec<ValueRow>>> {
        Box::pin(self.connection.query(sql, params))
    }

    fn code<'a>(&'a self, id: &'a RevisionId, direction: Direction) -> Boxed<'a, Result<()>> {
        match self.codes.0.get(id) {
            Some([up, down]) => match direction {
                Direction::Up => up(self.connection.clone()),
                Direction::Down => down(self.connection.clone()),
            },
            None => Box::pin(async move { Err(no_code(id)) }),
        }
    }

    fn state(&self) -> SessionState {
        self.connection.state()
    }

    fn reset(&self) -> Boxed<'_, Result<()>> {
        Box::pin(self.connection.reset())
    }

    fn announced_process(&self) -> Option<i32> {
        self.connection.announced_process()
    }

    fn another(&self) -> Boxed<'_, Option<Box<dyn Host>>> {
        Box::pin(async {
            let config = self.config.as_ref()?.to_builder().max_retries(0);
            let config = config.connection_timeout(PATIENCE).build().ok()?;
            let connection = D::Connection::open(config).await.ok()?;
            let another = ConnectionHost::<D> {
                connection: RevisionConnection::new(Held::Own(connection)),
                codes: Codes::default(),
                config: None,
            };
            Some(Box::new(another) as Box<dyn Host>)
        })
    }

    fn sleep<'a>(&'a self, wait: &'a Wait) -> Boxed<'a, ()> {
        Box::pin(tokio::time::sleep(wait.length))
    }
}

pub(super) fn no_code(id: &RevisionId) -> Error {
    Error::new(
        Class::Config,
        format!("The revision `{id}` is Rust code, but this program does not contain it."),
    )
    .with_hint("Run it with the program that passes the code to Migrator::code.")
}
