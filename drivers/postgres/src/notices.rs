use tokio_postgres::error::DbError;

/// What a server says beside its answers: a warning, or the progress of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `WARNING`, `NOTICE`, `INFO`, `LOG` or `DEBUG`, in the server's language.
    pub severity: String,
    /// The SQLSTATE.
    pub code: String,
    /// What it says.
    pub message: String,
    /// More about it.
    pub detail: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What another session sent by `NOTIFY` to a channel that this one listens to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The server process of the session that sent it.
    pub process_id: i32,
    /// The channel.
    pub channel: String,
    /// What was sent.
    pub payload: String,
}

impl Notice {
    pub(crate) fn new(notice: &DbError) -> Self {
        Notice {
            severity: notice.severity().to_owned(),
            code: notice.code().code().to_owned(),
            message: notice.message().to_owned(),
            detail: notice.detail().map(str::to_owned),
            hint: notice.hint().map(str::to_owned),
        }
    }
}

/// Whether the notice says that a commit did not wait for its replicas to the end. The
/// name of the server's routine is the one part that tells it and is never translated.
pub(crate) fn is_unreplicated(notice: &DbError) -> bool {
    notice.routine() == Some("SyncRepWaitForLSN")
}
