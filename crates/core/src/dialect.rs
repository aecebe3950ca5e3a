use underpin_sql::{Dialect, NameError, POSTGRES, SQLITE};

use crate::by_engine::ByEngine;
use crate::engine::Engine;
use crate::error::{Class, Error};

static DIALECTS: ByEngine<Dialect> = ByEngine::new(&[
    (Engine::POSTGRES, &POSTGRES),
    (Engine::SQLITE, &SQLITE),
    // Its files are read by SQLite's virtual tables.
    (Engine::ACCESS, &SQLITE),
]);

impl Engine {
    /// The engine's dialect of SQL, if it has one.
    pub fn dialect(self) -> Option<&'static Dialect> {
        DIALECTS.get(self)
    }

    /// Adds the dialect of another engine.
    pub fn add_dialect(self, dialect: &'static Dialect) {
        DIALECTS.add(self, dialect);
    }
}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        Error::new(Class::Config, error.to_string())
    }
}
