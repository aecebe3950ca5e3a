use std::fmt;
use std::sync::Arc;

/// tokio-postgres's own error, whole, as the source of this driver's. What the server adds to its
/// message (detail, context) may hold values of a row, and is in no text of this one;
/// [`get`](NativeError::get) has it.
#[derive(Clone)]
pub struct NativeError(Arc<tokio_postgres::Error>);

impl NativeError {
    /// The error itself. Its texts may hold values of a row.
    pub fn get(&self) -> &tokio_postgres::Error {
        &self.0
    }
}

impl From<tokio_postgres::Error> for NativeError {
    fn from(error: tokio_postgres::Error) -> Self {
        NativeError(Arc::new(error))
    }
}

impl From<Arc<tokio_postgres::Error>> for NativeError {
    fn from(error: Arc<tokio_postgres::Error>) -> Self {
        NativeError(error)
    }
}

impl fmt::Display for NativeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_db_error() {
            Some(said) => write!(
                f,
                "{}: {} (SQLSTATE {})",
                said.severity(),
                said.message(),
                said.code().code()
            ),
            None => self.0.fmt(f),
        }
    }
}

impl fmt::Debug for NativeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_db_error() {
            Some(_) => write!(f, "NativeError({self})"),
            None => self.0.fmt(f),
        }
    }
}

impl std::error::Error for NativeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // What the server said is all that an error of the server has beneath it.
        match self.0.as_db_error() {
            Some(_) => None,
            None => self.0.source(),
        }
    }
}
