use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Connection};
use underpin_core::Role;

use crate::link::Link;
use crate::notices::{Notice, Notification, is_unreplicated};

/// How long a connection that was dropped has for saying goodbye.
const GOODBYE: Duration = Duration::from_secs(5);

/// Notes the end of the connection, whichever way the task ends.
struct End(Arc<Link>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end(None);
    }
}

/// Moves the bytes of one connection, and keeps what the server says beside its answers.
pub(crate) async fn drive<S, T>(connection: Connection<S, T>, link: Arc<Link>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let end = End(Arc::clone(&link));
    let mut run = pin!(run(connection, &link));
    tokio::select! {
        biased;
        () = &mut run => {}
        () = link.closing.notified() => {
            let _ = timeout(GOODBYE, run).await;
        }
        () = link.watchdog.watch() => link.killed.store(true, Ordering::Release),
    }
    drop(end);
}

async fn run<S, T>(mut connection: Connection<S, T>, link: &Link)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let mut reported = 0;
    loop {
        let message = poll_fn(|cx| {
            let polled = connection.poll_message(cx);
            let now = link.parameters.load(Ordering::Relaxed);
            if now != reported {
                reported = now;
                if let Some(role) = role(&connection) {
                    link.set_role(role);
                }
            }
            polled
        })
        .await;
        match message {
            Some(Ok(AsyncMessage::Notice(notice))) => {
                tracing::debug!(
                    severity = notice.severity(),
                    code = notice.code().code(),
                    "{}",
                    notice.message()
                );
                if is_unreplicated(&notice) {
                    link.unreplicated.fetch_add(1, Ordering::AcqRel);
                }
                link.add_notice(Notice::new(&notice));
            }
            Some(Ok(AsyncMessage::Notification(said))) => link.add_notification(Notification {
                process_id: said.process_id(),
                channel: said.channel().to_owned(),
                payload: said.payload().to_owned(),
            }),
            Some(Ok(_)) => {}
            // Noted before the connection is dropped, which is what its callers notice.
            Some(Err(error)) => return link.end(Some(error)),
            None => return link.end(None),
        }
    }
}

/// What the server has reported of itself; nothing before PostgreSQL 14.
pub(crate) fn role<S, T>(connection: &Connection<S, T>) -> Option<Role>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let standby = connection.parameter("in_hot_standby")?;
    let read_only = connection.parameter("default_transaction_read_only");
    let replica = standby == "on" || read_only == Some("on");
    Some(if replica {
        Role::Replica
    } else {
        Role::Primary
    })
}
