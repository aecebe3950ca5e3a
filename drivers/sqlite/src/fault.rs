use underpin_core::{Effect, Error};

/// An error on the thread, before the session adds its knowledge.
pub(crate) enum Fault {
    /// SQLite's error; the session determines its effect.
    Sqlite(rusqlite::Error),
    /// SQLite's error, with a known effect and the context.
    Known {
        error: rusqlite::Error,
        effect: Effect,
        context: String,
        /// The row of a bulk insert that it is about, counted from 1.
        row: Option<u64>,
    },
    /// An error of this driver or of a row that cannot be read, complete.
    Ours(Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Fault::Sqlite(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::Ours(error)
    }
}
