use underpin_core::{Effect, Error};

/// What went wrong on the thread, before the session adds what it knows.
pub(crate) enum Fault {
    /// SQLite's error; the session tells its effect.
    Sqlite(rusqlite::Error),
    /// SQLite's error, with an effect that is known and what was being done.
    Known {
        error: rusqlite::Error,
        effect: Effect,
        context: String,
        /// Which of the rows of a bulk insert it is about, counted from 1.
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
