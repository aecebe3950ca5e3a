use underpin::value::Timestamp;
use underpin::{FromValue, IntoValue, Model};

use super::User;

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

/// An e-mail that is to be sent, or was.
#[derive(Debug, Clone, PartialEq, Model)]
#[model(table = "email_logs", sqlite(strict, checked_types))]
pub struct EmailLog {
    /// The primary key.
    #[model(primary_key, serial)]
    pub id: i32,
    /// The user whom it is for.
    #[model(references = User)]
    pub user_id: Option<i32>,
    /// What kind of e-mail it is.
    #[model(type = "varchar(50)", index = "idx_email_logs_type")]
    pub email_type: String,
    /// Where it goes.
    #[model(type = "varchar(255)")]
    pub recipient_email: String,
    /// Its subject.
    #[model(type = "varchar(255)")]
    pub subject: String,
    /// Its text.
    pub body: String,
    /// What has become of it.
    #[model(
        type = "varchar(20)",
        default = "'pending'",
        index = "idx_email_logs_status"
    )]
    pub status: Option<EmailStatus>,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
    /// Why it could not be sent.
    pub error_message: Option<String>,
    /// When the row was made.
    #[model(
        default = "now()",
        sqlite(default = "strftime('%Y-%m-%d %H:%M:%f', 'now')")
    )]
    pub created_at: Option<Timestamp>,
}
