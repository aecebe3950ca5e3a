use std::ops::Deref;
use std::sync::Arc;

use crate::open_database::{OpenConnection, OpenDatabase};

/// The connection of a run, which the Rust code of a revision is given within the transaction
/// that holds the revision. The code neither commits nor rolls back; where it returns an
/// error, the run rolls back.
#[derive(Debug, Clone)]
pub struct RevisionConnection<D: OpenDatabase> {
    held: Arc<Held<D>>,
}

/// The connection of a run: its own or, where a database is in memory and has but one, that.
#[derive(Debug)]
pub(super) enum Held<D: OpenDatabase> {
    Own(D::Connection),
    Leased(D::Lease),
}

impl<D: OpenDatabase> Deref for RevisionConnection<D> {
    type Target = D::Connection;

    fn deref(&self) -> &D::Connection {
        match &*self.held {
            Held::Own(connection) => connection,
            Held::Leased(lease) => lease,
        }
    }
}

impl<D: OpenDatabase> RevisionConnection<D> {
    pub(super) fn new(held: Held<D>) -> Self {
        RevisionConnection {
            held: Arc::new(held),
        }
    }

    /// Ends the connection, or gives it back.
    pub(super) async fn close(self) {
        match Arc::into_inner(self.held) {
            Some(Held::Own(connection)) => connection.close().await,
            // What a revision's code has kept of it ends with the last of that.
            Some(Held::Leased(_)) | None => {}
        }
    }
}
