use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use underpin_core::{Class, Engine, Error, Params, Result, ValueRow};
use underpin_migrate::{Direction, RevisionId, Wait};

use super::step::Step;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// One direction of a revision as Rust code.
pub(super) type Code = Arc<dyn Fn(Step) -> Boxed<'static, Result<()>> + Send + Sync>;

/// The Rust code of revisions, by their ids.
#[derive(Clone, Default)]
pub(super) struct Codes(pub(super) HashMap<RevisionId, [Code; 2]>);

/// A connection of the run's own, as the runner wants it.
pub(super) struct Host {
    pub(super) step: Step,
    pub(super) codes: Codes,
}

impl underpin_migrate::Host for Host {
    fn engine(&self) -> Engine {
        self.step.engine()
    }

    fn run<'a>(&'a self, sql: &'a str) -> Boxed<'a, Result<()>> {
        Box::pin(self.step.batch(sql))
    }

    fn execute<'a>(&'a self, sql: &'a str, params: Params) -> Boxed<'a, Result<u64>> {
        Box::pin(self.step.execute(sql, params))
    }

    fn query<'a>(&'a self, sql: &'a str, params: Params) -> Boxed<'a, Result<Vec<ValueRow>>> {
        Box::pin(self.step.query(sql, params))
    }

    fn code<'a>(&'a self, id: &'a RevisionId, direction: Direction) -> Boxed<'a, Result<()>> {
        match self.codes.0.get(id) {
            Some([up, down]) => match direction {
                Direction::Up => up(self.step.clone()),
                Direction::Down => down(self.step.clone()),
            },
            None => Box::pin(async move { Err(no_code(id)) }),
        }
    }

    fn sleep(&self, wait: Wait) -> Boxed<'_, ()> {
        Box::pin(tokio::time::sleep(wait.length))
    }
}

pub(super) fn no_code(id: &RevisionId) -> Error {
    Error::new(
        Class::Config,
        format!("The revision `{id}` is Rust code, and this program has none for it."),
    )
    .with_hint("Run it with the program that has the code, which gives it to Migrator::code.")
}
