use underpin::value::Timestamp;
use underpin::{FromValue, IntoValue};

use super::model::model;

/// What has become of an e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromValue, IntoValue)]
#[value(rename_all = "snake_case")]
pub enum EmailStatus {
    /// It is to be sent.
    Pending,
    /// It was sent.
    Sent,
    /// It could not be sent.
    Failed,
}

model! {
    /// An e-mail that is to be sent, or was.
    EmailLog, NewEmailLog, EmailLogChanges in "email_logs"
    required {
        /// What kind of e-mail it is.
        email_type: String,
        /// Where it goes.
        recipient_email: String,
        /// Its subject.
        subject: String,
        /// Its text.
        body: String,
    }
    optional {
        /// The user whom it is for.
        user_id: i32,
        /// What has become of it.
        status: EmailStatus,
        /// When it was sent.
        sent_at: Timestamp,
        /// Why it could not be sent.
        error_message: String,
        /// When the row was made.
        created_at: Timestamp,
    }
}
