use crate::wire::server_error::ServerError;

/// A message of the server outside its answers: a warning, or the progress of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notice {
    /// `WARNING`, `NOTICE`, `INFO`, `LOG` or `DEBUG`, in the server's language.
    pub severity: String,
    /// The SQLSTATE.
    pub code: String,
    /// The message.
    pub message: String,
    /// Further details.
    pub detail: Option<String>,
    /// Advice.
    pub hint: Option<String>,
}

/// A message that another session sent by `NOTIFY` to a channel of this session.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notification {
    /// The server process of the session that sent it.
    pub process_id: i32,
    /// The channel.
    pub channel: String,
    /// The payload of the message.
    pub payload: String,
}

/// Maximum length of a text that is kept.
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

/// Whether the notice reports a commit that did not wait for its replicas. The name of the server's
/// routine is the only part that shows it and is never translated.
pub(crate) fn is_unreplicated(notice: &ServerError) -> bool {
    notice.routine() == Some("SyncRepWaitForLSN")
}
