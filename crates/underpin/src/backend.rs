use std::panic::Location;

use underpin_cluster::{CallOptions, Cluster, Operation};
use underpin_core::driver::BoxFuture;
use underpin_core::{Deadline, Params, Result};
use underpin_pool::Pool;

use crate::metrics::Metrics;

/// What a [`Database`](crate::Database) holds once it is open. A [`Cluster`] is one, with
/// pools of ours; an engine that brings its own pool implements this itself.
pub trait Backend: Send + Sync + 'static {
    /// Asks the server for a sign of life.
    ///
    /// # Errors
    /// What it failed with; past the deadline `Class::Timeout`.
    ///
    /// # Cancel safety
    /// Safe.
    fn ping(
        &self,
        options: CallOptions,
        place: &'static Location<'static>,
    ) -> BoxFuture<'_, Result<()>>;

    /// The numbers at this moment. Costs no round trip.
    fn metrics(&self) -> Metrics;

    /// Lets no call begin until [`resume`](Backend::resume); what is under way goes on.
    fn pause(&self);

    /// Ends a [`pause`](Backend::pause).
    fn resume(&self);

    /// Waits for everything that is under way, until the deadline, and closes all
    /// connections.
    ///
    /// # Errors
    /// `Class::Timeout` names who still held a connection.
    ///
    /// # Cancel safety
    /// Dropped half-way, everything is closed all the same, without the report.
    fn close(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>>;

    /// The members whose pools are ours, where there are any: they lease connections, run
    /// SQL, and can be resized and reconfigured. Default none.
    fn cluster(&self) -> Option<&Cluster> {
        None
    }
}

impl Backend for Cluster {
    fn ping(
        &self,
        options: CallOptions,
        place: &'static Location<'static>,
    ) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.run(Operation::Ping, "", Params::new(), options, place)
                .await
                .map(drop)
        })
    }

    fn metrics(&self) -> Metrics {
        Metrics::of(self)
    }

    fn pause(&self) {
        self.pools().iter().for_each(Pool::pause);
    }

    fn resume(&self) {
        self.pools().iter().for_each(Pool::resume);
    }

    fn close(&self, deadline: Deadline) -> BoxFuture<'_, Result<()>> {
        Box::pin(Cluster::close(self, deadline))
    }

    fn cluster(&self) -> Option<&Cluster> {
        Some(self)
    }
}
