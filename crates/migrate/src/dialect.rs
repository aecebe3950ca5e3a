use underpin_core::{Class, Engine, Error, Result};

use crate::{postgres, sqlite};

/// What differs between the engines in a run; one value for each, in a file of its name.
pub(crate) struct Dialect {
    /// Begins a transaction that writes.
    pub(crate) begin: &'static str,
    /// Gives one row: the schema that new tables go to, and the one that has the history.
    pub(crate) find_history: &'static str,
    /// Makes the history's table where it is missing; `{table}` stands for its name.
    pub(crate) create_history: &'static str,
}

impl Dialect {
    pub(crate) fn of(engine: Engine) -> Result<&'static Dialect> {
        match engine {
            Engine::POSTGRES => Ok(&postgres::DIALECT),
            Engine::SQLITE => Ok(&sqlite::DIALECT),
            engine => Err(Error::new(
                Class::Unsupported,
                format!("Revisions cannot be run on {engine}."),
            )),
        }
    }
}
