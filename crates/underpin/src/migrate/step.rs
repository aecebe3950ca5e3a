use std::ops::Deref;
use std::sync::Arc;

use crate::connection::{Connection, Lease};

/// A step of a run, as the Rust code of a revision sees it: the run's own connection,
/// within the transaction that holds the revision. The code neither commits nor rolls
/// back; where it gives an error, the run does.
#[derive(Debug, Clone)]
pub struct Step {
    pub(super) connection: Arc<Held>,
}

/// The connection of a run: its own or, where a database is in memory and has but one, that.
#[derive(Debug)]
pub(super) enum Held {
    Own(Connection),
    Leased(Lease),
}

impl Deref for Step {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        match &*self.connection {
            Held::Own(connection) => connection,
            Held::Leased(lease) => lease,
        }
    }
}

impl Step {
    pub(super) fn new(held: Held) -> Self {
        Step {
            connection: Arc::new(held),
        }
    }

    /// Ends the connection, or gives it back.
    pub(super) async fn close(self) {
        match Arc::into_inner(self.connection) {
            Some(Held::Own(connection)) => connection.close().await,
            // What a revision's code has kept of it ends with the last of that.
            Some(Held::Leased(_)) | None => {}
        }
    }
}
