use underpin_core::Engine;
use underpin_sql::{COMMON, Lexis, Piece, SplitError};

/// How SQL for this engine is cut into tokens; without one, SQL for every engine.
pub(crate) fn lexis(engine: Option<Engine>) -> &'static Lexis {
    let dialect = engine.and_then(Engine::dialect);
    dialect.map_or(&COMMON, |dialect| &dialect.lexis)
}

/// Cuts a text of SQL into statements and what lies between them, as
/// [`underpin_sql::split`] does in the engine's dialect, or in [`COMMON`] for text that is for
/// every engine.
///
/// # Errors
/// As for [`underpin_sql::split`].
pub fn split(sql: &str, engine: Option<Engine>) -> Result<Vec<Piece>, SplitError> {
    underpin_sql::split(sql, lexis(engine))
}

/// The words, names in quotes, texts and signs of a statement in order, without comments;
/// what has no quotes in capitals.
pub fn words(sql: &str, engine: Option<Engine>) -> Vec<String> {
    underpin_sql::words(sql, lexis(engine))
}

/// Whether the statement begins, ends or marks a transaction.
pub fn is_transaction_control(sql: &str) -> bool {
    underpin_sql::is_transaction_control(sql, &COMMON)
}
