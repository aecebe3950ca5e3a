//! Finds the members of a database where its configuration does not name them all.

use std::sync::{Arc, Weak};
use std::time::Duration;

use underpin_core::driver::BoxFuture;
use underpin_core::{Endpoint, Result};

use crate::clock;
use crate::member::NewMember;
use crate::watch::Watch;

/// A list of a database's members outside of its configuration: a name service, or the program that
/// promotes the servers.
pub trait Discovery: Send + Sync + 'static {
    /// Where the members are now.
    ///
    /// # Errors
    /// What kept the list from being read. The members stay as they are.
    ///
    /// # Cancel safety
    /// Must be safe.
    fn find(&self) -> BoxFuture<'_, Result<Vec<Endpoint>>>;

    /// Members at these places; nothing is connected yet.
    ///
    /// # Errors
    /// `Class::Config` for what the driver cannot do.
    fn members(&self, endpoints: Vec<Endpoint>) -> Result<Vec<NewMember>>;

    /// The time between two readings of the list while there is a primary.
    fn interval(&self) -> Duration;
}

/// The time between two readings of the list while there is no primary.
const SEARCH: Duration = Duration::from_secs(1);

/// Reads the list again and again until the watch is given up.
pub(crate) async fn run(watch: Weak<Watch>, discovery: Arc<dyn Discovery>) {
    let mut failing = false;
    loop {
        let found = discovery.find().await;
        let Some(this) = watch.upgrade() else { return };
        let outcome = found.and_then(|endpoints| this.found(&discovery, endpoints));
        if let Err(error) = &outcome
            && !failing
        {
            tracing::warn!(%error, "the list of the members cannot be read; they stay as they are");
        }
        failing = outcome.is_err();
        drop(this);
        let read = clock::now();
        loop {
            tokio::time::sleep(SEARCH.min(discovery.interval())).await;
            let Some(this) = watch.upgrade() else { return };
            if read.elapsed() >= discovery.interval() || this.topology().primary().is_none() {
                break;
            }
        }
    }
}
