use rusqlite::ffi;
use underpin_core::Effect;

/// Observations of the connection around a statement that failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trace {
    /// Whether a transaction was open before.
    pub(crate) was_open: bool,
    /// Whether one is open now.
    pub(crate) is_open: bool,
    /// Whether SQLite counts rows that the failed statement changed and kept, as with
    /// `INSERT OR FAIL`.
    pub(crate) changed: bool,
}

/// The effect of a statement for which SQLite returned an error. SQLite undoes a failed statement,
/// or the whole transaction, before it returns the error.
pub(crate) fn effect_of(error: &rusqlite::Error, trace: Trace) -> Effect {
    if trace.was_open && !trace.is_open {
        return Effect::RolledBack;
    }
    if trace.changed {
        return Effect::Applied;
    }
    match error.sqlite_extended_error_code() {
        // The frames of a commit were written, but the disk did not confirm that they are safe:
        // after a loss of power, they may or may not exist.
        Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC) if !trace.is_open => {
            Effect::Unknown
        }
        _ => Effect::RolledBack,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_its_effect() {
        let error = |code| rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        let trace = |was_open, is_open, changed| Trace {
            was_open,
            is_open,
            changed,
        };
        let cases = [
            (
                ffi::SQLITE_FULL,
                trace(false, false, false),
                Effect::RolledBack,
            ),
            (
                ffi::SQLITE_FULL,
                trace(true, false, true),
                Effect::RolledBack,
            ),
            (
                ffi::SQLITE_CONSTRAINT_UNIQUE,
                trace(true, true, false),
                Effect::RolledBack,
            ),
            (
                ffi::SQLITE_CONSTRAINT_UNIQUE,
                trace(false, false, true),
                Effect::Applied,
            ),
            (
                ffi::SQLITE_INTERRUPT,
                trace(false, false, false),
                Effect::RolledBack,
            ),
            (
                ffi::SQLITE_IOERR_WRITE,
                trace(false, false, false),
                Effect::RolledBack,
            ),
            (
                ffi::SQLITE_IOERR_FSYNC,
                trace(false, false, false),
                Effect::Unknown,
            ),
            (
                ffi::SQLITE_IOERR_FSYNC,
                trace(true, false, false),
                Effect::RolledBack,
            ),
        ];
        for (code, trace, effect) in cases {
            assert_eq!(effect_of(&error(code), trace), effect, "{code} {trace:?}");
        }
    }
}
