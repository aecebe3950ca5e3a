use crate::wire::server_error::ServerError;

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

/// So much of a text is kept.
const LONGEST: usize = 64 * 1024;

impl Notice {
    pub(crate) fn new(notice: &ServerError) -> Self {
        Notice {
            severity: kept(notice.severity()),
            code: kept(notice.code()),
            message: kept(notice.message()),
            detail: notice.detail().map(kept),
            hint: notice.hint().map(kept),
        }
    }
}

fn kept(text: &str) -> String {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

/// Whether the notice says that a commit did not wait for its replicas to the end. The
/// name of the server's routine is the one part that tells it and is never translated.
pub(crate) fn is_unreplicated(notice: &ServerError) -> bool {
    notice.routine() == Some("SyncRepWaitForLSN")
}
