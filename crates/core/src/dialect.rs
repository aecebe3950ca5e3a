use underpin_sql::{Dialect, POSTGRES, SQLITE};

use crate::engine::Engine;

impl Engine {
    /// The dialect of SQL that the engine reads.
    pub fn dialect(self) -> Option<&'static Dialect> {
        match self {
            Engine::Postgres => Some(&POSTGRES),
            Engine::Sqlite => Some(&SQLITE),
        }
    }
}
