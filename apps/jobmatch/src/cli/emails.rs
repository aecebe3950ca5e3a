use std::io::{Write, stdout};

use clap::{Subcommand, ValueEnum};
use jobmatch::models::EmailStatus;
use jobmatch::{mark_email, queue_emails};
use serde_json::json;
use underpin::{IntoValue, Result, Value};
use underpin_commands::{Command, Exit, Format, GlobalOptions, QueryArguments};

use super::{close, hint_at_migration, open, or_broken_pipe};

#[derive(Subcommand)]
pub(super) enum EmailsCommand {
    /// Queue one e-mail for each active user with matches that none has told of yet
    Queue,
    /// List the e-mails, the newest first
    List {
        /// Only those of which this has become
        #[arg(long, value_enum)]
        status: Option<Status>,

        /// How many at most
        #[arg(long, default_value_t = 50, value_name = "E-MAILS")]
        limit: u32,
    },
    /// Note that an e-mail was sent, or could not be
    Mark {
        /// Its number, as `list` shows it
        id: i32,

        /// What has become of it
        #[arg(value_enum)]
        status: Status,

        /// Why it could not be sent
        #[arg(long, value_name = "REASON")]
        error: Option<String>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Status {
    /// It is still to be sent
    Pending,
    /// It was sent
    Sent,
    /// It could not be sent
    Failed,
}

impl From<Status> for EmailStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Pending => EmailStatus::Pending,
            Status::Sent => EmailStatus::Sent,
            Status::Failed => EmailStatus::Failed,
        }
    }
}

pub(super) async fn run(command: EmailsCommand, options: &GlobalOptions) -> Result<Exit> {
    match command {
        EmailsCommand::Queue => queue(options).await,
        EmailsCommand::List { status, limit } => Ok(list(status, limit, options).await),
        EmailsCommand::Mark { id, status, error } => {
            let database = open(options).await?;
            let marked = mark_email(&database, id, status.into(), error.as_deref()).await;
            let closed = close(database).await;
            marked.and(closed)?;
            Ok(Exit::Success)
        }
    }
}

async fn queue(options: &GlobalOptions) -> Result<Exit> {
    let database = open(options).await?;
    let queued = queue_emails(&database).await;
    let closed = close(database).await;
    let queued = queued.map_err(hint_at_migration)?;
    closed?;
    let line = match options.format {
        Format::Table => format!("{queued} e-mails queued"),
        Format::Json => json!({ "queued": queued }).to_string(),
        Format::Csv => format!("queued\n{queued}"),
    };
    or_broken_pipe(writeln!(stdout(), "{line}"))?;
    Ok(Exit::Success)
}

/// A query like any other, printed as such.
async fn list(status: Option<Status>, limit: u32, options: &GlobalOptions) -> Exit {
    let mut params = vec![limit.to_string()];
    let mut condition = "";
    if let Some(status) = status {
        condition = "WHERE status = $2";
        if let Value::Text(name) = EmailStatus::from(status).into_value() {
            params.push(name);
        }
    }
    let sql = format!(
        "SELECT id, status, email_type, recipient_email, subject, created_at, sent_at, \
                error_message \
         FROM email_logs {condition} ORDER BY id DESC LIMIT CAST($1 AS integer)"
    );
    let query = QueryArguments {
        sql: Some(sql),
        file: None,
        params,
    };
    underpin_commands::run(Command::Query(query), options).await
}
